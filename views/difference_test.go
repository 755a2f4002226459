package views

import (
	"strings"
	"testing"
)

func TestDifference(t *testing.T) {
	for _, tt := range []struct{ was, is, want string }{
		{"We open at nine.", "We open at ten.", " We open at |-nine.|+ten."},
		{"same", "same", " same"},
		{"", "new", "+new"},
		{"old", "", "-old"},
		{"", "", ""},
		{"a b c", "x b\nc y", "-a |+x | b\nc |+y"},
		{strings.Repeat("w ", 1300), "short", "-" + strings.Repeat("w ", 1300) + "|+short"},
	} {
		var got []string
		for _, c := range difference(tt.was, tt.is) {
			got = append(got, string(c.kind)+c.text)
		}
		if s := strings.Join(got, "|"); s != tt.want && strings.Join(strings.Fields(s), "") != strings.Join(strings.Fields(tt.want), "") {
			t.Errorf("%.20q to %.20q: %.60q, want %.60q", tt.was, tt.is, s, tt.want)
		}
	}
}
