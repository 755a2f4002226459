package agent

import (
	"context"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// preselect finds what the question itself finds, so that a simple question costs one model call. A search that fails is left to
// the model, which can ask for it.
func (t *modelTurn) preselect(ctx context.Context, pending []Line) []passage {
	u := understand(t.r, pending)
	if t.knowledge == nil || u.query == "" {
		return nil
	}
	hits, err := t.search(ctx, u.query)
	if err != nil {
		t.log.WarnContext(ctx, "could not search the knowledge before a turn", "turn", t.r.TurnID, "err", err)
		return nil
	}
	hits = hits[:min(len(hits), preselected)]
	t.step(domain.ToolCall, map[string]any{"name": toolSearch, "by": "parley", "arguments": map[string]any{"query": u.query}})
	t.step(domain.ToolResult, map[string]any{"name": toolSearch, "by": "parley", "ok": true, "hits": len(hits), "summary": found(hits)})
	return t.passages(hits, u.words)
}

// search looks only into the turn's own organisation, and remembers what it found for the citations.
func (t *modelTurn) search(ctx context.Context, query string) ([]domain.Passage, error) {
	if t.knowledge == nil {
		return nil, nil
	}
	hits, err := t.knowledge.Search(ctx, t.r.OrgID, query, searchLimit)
	for _, h := range hits {
		if !slices.ContainsFunc(t.known, func(k domain.Passage) bool { return k.Article == h.Article }) {
			t.known = append(t.known, h)
		}
	}
	return hits, err
}

func (t *modelTurn) passages(hits []domain.Passage, question []string) []passage {
	out := make([]passage, 0, len(hits))
	for _, h := range hits {
		text := strings.TrimSpace(h.Body)
		if len([]rune(text)) > passageChars {
			text = excerpt(h.Body, question, passageChars)
		}
		out = append(out, passage{h.Title, h.URL, clip(text, passageChars)})
	}
	return out
}

const mostCitations = 3

// citations are the articles found in this turn that the answer seems to rest on: it uses a good part of their words.
func (t *modelTurn) citations(content string) []domain.Citation {
	var cited []domain.Citation
	var said []string
	for _, w := range meaningful(wordsOf(content), &english) {
		if len(w) >= 4 {
			said = append(said, w)
		}
	}
	for _, p := range t.known {
		shared := len(said) - len(without(said, p.Title+"\n"+p.Body))
		if shared < 3 || shared*3 < len(said) || len(cited) == mostCitations {
			continue
		}
		snippet := strings.TrimSpace(p.Snippet)
		if snippet == "" {
			snippet = unmarked(p.Body)
		}
		cited = append(cited, domain.Citation{Title: p.Title, URL: p.URL, Snippet: clip(strings.Join(strings.Fields(snippet), " "), snippetChars)})
	}
	return cited
}
