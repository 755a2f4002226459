package ledger

import (
	"hash/fnv"
	"slices"
	"unicode"

	"github.com/parley-chat/parley/domain"
)

// grams are the numbers of the sequences of letters and digits that a text has, each once: three in a row, and two of scripts of which two
// are a word. A text that contains another, whatever the case, has all its grams; the reverse is for whoever asks to see. Those of one
// organisation are other numbers than another's, so that what one looks for does not lead through what the others have.
func grams(org domain.OrgID, text string) []int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(org))
	seed := h.Sum32()
	var found []int32
	var a, b rune // those before, 0 = no letter
	for _, r := range text {
		c := letter(r)
		switch {
		case c == 0:
			b = 0
		case b != 0 && (dense(b) || dense(c)):
			found = append(found, gram(seed, b, c))
		case a != 0 && b != 0 && !dense(a):
			found = append(found, gram(seed, a, b, c))
		}
		a, b = b, c
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func gram(h uint32, rs ...rune) int32 {
	for _, r := range rs {
		for shift := 0; shift < 24; shift += 8 {
			h = (h ^ uint32(r>>shift)&0xff) * 16777619
		}
	}
	return int32(h)
}

// letter is one for all forms of a letter that any database takes for the same when it does not mind the case, and 0 for what is no letter.
func letter(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
		return r
	case r < 128 || !unicode.In(r, unicode.L, unicode.N, unicode.M):
		return 0
	case r == 'ı' || r == 'İ':
		return 'I'
	}
	lower := unicode.ToLower(r)
	first := lower
	for f := unicode.SimpleFold(lower); f != lower; f = unicode.SimpleFold(f) {
		first = min(first, f)
	}
	return first
}

// dense reports whether a letter is of a script that says as much with one as others with several: Chinese, Japanese, Korean, Thai and their kin.
func dense(r rune) bool { return 0x0e00 <= r && r < 0x1e00 || r >= 0x2e80 }
