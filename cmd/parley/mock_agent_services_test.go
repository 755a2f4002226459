package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
)

// heard is a sink that keeps what was said.
type heard struct{ said []string }

func (*heard) Delta(string)    {}
func (*heard) Think(string)    {}
func (*heard) Step(agent.Step) {}
func (h *heard) Reply(_ context.Context, r agent.Reply) error {
	h.said = append(h.said, r.Content)
	return nil
}

func TestMockServicesAnswerTheirKinds(t *testing.T) {
	t.Parallel()
	three := "Answer 1 of 3: hi|Answer 2 of 3: hi|Answer 3 of 3: hi"
	for protocol, wants := range map[string]map[string]string{
		"http":   {"echo": "Echo: hi", "delay": "Echo: hi", "multi": three, "test": "signed, with 1 lines", "error": "answered with status 500"},
		"openai": {"echo": "Echo: hi", "delay": "Echo: hi", "multi": three, "test": "with 2 messages and 4 tools. It says: hi", "error": "answered with status 500: this model was told to fail"},
	} {
		for mode, want := range wants {
			t.Run(protocol+" "+mode, func(t *testing.T) {
				t.Parallel()
				srv := httptest.NewServer(mockService(protocol, mode, time.Millisecond))
				t.Cleanup(srv.Close)
				a := domain.NewAgent("org", "Ada", domain.AgentKind(protocol))
				config := map[string]any{"url": srv.URL, "secret": "hush-hush"}
				if protocol == "openai" {
					config = map[string]any{"base_url": srv.URL + "/v1", "model": "mock"}
				}
				raw, err := json.Marshal(config)
				if err != nil {
					t.Fatal(err)
				}
				if a, err = a.Configure(a.Kind, raw); err != nil {
					t.Fatal(err)
				}
				out := &agent.Outbound{}
				t.Cleanup(out.Client().CloseIdleConnections)
				voice, err := agent.New(a, agent.Deps{Outbound: out})
				if err != nil {
					t.Fatal(err)
				}
				sink := &heard{}
				res, err := voice.Turn(t.Context(), agent.TurnRequest{ThreadID: "t", Pending: []int64{1},
					Messages: []agent.Line{{Seq: 1, Author: domain.Author{Kind: domain.AuthorVisitor}, Content: "hi"}}}, sink)
				if res.Reply != nil {
					sink.said = append(sink.said, res.Reply.Content)
				}
				got := strings.Join(sink.said, "|")
				if err != nil {
					got = err.Error()
				}
				if !strings.Contains(got, want) {
					t.Errorf("%q, want %q", got, want)
				}
			})
		}
	}
}
