package agent

import (
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// intent is what the pending lines want, as far as the builtin runtime tells things apart.
type intent int

const (
	asks     intent = iota // a question for the knowledge
	greets                 // nothing but a greeting
	closes                 // thanks or goodbye
	person                 // a person is wanted
	whatAmI                // whether this is a person
	declines               // no to the offer of a person
	shows                  // files without a word
)

// talk is the pending lines, understood.
type talk struct {
	intent intent
	lang   *speech
	query  string   // the lines without their small talk, for the search
	words  []string // the words of the query that mean something, each once
	lines  int      // how many lines ask something
}

// understand reads the pending lines together: one of them asking for a person decides, then any question, then small talk.
func understand(r TurnRequest, pending []Line) talk {
	t := talk{lang: languageIn(r, pending)}
	var questions []string
	small := greets
	for _, l := range pending {
		words := wordsOf(l.Content)
		text := plain(words)
		if wantsPerson(text) || offered(r) && answers(words, yesses) {
			t.intent = person
			return t
		}
		after := skip(words, greetings)
		switch {
		case l.Content == "" && len(l.Attachments) > 0:
			small = shows
		case asksAboutSelf(plain(words[after:])):
			small = whatAmI
		case offered(r) && answers(words, noes):
			small = declines
		case after == len(words):
		case after+skip(words[after:], closings) == len(words):
			small = max(small, closes)
		default:
			after += skip(words[after:], closings) // "ok, and …" goes on with a question
			questions = append(questions, strings.TrimSpace(l.Content[words[after].start:]))
		}
	}
	t.intent, t.lines, t.query = small, len(questions), clip(strings.Join(questions, "\n"), 500)
	if t.lines > 0 {
		t.intent = asks
		if t.words = meaningful(wordsOf(address.ReplaceAllString(t.query, " ")), t.lang); len(t.words) == 0 {
			t.words = meaningful(wordsOf(t.query), t.lang)
		}
	}
	return t
}

// meaningful drops words without a meaning of their own, and repetitions. A text of nothing else keeps them all.
func meaningful(words []word, lang *speech) []string {
	var all, kept []string
	for _, w := range words {
		if slices.Contains(all, w.text) {
			continue
		}
		all = append(all, w.text)
		if len(w.text) > 1 && !lang.carries(w.text) {
			kept = append(kept, w.text)
		}
	}
	if len(kept) == 0 {
		return all
	}
	return kept
}

func wantsPerson(text string) bool {
	for _, l := range languages {
		text = l.self.ReplaceAllString(text, "·")
	}
	return slices.ContainsFunc(languages, func(l *speech) bool { return l.person.MatchString(text) })
}

func asksAboutSelf(text string) bool {
	return slices.ContainsFunc(languages, func(l *speech) bool { return l.self.MatchString(text) })
}

// offered reports whether our last line offered to get a person.
func offered(r TurnRequest) bool {
	last, ok := lastOurs(r)
	return ok && last.Author.Kind == domain.AuthorAgent && slices.ContainsFunc(languages, func(l *speech) bool {
		return slices.Contains(l.unknown, last.Content) || slices.Contains(l.about, last.Content) || slices.Contains(l.blind, last.Content)
	})
}

// phrases are what one kind of small talk consists of, in any language: what it must begin with, and what may follow.
type phrases struct{ begin, follow map[string]bool }

var (
	greetings = phrasesOf(func(s *speech) string { return s.greeting })
	closings  = phrasesOf(func(s *speech) string { return s.closing })
	yesses    = phrasesOf(func(s *speech) string { return s.yes })
	noes      = phrasesOf(func(s *speech) string { return s.no })
)

func phrasesOf(list func(*speech) string) phrases {
	p := phrases{begin: map[string]bool{}, follow: map[string]bool{}}
	for _, l := range languages {
		for phrase := range strings.SplitSeq(list(l), "|") {
			p.begin[phrase] = true
		}
		for phrase := range strings.SplitSeq(l.filler, "|") {
			p.follow[phrase] = true
		}
	}
	return p
}

// skip counts the leading words that are nothing but such phrases, taking the longest phrase each time.
func skip(words []word, p phrases) int {
	const longest = 6
	at := 0
	for at < len(words) {
		n := min(longest, len(words)-at)
		for ; n > 0; n-- {
			if text := plain(words[at : at+n]); p.begin[text] || at > 0 && p.follow[text] {
				break
			}
		}
		if n == 0 {
			break
		}
		at += n
	}
	return at
}

// answers reports whether words are such a phrase and at most a little more: "yes please, that would help".
func answers(words []word, p phrases) bool {
	n := skip(words, p)
	return n > 0 && len(words)-n <= 3
}
