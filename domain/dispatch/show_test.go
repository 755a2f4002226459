package dispatch

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A hint fits into a notification, and no character is cut in two.
func TestPieces(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a", strings.Repeat("é", 5000), "x" + strings.Repeat("日", 3000), strings.Repeat("\x80", 5000)} {
		ps := slices.Collect(pieces(text))
		if strings.Join(ps, "") != text {
			t.Errorf("%d bytes come out as %d", len(text), len(strings.Join(ps, "")))
		}
		for _, p := range ps {
			if len(p) > pieceMost || p == "" || utf8.ValidString(text) && !utf8.ValidString(p) {
				t.Errorf("a piece of %d bytes, %q…", len(p), p[:min(len(p), 8)])
			}
		}
	}
}
