package agent

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one word of a text: folded for comparing, and where it stands in the original.
type word struct {
	text  string
	start int // byte offset
}

// wordsOf takes a text apart into folded words. What is neither letter nor digit separates.
func wordsOf(text string) []word {
	var words []word
	start := -1
	for i, c := range text {
		switch inside := unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c); {
		case inside && start < 0:
			start = i
		case !inside && start >= 0:
			words = append(words, word{fold(text[start:i]), start})
			start = -1
		}
	}
	if start >= 0 {
		words = append(words, word{fold(text[start:]), start})
	}
	return words
}

// plain is a text as its folded words with single spaces between, which is how phrases are looked for.
func plain(words []word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return strings.Join(texts, " ")
}

var accents = strings.NewReplacer(
	"à", "a", "á", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "ç", "c", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i", "ñ", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ö", "o",
	"ù", "u", "ú", "u", "û", "u", "ü", "u", "ß", "ss", "œ", "oe", "æ", "ae",
	"\u0300", "", "\u0301", "", "\u0302", "", "\u0303", "", "\u0308", "", "\u0327", "", // combining marks, as some keyboards send them
)

// fold lower-cases and drops the accents of the languages the builtin runtime speaks.
func fold(s string) string { return accents.Replace(strings.ToLower(s)) }

// akin reports whether two folded words are probably forms of one: return and returns, pay and payment. It is a guess
// that works in several languages without a stemmer for each; good enough to rank sentences, not to search.
func akin(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	common := 0
	for common < len(a) && a[common] == b[common] {
		common++
	}
	whole := common == len(a)
	return whole && common >= 3 && len(b)-common <= 4 || common >= 4 && 2*common >= len(b) && len(a)-common <= 3 && len(b)-common <= 4
}

// clip cuts a text to at most limit characters, between words where it can, and shows that it did.
func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	cut := string([]rune(text)[:limit-1])
	if space := strings.LastIndexAny(cut, " \n"); space > len(cut)/2 {
		cut = cut[:space]
	}
	return strings.TrimRight(cut, " \n,;:-–") + "…"
}
