package main

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
)

// sayToMock sends frames over one connection and reads n answers.
func sayToMock(t *testing.T, url string, n int, frames ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for _, f := range frames {
		if err := c.Write(ctx, websocket.MessageText, []byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	var answers []string
	for range n {
		_, answer, err := c.Read(ctx)
		if err != nil {
			t.Fatalf("after %q: %v", answers, err)
		}
		answers = append(answers, string(answer))
	}
	return answers
}

func mockURL(t *testing.T, mode string, delay time.Duration) string {
	t.Helper()
	srv := httptest.NewServer(newMockAgent(mode, delay))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http") + "/any/path"
}

const mockChat = `{"type":"chat_message","data":{"message_id":"m1","inbox_id":"i1","conversation_id":"c1","content":"hi","sender":{"id":"s","name":"Eva","email":"","type":"contact"},"context":{"channel":"webchat","created_at":"2026-11-21T09:00:00.000Z","additional_attributes":{}},"response_mode":"async"}}`

func TestMockAgentModes(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string][]string{
		"echo":  {`"content":"Echo: hi"`},
		"delay": {`"content":"Echo: hi"`},
		"test":  {"I received message m1 of conversation c1 in inbox i1, from Eva (contact) over webchat, as async, with 1 pending lines. It says: hi"},
		"error": {`"success":false`},
		"multi": {"Answer 1 of 3: hi", "Answer 2 of 3: hi", "Answer 3 of 3: hi"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			got := sayToMock(t, mockURL(t, mode, 50*time.Millisecond), len(want), mockChat)
			for i, answer := range got {
				if !strings.Contains(answer, want[i]) || !strings.Contains(answer, `"conversation_id":"c1"`) {
					t.Errorf("answer %d = %s, want %s in it", i, answer, want[i])
				}
				final := strings.Contains(answer, `"response_type":"final"`) && strings.Contains(answer, `"is_final":true`)
				if final != (i == len(got)-1 && mode != "error") {
					t.Errorf("answer %d of %d: %s", i+1, len(got), answer)
				}
			}
			if mode == "delay" && time.Since(began) < 50*time.Millisecond {
				t.Error("it did not take its time")
			}
		})
	}
}

func TestMockAgentReadsOn(t *testing.T) {
	t.Parallel()
	got := sayToMock(t, mockURL(t, "echo", 0), 5,
		`nonsense`, `{"type":"ping","t":7}`, `{"type":"unheard"}`, mockChat, strings.Replace(mockChat, "async", "sync", 1))
	for i, want := range []string{`"type":"error"`, `{"t":7,"type":"pong"}`, `"type":"error"`, `"response_type":"final"`, `"response_type":"sync"`} {
		if !json.Valid([]byte(got[i])) || !strings.Contains(got[i], want) {
			t.Errorf("answer %d = %s, want %s in it", i, got[i], want)
		}
	}
}

func TestMockAgentIsOneParleyUnderstands(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{
		"echo": "Echo: What can you help me with?", "delay": "Echo: What can you help me with?", "multi": "Answer 3 of 3: What can you help me with?", "test": "This is Parley's mock agent.", "error": "",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			a := domain.NewAgent("org", "Mock", domain.AgentWebSocket)
			a.Config, _ = json.Marshal(map[string]any{"url": mockURL(t, mode, 10*time.Millisecond)})
			got := agent.Try(t.Context(), a, agent.Deps{Outbound: &agent.Outbound{}})
			if got.OK != (want != "") || !strings.Contains(got.Response, want) {
				t.Errorf("%+v", got)
			}
			if mode == "error" && got.Error != "reported an error: this agent was told to fail" {
				t.Errorf("error = %q", got.Error)
			}
		})
	}
	for range 8 { // random picks one of the others; each of them answers
		got := sayToMock(t, mockURL(t, "random", time.Millisecond), 1, mockChat)
		if !strings.Contains(got[0], `"type":"chat_message"`) {
			t.Errorf("random said %s", got[0])
		}
	}
}

func TestMockAgentRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := make(lineWriter, 1)
	done := make(chan error, 1)
	go func() {
		done <- (&mockAgentCmd{Mode: "echo", Addr: "127.0.0.1:0"}).Run(ctx, &stdio{Out: out})
	}()
	var line string
	select {
	case line = <-out:
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	}
	_, url, ok := strings.Cut(strings.TrimSpace(line), " listens on ")
	if !ok {
		t.Fatalf("it printed %q", line)
	}
	if got := sayToMock(t, url, 1, mockChat); !strings.Contains(got[0], "Echo: hi") {
		t.Errorf("answer = %s", got[0])
	}
	if err := (&mockAgentCmd{Addr: strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/")}).Run(ctx, &stdio{Out: out}); err == nil {
		t.Error("a taken address went unnoticed")
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(3 * time.Second):
		t.Fatal("it did not stop")
	}
}

// lineWriter hands on what is written to it.
type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}
