package views

import (
	"fmt"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// Why is the page that says how one message came about, for people who know nothing of the inside.
type Why struct {
	Record                 // all that is on record of the thread, and what its messages say
	Message domain.Message // that is asked about
}

// reason is what the page shows, taken out of the record.
type reason struct {
	asked     []string // the visitor's words that it answers
	let       string   // which way it was let through
	agent     string
	waited    string
	searches  []search
	calls     []call
	steps     []happening // of the turn that said it, in order
	setbacks  []happening // attempts that failed, retries, words that came too late
	after     []happening // delivered, read
	person    string      // a person's name, if a person said it
	draft     []change    // how they changed what an agent had drafted
	drafted   bool        // it came of a draft
	total     string      // from the visitor's line to the answer
	tokens    string
	cost      string
	elsewhere bool // a service of the organisation's own made it
	swept     bool // details are older than they are kept
}

// search is one look into the knowledge.
type search struct {
	query, result string
	found         []passage
}

// call is one question to a model or a service.
type call struct {
	title, cost string
	words       []labelled
	kept        string // what is known of words that are not kept
}

// why tells how the message came about.
func (w Why) why() reason {
	var out reason
	turn, dispatch := w.Message.TurnID, domain.DispatchID("")
	for _, i := range w.Items { // a person's words may have come of a draft
		if i.MessageID == w.Message.ID && (i.Kind == domain.SuggestionUsed || i.Kind == domain.SuggestionEdited) {
			turn, out.drafted = i.TurnID, true
			if f := detail(i); i.Kind == domain.SuggestionEdited {
				out.draft = difference(f.text("draft"), f.text("sent"))
			}
		}
	}
	for _, i := range w.Items {
		if turn != "" && i.TurnID == turn && i.DispatchID != "" {
			dispatch = i.DispatchID
		}
	}
	if w.Message.Author.Kind == domain.AuthorHuman {
		out.person = w.Message.Author.Name
	}
	tokens, usd := 0.0, 0.0
	for _, i := range w.Items {
		f := detail(i)
		switch {
		case dispatch != "" && i.DispatchID == dispatch && (i.Kind == domain.DispatchQueuedAt || i.Kind == domain.DispatchExtended):
			if line := w.Lines[i.MessageID]; line != "" {
				out.asked = append(out.asked, line)
			}
			if out.let == "" {
				out.total = strings.TrimPrefix(offset(w.Message.CreatedAt.Sub(i.At)), "+")
			}
			out.let = "The message came from a known visitor, agents are switched on for " + quotedWidget(w.Widget) + ", an agent is bound to it and switched on, and no person had the conversation. So the agent was asked."
		case turn != "" && i.TurnID == turn:
			out.takeStep(w, i, f)
			tokens += f.number("prompt_tokens") + f.number("completion_tokens")
			usd += f.number("cost_usd")
		case dispatch != "" && i.DispatchID == dispatch && setback(i.Kind):
			out.setbacks = append(out.setbacks, w.shown(i))
		}
		if reached(i, f, w.Message) {
			out.after = append(out.after, w.shown(i))
		}
	}
	if tokens > 0 {
		out.tokens = fmt.Sprintf("%.0f tokens", tokens)
	}
	if usd > 0 {
		out.cost = fmt.Sprintf("$%.4f", usd)
	}
	weigh(out.steps)
	return out
}

// takeStep sorts what the turn did.
func (r *reason) takeStep(w Why, i domain.TimelineItem, f fields) {
	r.swept = r.swept || f["swept"] == true
	r.steps = append(r.steps, w.shown(i))
	switch i.Kind {
	case domain.TurnStarted:
		r.agent, r.waited = agentName(f), waited(f)
	case domain.ToolCall:
		if toolName(f) == "search knowledge" {
			r.searches = append(r.searches, search{query: queryOf(f)})
		}
	case domain.ToolResult:
		if n := len(r.searches); n > 0 && toolName(f) == "search knowledge" {
			r.searches[n-1].result, r.searches[n-1].found = searched(f), passages(i)
		}
	case domain.ModelCall:
		c := call{title: asked(f), cost: cost(f), words: spokenWords(f)}
		if n := f.number("prompt_chars"); n > 0 && len(c.words) == 0 {
			c.kept = fmt.Sprintf("It was given %.0f characters and said %.0f. The words themselves are not kept; an owner can change that in the settings.", n, f.number("response_chars"))
		}
		kind := domain.AgentKind(f.text("kind"))
		r.elsewhere = r.elsewhere || kind == domain.AgentWebSocket || kind == domain.AgentHTTP
		r.calls = append(r.calls, c)
	}
}

// shown is an item as the recorder tells it.
func (w Why) shown(i domain.TimelineItem) happening {
	h := w.tell(i)
	h.at = i.At
	h.more(i)
	h.since = offset(i.At.Sub(w.Message.CreatedAt))
	return h
}

func setback(k domain.TimelineKind) bool {
	switch k {
	case domain.TurnFailure, domain.RetryScheduled, domain.ReplySuppressed, domain.DispatchDied:
		return true
	}
	return false
}

// reached reports whether an item says that the message has come to somebody: written to their browser, or read.
func reached(i domain.TimelineItem, f fields, m domain.Message) bool {
	return i.Kind == domain.Delivered && i.MessageID == m.ID ||
		i.Kind == domain.Read && f.text("by") == "visitor" && int64(f.number("seq")) >= m.Seq
}

func quotedWidget(name string) string {
	if name == "" {
		return "this channel"
	}
	return "the widget “" + name + "”"
}

// source says in a sentence what kind of answer this is.
func (w Why) source(r reason) string {
	switch {
	case r.person != "" && r.drafted && len(r.draft) > 0:
		return r.person + " sent it, after changing what the agent had drafted."
	case r.person != "" && r.drafted:
		return r.person + " sent what the agent had drafted, as it was."
	case r.person != "":
		return r.person + " wrote it. No agent had a part in it."
	case w.Message.Author.Kind == domain.AuthorSystem:
		return "It is the widget’s own text for when no agent could answer."
	case r.elsewhere:
		return w.Message.Author.Name + " asked a service of your own, which gave this answer."
	case len(w.Message.Citations) > 0:
		return w.Message.Author.Name + " found it in " + plural(len(w.Message.Citations), "article", "articles") + " of your knowledge."
	case len(r.searches) > 0 && len(r.calls) == 0:
		return w.Message.Author.Name + " looked into your knowledge, found nothing that fits well enough, and did not guess."
	}
	return w.Message.Author.Name + " answered by itself, without looking anything up."
}
