package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// mockAgentCmd runs an agent to try Parley's kinds websocket, http and openai against, without any model behind it.
type mockAgentCmd struct {
	Protocol string `enum:"websocket,http,openai" default:"websocket" help:"What it speaks: websocket, http (a turn request answered with JSON) or openai (chat completions; multi uses tools)."`

	Mode  string        `enum:"echo,test,delay,error,multi,random" default:"echo" help:"How it answers: echo, test (tells what it received), delay, error, multi (three answers) or random (one of the others)."`
	Addr  string        `default:"127.0.0.1:9901" help:"Address to listen on."`
	Delay time.Duration `default:"2s" help:"How long the delay mode takes."`
}

// Run serves until ctx ends and then drops its connections.
func (c *mockAgentCmd) Run(ctx context.Context, io *stdio) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("the mock agent cannot listen: %w", err)
	}
	srv := &http.Server{
		Handler:           mockService(c.Protocol, cmp.Or(c.Mode, "echo"), c.Delay),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	fmt.Fprintf(io.Out, "mock agent (%s) listens on %s\n", c.Mode, addressFor(c.Protocol, listener.Addr().String()))
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the mock agent stopped: %w", err)
	}
	return nil
}

// mockAgent answers the frames of any number of connections, each in turn.
type mockAgent struct {
	mode  string
	delay time.Duration
}

// newMockAgent is the mock agent's handler. It takes WebSockets under every path.
func newMockAgent(mode string, delay time.Duration) http.Handler {
	return &mockAgent{mode: mode, delay: delay}
}

// mockQuestion is what the mock agent reads of a frame.
type mockQuestion struct {
	Type string          `json:"type"`
	T    json.RawMessage `json:"t,omitempty"` // of a ping
	Data struct {
		MessageID      string `json:"message_id"`
		InboxID        string `json:"inbox_id"`
		ConversationID string `json:"conversation_id"`
		Content        string `json:"content"`
		ResponseMode   string `json:"response_mode"`
		Sender         struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"sender"`
		Context struct {
			Channel    string `json:"channel"`
			Attributes struct {
				Messages []json.RawMessage `json:"messages"`
			} `json:"additional_attributes"`
		} `json:"context"`
	} `json:"data"`
}

// chosen is how the next question is answered.
func (m *mockAgent) chosen() string {
	if m.mode != "random" {
		return m.mode
	}
	all := []string{"echo", "test", "delay", "error", "multi"}
	return all[rand.IntN(len(all))]
}

func (m *mockAgent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // it holds nothing that a foreign page could take
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(1 << 20)
	for {
		_, frame, err := c.Read(r.Context())
		if err != nil {
			return
		}
		for answer := range m.answers(r.Context(), frame) {
			if err := c.Write(r.Context(), websocket.MessageText, answer); err != nil {
				return
			}
		}
	}
}

// answers yields what one frame is answered with.
func (m *mockAgent) answers(ctx context.Context, frame []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var q mockQuestion
		if err := json.Unmarshal(frame, &q); err != nil {
			yield(mockFrame("error", map[string]any{"message": "this is not a chat_message frame"}))
			return
		}
		switch q.Type {
		case "ping":
			yield(mockPong(q.T))
		case "chat_message":
			m.chat(ctx, q, yield)
		default:
			yield(mockFrame("error", map[string]any{"message": fmt.Sprintf("the type %.40q is not known here", q.Type)}))
		}
	}
}

func (m *mockAgent) chat(ctx context.Context, q mockQuestion, yield func([]byte) bool) {
	began := time.Now()
	switch m.chosen() {
	case "test":
		yield(q.answer(q.selfDescription(), true, began))
	case "error":
		yield(mockFrame("chat_message", map[string]any{
			"message_id": q.Data.MessageID, "conversation_id": q.Data.ConversationID, "content": "",
			"success": false, "error_message": "this agent was told to fail",
		}))
	case "multi":
		for n := 1; n <= 3; n++ {
			if !yield(q.answer(fmt.Sprintf("Answer %d of 3: %s", n, q.Data.Content), n == 3, began)) {
				return
			}
		}
	case "delay":
		select {
		case <-time.After(m.delay):
			yield(q.answer("Echo: "+q.Data.Content, true, began))
		case <-ctx.Done():
		}
	default:
		yield(q.answer("Echo: "+q.Data.Content, true, began))
	}
}

// selfDescription says what arrived, for people who want to see that their widget is wired up.
func (q mockQuestion) selfDescription() string {
	return fmt.Sprintf("This is Parley's mock agent. I received message %s of conversation %s in inbox %s, from %s (%s) over %s, as %s, with %d pending lines. It says: %s",
		cmp.Or(q.Data.MessageID, "(none)"), cmp.Or(q.Data.ConversationID, "(none)"), cmp.Or(q.Data.InboxID, "(none)"),
		cmp.Or(q.Data.Sender.Name, "somebody"), cmp.Or(q.Data.Sender.Type, "unknown"), cmp.Or(q.Data.Context.Channel, "an unnamed channel"),
		cmp.Or(q.Data.ResponseMode, "sync"), max(1, len(q.Data.Context.Attributes.Messages)), q.Data.Content)
}

// answer is a chat_message frame. In sync mode its only answer is of type sync, in async mode the last one is final.
func (q mockQuestion) answer(content string, final bool, began time.Time) []byte {
	kind := "partial"
	if final {
		kind = "final"
		if q.Data.ResponseMode == "sync" {
			kind = "sync"
		}
	}
	return mockFrame("chat_message", map[string]any{
		"message_id": q.Data.MessageID, "conversation_id": q.Data.ConversationID, "content": content, "response_type": kind, "success": true,
		"metadata": map[string]any{"agent_id": "mock", "processing_time_ms": time.Since(began).Milliseconds(), "confidence": 1, "is_final": final},
	})
}

func mockFrame(kind string, data map[string]any) []byte {
	return mockJSON(map[string]any{"type": kind, "data": data})
}

func mockPong(t json.RawMessage) []byte {
	pong := map[string]any{"type": "pong"}
	if t != nil {
		pong["t"] = t
	}
	return mockJSON(pong)
}

// mockJSON encodes what cannot fail to encode: maps of texts, numbers and JSON that was just decoded.
func mockJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
