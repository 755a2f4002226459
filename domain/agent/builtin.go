package agent

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/parley-chat/parley/domain"
)

// builtin answers from the organisation's articles and says so when it cannot. It needs no model and no key, and gives the
// same answer to the same conversation every time.
type builtin struct {
	greeting      string
	minConfidence float64
	knowledge     Knowledge
}

func newBuiltin(a domain.Agent, d Deps) (Runtime, error) {
	config, err := domain.ParseBuiltinConfig(a.Config)
	if err != nil {
		return nil, err
	}
	return &builtin{greeting: config.Greeting, minConfidence: config.MinConfidence, knowledge: d.Knowledge}, nil
}

// Turn answers all pending lines with one reply. It fails only if the search does.
func (b *builtin) Turn(ctx context.Context, r TurnRequest, sink Sink) (Result, error) {
	began := time.Now()
	pending := pendingLines(r)
	if len(pending) == 0 {
		return Result{}, &Failure{Reason: "there was nothing to answer", Permanent: true, Err: errNothingPending}
	}
	t := understand(r, pending)
	switch t.intent {
	case person:
		return Result{
			Reply:   &Reply{Content: next(t.lang.handoff, r)},
			Handoff: &Handoff{Reason: "the visitor asked for a person"},
		}, nil
	case greets:
		return Result{Reply: b.greet(r, t.lang)}, nil
	case closes, declines:
		return Result{Reply: &Reply{Content: farewell(r, t.lang)}}, nil
	case whatAmI:
		return Result{Reply: &Reply{Content: next(t.lang.about, r)}}, nil
	case shows:
		return Result{Reply: &Reply{Content: next(t.lang.blind, r)}}, nil
	}
	hits, err := b.search(ctx, r.OrgID, t.query, began, sink)
	if err != nil {
		return Result{}, err
	}
	if len(hits) > 0 && hits[0].Query != "" { // what was found was found by other words than those that were written
		t.words = meaningful(wordsOf(hits[0].Query), t.lang)
	}
	if reply, ok := answerFrom(hits, t); ok {
		return Result{Reply: &reply}, nil
	}
	return Result{Reply: &Reply{Content: next(t.lang.unknown, r)}}, nil
}

// greet greets once. Where an agent or a person has spoken before, greeting again would sound as if nobody had listened.
func (b *builtin) greet(r TurnRequest, lang *speech) *Reply {
	if _, spoken := lastOurs(r); spoken {
		return &Reply{Content: next(lang.greetAgain, r)}
	}
	if b.greeting != "" {
		return &Reply{Content: b.greeting, ContentType: domain.Markdown}
	}
	return &Reply{Content: next(lang.greet, r)}
}

// farewell says goodbye once in a thread, whatever the language. Who thanks again gets a word, and after that a nod: two programs
// that thank each other would otherwise never come to an end of their phrases.
func farewell(r TurnRequest, lang *speech) string {
	said := func(phrases func(*speech) []string) bool {
		return slices.ContainsFunc(r.Messages, func(l Line) bool {
			return l.Author.Kind == domain.AuthorAgent && slices.ContainsFunc(languages, func(s *speech) bool { return slices.Contains(phrases(s), l.Content) })
		})
	}
	switch {
	case !said(func(s *speech) []string { return s.closed }):
		return next(lang.closed, r)
	case !said(func(s *speech) []string { return []string{s.welcome} }):
		return lang.welcome
	}
	return nod
}

// nod is understood in every language.
const nod = "👍"

// next is the first variant, or the one after that which the agent said last: nothing is said twice in a row if there is
// another way to put it.
func next(variants []string, r TurnRequest) string {
	for _, l := range slices.Backward(r.Messages) {
		if l.Author.Kind == domain.AuthorAgent {
			return variants[(slices.Index(variants, l.Content)+1)%len(variants)]
		}
	}
	return variants[0]
}

// searchLimit is how many passages are worth looking at: more would not fit into one answer.
const searchLimit = 5

func (b *builtin) search(ctx context.Context, org domain.OrgID, query string, began time.Time, sink Sink) ([]domain.Passage, error) {
	const tool = "search_knowledge"
	if b.knowledge == nil {
		return nil, nil
	}
	asked := time.Now()
	sink.Step(Step{Kind: domain.ToolCall, After: asked.Sub(began), Detail: map[string]any{"name": tool, "query": query}})
	hits, err := b.knowledge.Search(ctx, org, query, searchLimit)
	took := millis(time.Since(asked))
	if err != nil {
		sink.Step(Step{Kind: domain.ToolResult, After: time.Since(began), Detail: map[string]any{"name": tool, "error": "the search failed", "ms": took}})
		if ctx.Err() != nil {
			return nil, cutShort(ctx)
		}
		return nil, &Failure{Reason: "could not search the knowledge", Err: err}
	}
	titles := make([]string, len(hits))
	for i, h := range hits {
		titles[i] = h.Title
	}
	detail := map[string]any{"name": tool, "hits": len(hits), "titles": titles, "ms": took, "confidence": confidence(hits), "min_confidence": b.minConfidence}
	sink.Step(Step{Kind: domain.ToolResult, After: time.Since(began), Detail: detail})
	return slices.DeleteFunc(hits, func(h domain.Passage) bool { return h.Rank < b.minConfidence }), nil
}

// confidence is how well the best passage fits the question, from 0 to 1 in hundredths; 0 if there is none.
func confidence(hits []domain.Passage) float64 {
	best := 0.0
	for _, h := range hits {
		best = max(best, h.Rank)
	}
	return math.Round(best*100) / 100
}
