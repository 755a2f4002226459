package widget

import (
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

func TestUntold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		q     question
		parts []string
		want  string
	}{
		{"nothing was told", question{stream: true}, []string{"Hello."}, "Hello."},
		{"several replies", question{stream: true}, []string{"One.", "Two."}, "One.\n\nTwo."},
		{"all was told", question{stream: true, turn: "t", told: "Hello."}, []string{"Hello."}, ""},
		{"the end was lost", question{stream: true, turn: "t", told: "Hel"}, []string{"Hello."}, "lo."},
		{"a second reply", question{stream: true, turn: "t", told: "One."}, []string{"One.", "Two."}, "\n\nTwo."},
		{"the beginning was lost", question{stream: true, turn: "t", told: "llo."}, []string{"Hello."}, ""},
		{"an attempt that came to nothing", question{stream: true, turn: "before", told: "Hel"}, []string{"Hello."}, "Hello."},
		{"no pieces are wanted", question{}, []string{"Hello."}, ""},
		{"there is no answer", question{stream: true}, nil, ""},
	} {
		said := make([]domain.Message, len(c.parts))
		for i, p := range c.parts {
			said[i].Content = p
		}
		if got := untold(&c.q, ledger.AnswerState{Turn: "t"}, said); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
