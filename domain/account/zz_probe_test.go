package account_test

import (
	"fmt"
	"testing"
	"time"
	"os"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
)

type tape struct{}

func (tape) Delta(string)                                          {}
func (tape) Step(agent.Step)                                       {}

func TestZZ(t *testing.T) {
	_, l, w := newDemo(t)
	rt, err := agent.New(func() domain.Agent { a := domain.NewAgent(w.OrgID, "Ada", domain.AgentBuiltin); a.Config = []byte("{}"); return a }(), agent.Deps{Knowledge: l})
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile("/tmp/questions.txt")
	for q := range strings.Lines(string(raw)) {
		q = strings.ReplaceAll(strings.TrimSpace(q), "\\n", "\n")
		ps, _ := l.Search(t.Context(), w.OrgID, q, 4)
		s := ""
		for _, p := range ps {
			s += fmt.Sprintf(" %s %.2f", strings.TrimPrefix(p.URL, "/demo#"), p.Rank)
		}
		r := agent.TurnRequest{OrgID: w.OrgID, Messages: []agent.Line{{Seq: 1, Author: domain.Author{Kind: domain.AuthorVisitor}, Content: q, CreatedAt: time.Now()}}, Pending: []int64{1}}
		got, _ := rt.Turn(t.Context(), r, sinkOf{})
		fmt.Printf("%q\n   %s\n   -> %.260q\n", q, s, got.Reply.Content)
	}
}

type sinkOf struct{ agent.Sink }

func (sinkOf) Step(agent.Step) {}
