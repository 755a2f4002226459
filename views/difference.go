package views

import "strings"

// change is a run of words that two texts share, or that only one of them has.
type change struct {
	kind rune // ' ' both, '-' only the first, '+' only the second
	text string
}

// diffWords bounds what is compared word by word; of longer texts the whole is shown.
const diffWords = 1200

// difference is how one text became another, word by word.
func difference(was, is string) []change {
	a, b := splitWords(was), splitWords(is)
	if len(a) > diffWords || len(b) > diffWords {
		return []change{{'-', was}, {'+', is}}
	}
	// common[i][j] is how many words a[i:] and b[j:] share in order
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if strings.TrimSpace(a[i]) == strings.TrimSpace(b[j]) {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out []change
	add := func(kind rune, word string) {
		if n := len(out); n > 0 && out[n-1].kind == kind {
			out[n-1].text += word
			return
		}
		out = append(out, change{kind, word})
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && strings.TrimSpace(a[i]) == strings.TrimSpace(b[j]):
			add(' ', b[j])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			add('-', a[i])
			i++
		default:
			add('+', b[j])
			j++
		}
	}
	return out
}

// splitWords parts a text into words, each with the space behind it.
func splitWords(s string) []string {
	var out []string
	for len(s) > 0 {
		end := strings.IndexAny(s, " \n\t")
		if end < 0 {
			return append(out, s)
		}
		for end < len(s) && strings.IndexByte(" \n\t", s[end]) >= 0 {
			end++
		}
		out = append(out, s[:end])
		s = s[end:]
	}
	return out
}
