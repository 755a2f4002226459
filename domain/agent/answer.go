package agent

import (
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
)

const (
	answerChars  = 600 // of an answer from one article; each of several gets less
	snippetChars = 280 // of a citation
)

// answerFrom makes one answer of the passages that fit the question. One leads; others join only if they speak to words of
// the question that those before them do not, and, for a single line, in their very title: a word in passing is no answer.
// ok is false when none fits.
func answerFrom(hits []domain.Passage, t talk) (_ Reply, ok bool) {
	most := 2
	if t.lines > 1 {
		most = 3
	}
	var chosen []domain.Passage
	open := t.words // words of the question that nothing chosen speaks to
	for _, h := range leadFirst(hits, t.words) {
		left := without(open, h.Title+"\n"+excerpt(h.Body, t.words, answerChars))
		beside := len(left) == len(open) || t.lines < 2 && (h.Rank < hits[0].Rank/2 || len(without(open, h.Title)) == len(open))
		if len(chosen) > 0 && beside {
			continue
		}
		if chosen, open = append(chosen, h), left; len(chosen) == most {
			break
		}
	}
	if len(chosen) == 0 {
		return Reply{}, false
	}
	return compose(chosen, t.words), true
}

// leadFirst is the hits that fit, one per article and best first, but for the one to lead: of those that the search ranks
// at least half as high as its first, that with most of the question's words, unless the first has more of them in its title.
func leadFirst(hits []domain.Passage, question []string) []domain.Passage {
	var fitting []domain.Passage
	lead, fewest, untitled := 0, len(question)+1, 0
	for _, h := range hits {
		known := func(f domain.Passage) bool { return f.Article == h.Article }
		if !fits(h, question) || slices.ContainsFunc(fitting, known) {
			continue
		}
		missing, beside := len(without(question, h.Title+"\n"+h.Body)), len(without(question, h.Title))
		if len(fitting) == 0 {
			untitled = beside
		}
		if missing < fewest && beside <= untitled && h.Rank >= hits[0].Rank/2 {
			lead, fewest = len(fitting), missing
		}
		fitting = append(fitting, h)
	}
	if lead > 0 {
		first := fitting[lead]
		fitting = slices.Insert(slices.Delete(fitting, lead, lead+1), 0, first)
	}
	return fitting
}

// fits keeps a search that is generous with its hits from answering beside the point: the title has a word of the question,
// or the article has at least a quarter of them. Of a question of one or two words the search itself is the better judge.
func fits(p domain.Passage, question []string) bool {
	if strings.TrimSpace(p.Body+p.Snippet) == "" {
		return false
	}
	if len(question) <= 2 || len(without(question, p.Title)) < len(question) {
		return true
	}
	missing := len(without(question, p.Title+"\n"+p.Body+"\n"+p.Snippet))
	return (len(question)-missing)*4 >= len(question)
}

// without is the words that do not occur in text, in any form.
func without(question []string, text string) []string {
	words := wordsOf(text)
	var missing []string
	for _, q := range question {
		if !slices.ContainsFunc(words, func(w word) bool { return akin(q, w.text) }) {
			missing = append(missing, q)
		}
	}
	return missing
}

func compose(chosen []domain.Passage, question []string) Reply {
	limit := answerChars
	if len(chosen) > 1 {
		limit = answerChars/len(chosen) + 100
	}
	reply := Reply{ContentType: domain.Markdown}
	var parts []string
	for _, p := range chosen {
		text := excerpt(p.Body, question, limit)
		if text == "" {
			text = clip(p.Snippet, limit)
		}
		snippet := p.Snippet
		if strings.TrimSpace(snippet) == "" {
			snippet = unmarked(text)
		}
		reply.Citations = append(reply.Citations, domain.Citation{
			Title: p.Title, URL: p.URL, Snippet: clip(strings.Join(strings.Fields(snippet), " "), snippetChars),
		})
		if len(chosen) > 1 {
			text = "**" + literal.Replace(p.Title) + "**\n\n" + text
		}
		parts = append(parts, text)
	}
	reply.Content = strings.Join(parts, "\n\n")
	return reply
}

// literal escapes what Markdown would take for markup within a line.
var literal = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", `\<`)
