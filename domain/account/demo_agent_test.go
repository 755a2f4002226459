package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
)

// deafSink takes the steps of a turn and forgets them. The builtin runtime sends nothing early.
type deafSink struct{ agent.Sink }

func (deafSink) Step(agent.Step) {}

func TestDemoAgentBeginsWithThePoint(t *testing.T) {
	t.Parallel()
	s, l, w := newDemo(t)
	ada := must[domain.Agent](t)(s.Agent(t.Context(), w.OrgID, w.AgentID))
	rt := must[agent.Runtime](t)(agent.New(ada, agent.Deps{Knowledge: l}))
	tests := []struct{ question, begins string }{
		{"Where is my order?", "**Where is my order?** The tracking link"},
		{"Where is my order #12345?", "**Where is my order?** The tracking link"},
		{"Hi, my order 4711 from https://northwind.example/orders/4711 has not arrived, please check, my mail is joe@example.com", "**Where is my order?**"},
		{"one more thing: returns?", "You can send anything back **within 30 days**"},
		{"How heavy can I load the pannier?", "How **heavy** can the load be? Each pannier carries a weight of up to 9 kg"},
		{"line one\nline two\nline three", "I'm sorry, I don't know that"},
		{"What is the capital of France?", "I'm sorry, I don't know that"},
	}
	for _, tt := range tests {
		t.Run(tt.question, func(t *testing.T) {
			t.Parallel()
			line := agent.Line{Seq: 1, Author: domain.Author{Kind: domain.AuthorVisitor}, Content: tt.question, CreatedAt: time.Now()}
			got, err := rt.Turn(t.Context(), agent.TurnRequest{OrgID: w.OrgID, Messages: []agent.Line{line}, Pending: []int64{1}}, deafSink{})
			if err != nil || got.Reply == nil || !strings.HasPrefix(got.Reply.Content, tt.begins) {
				t.Errorf("answers %+v, %v; want it to begin with %q", got.Reply, err, tt.begins)
			}
		})
	}
}
