package agent

import (
	"regexp"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// languageIn is the language to answer in: that of the pending lines if they show one clearly, else that of all the visitor
// said, else English. It is clear when another language is ahead of English, or English of all others, by two words; a
// conversation of up to four words cannot show more than one. Languages share small words with each other and with names,
// so that one of them in a longer text proves nothing.
func languageIn(r TurnRequest, pending []Line) *speech {
	const enough, short = 2, 4
	words := proseWords(pending)
	if lang, lead := languageOf(words); lead >= enough && len(words) >= short {
		return lang
	}
	var said []Line
	for _, l := range r.Messages {
		if l.Author.Kind == domain.AuthorVisitor {
			said = append(said, l)
		}
	}
	words = proseWords(said)
	if lang, lead := languageOf(words); lead >= enough || lead > 0 && len(words) <= short {
		return lang
	}
	return &english
}

// languageOf guesses the language of folded words by counting those that only carry grammar or politeness. The lead is by
// how many English is behind it, or the best of the others behind English; 0 is a tie, for which English stands.
func languageOf(words []word) (lang *speech, lead int) {
	inEnglish := english.count(words)
	lang, most := &english, 0
	for _, l := range languages {
		if n := l.count(words); l != &english && n > most {
			lang, most = l, n
		}
	}
	if most > inEnglish {
		return lang, most - inEnglish
	}
	return &english, inEnglish - most
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
func (s *speech) knows(folded string) bool { return vocabularies[s].all[folded] }

// carries reports whether a word only carries the language's grammar.
func (s *speech) carries(folded string) bool { return vocabularies[s].function[folded] }

// vocabulary is a language's words, to look up.
type vocabulary struct{ function, all map[string]bool }

var vocabularies = func() map[*speech]vocabulary {
	vs := map[*speech]vocabulary{}
	for _, s := range languages {
		vs[s] = vocabulary{wordSet(s.function), wordSet(s.function, s.greeting, s.closing, s.yes, s.no)}
	}
	return vs
}()

func wordSet(lists ...string) map[string]bool {
	set := map[string]bool{}
	for _, list := range lists {
		for w := range strings.FieldsFuncSeq(list, func(c rune) bool { return c == ' ' || c == '|' }) {
			set[w] = true
		}
	}
	return set
}

// What people paste into a chat: addresses of pages and mailboxes; and, besides, code, tags, link targets and file names.
const addresses = `\b(https?|ftp|wss?|mailto|tel|data|javascript):\S+|\bwww\.\S+|\S+@\S+`

var (
	address  = regexp.MustCompile("(?i)" + addresses)
	notProse = regexp.MustCompile("(?is)```.*?(```|$)|`[^`\n]*`" +
		`|<(script|style)\b.*?(</(script|style)\s*>|$)|</?[a-z][^>]*>|<!--.*?-->` +
		`|\]\([^)\s]*(\([^)\s]*\))?[^)\s]*\)|` + addresses + `|\b[\pL\d_-]+(\.[\pL\d_-]+)+(/\S*)?`)
)

// prose is a text without what says nothing about the language it is written in.
func prose(text string) string {
	if !strings.ContainsAny(text, "`<]@:.") { // none of notProse can match
		return text
	}
	return notProse.ReplaceAllString(text, " ")
}

func proseWords(lines []Line) []word {
	var words []word
	for _, l := range lines {
		words = append(words, wordsOf(prose(l.Text()))...)
	}
	return words
}
