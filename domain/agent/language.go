package agent

import (
	"regexp"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// languageIn is the language to answer in: that of the pending lines if they show one clearly, else that of all the visitor
// said, else English.
func languageIn(r TurnRequest, pending []Line) *speech {
	words := wordsOf(prose(joinLines(pending)))
	if lang, clear := languageOf(words); clear && len(words) > 3 {
		return lang
	}
	var said []Line
	for _, l := range r.Messages {
		if l.Author.Kind == domain.AuthorVisitor {
			said = append(said, l)
		}
	}
	if lang, clear := languageOf(wordsOf(prose(joinLines(said)))); clear {
		return lang
	}
	return &english
}

// languageOf guesses the language of folded words by counting those that only carry grammar or politeness. It is clear when
// another language is well ahead of English, or English of all others: by two words, or by one that makes up at least a
// third of a short text. Languages share small words with each other and with names, so one of them alone proves nothing.
func languageOf(words []word) (lang *speech, clear bool) {
	inEnglish := english.count(words)
	lang, most := &english, 0
	for _, l := range languages {
		if n := l.count(words); l != &english && n > most {
			lang, most = l, n
		}
	}
	lead := most - inEnglish
	if lead <= 0 {
		lang, lead = &english, -lead
	}
	return lang, lead >= 2 || lead == 1 && len(words) <= 3
}

// count is how many of the words belong to the language's small talk or grammar.
func (s *speech) count(words []word) int {
	n := 0
	for _, w := range words {
		if s.knows(w.text) {
			n++
		}
	}
	return n
}

// knows reports whether a word belongs to the language's small talk or grammar.
func (s *speech) knows(folded string) bool {
	return hasWord(s.function, folded) || hasWord(s.greeting, folded) || hasWord(s.closing, folded) || hasWord(s.yes, folded) || hasWord(s.no, folded)
}

func hasWord(list, folded string) bool {
	for w := range strings.FieldsFuncSeq(list, func(c rune) bool { return c == ' ' || c == '|' }) {
		if w == folded {
			return true
		}
	}
	return false
}

// notProse is what people paste into a chat: code, tags, the targets of links, addresses of pages and mailboxes, file names.
var notProse = regexp.MustCompile("(?is)```.*?(```|$)|`[^`\n]*`" +
	`|<(script|style)\b.*?(</(script|style)\s*>|$)|</?[a-z][^>]*>|<!--.*?-->` +
	`|\]\([^)\s]*(\([^)\s]*\))?[^)\s]*\)|\b[a-z][a-z0-9+.-]*:[^\s)]*[^\s).,:;!?][^\s)]*|\S+@\S+|\b[\pL\d_-]+(\.[\pL\d_-]+)+(/\S*)?`)

// prose is a text without what says nothing about the language it is written in.
func prose(text string) string { return notProse.ReplaceAllString(text, " ") }
