package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The mock agent as an HTTP service and as a language model: what the kinds http and openai connect to.

// mockService is the mock agent that speaks a protocol.
func mockService(protocol, mode string, delay time.Duration) http.Handler {
	switch protocol {
	case "http":
		return http.HandlerFunc((&mockAgent{mode: mode, delay: delay}).serveHTTPKind)
	case "openai":
		return http.HandlerFunc((&mockAgent{mode: mode, delay: delay}).serveModel)
	}
	return newMockAgent(mode, delay)
}

// addressFor is the address an agent of the protocol's kind is given.
func addressFor(protocol, listening string) string {
	switch protocol {
	case "http":
		return "http://" + listening + "/"
	case "openai":
		return "http://" + listening + "/v1"
	}
	return "ws://" + listening + "/"
}

// pause waits for the delay mode and reports whether the caller is still there.
func (m *mockAgent) pause(r *http.Request) bool {
	select {
	case <-time.After(m.delay):
		return true
	case <-r.Context().Done():
		return false
	}
}

// serveHTTPKind answers a turn request with JSON.
func (m *mockAgent) serveHTTPKind(w http.ResponseWriter, r *http.Request) {
	var q struct {
		TurnID   string `json:"turn_id"`
		ThreadID string `json:"thread_id"`
		Channel  string `json:"channel"`
		Messages []struct {
			Seq     int64  `json:"seq"`
			Content string `json:"content"`
		} `json:"messages"`
		Pending []int64 `json:"pending"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<22)).Decode(&q); err != nil || r.Method != http.MethodPost {
		http.Error(w, "this is not a turn request", http.StatusBadRequest)
		return
	}
	var asked []string
	for _, line := range q.Messages {
		for _, seq := range q.Pending {
			if line.Seq == seq {
				asked = append(asked, line.Content)
			}
		}
	}
	question := strings.Join(asked, "\n")
	said := []string{"Echo: " + question}
	switch m.chosen() {
	case "test":
		signed := "not signed"
		if r.Header.Get("X-Parley-Signature") != "" {
			signed = "signed"
		}
		said = []string{fmt.Sprintf("This is Parley's mock agent. I received turn %s of thread %s over %s, %s, with %d lines of which %d are pending. It says: %s",
			cmp.Or(q.TurnID, "(none)"), cmp.Or(q.ThreadID, "(none)"), cmp.Or(q.Channel, "an unnamed channel"), signed, len(q.Messages), len(q.Pending), question)}
	case "error":
		http.Error(w, "this agent was told to fail", http.StatusInternalServerError)
		return
	case "multi":
		said = mockAnswers(question)
	case "delay":
		if !m.pause(r) {
			return
		}
	}
	var replies []map[string]any
	for _, s := range said {
		replies = append(replies, map[string]any{"content": s})
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(mockJSON(map[string]any{"replies": replies, "usage": map[string]any{"prompt_tokens": len(question) / 4, "completion_tokens": len(said[0]) / 4, "cost_usd": 0}}))
}

func mockAnswers(question string) []string {
	var all []string
	for n := 1; n <= 3; n++ {
		all = append(all, fmt.Sprintf("Answer %d of 3: %s", n, question))
	}
	return all
}

// mockPrompt is what the mock model reads of a request.
type mockPrompt struct {
	Model    string            `json:"model"`
	Tools    []json.RawMessage `json:"tools"`
	Messages []struct {
		Role    string  `json:"role"`
		Content *string `json:"content"`
	} `json:"messages"`
}

// question is the last thing a visitor said, without the circumstances that Parley puts before it.
func (p mockPrompt) question() string {
	for i := len(p.Messages) - 1; i >= 0; i-- {
		if m := p.Messages[i]; m.Role == "user" && m.Content != nil {
			parts := strings.Split(*m.Content, "\n\n")
			if strings.HasPrefix(parts[0], "[Information about this conversation") {
				parts = parts[1:]
			}
			return strings.Join(parts, "\n")
		}
	}
	return ""
}

// serveModel streams a chat completion.
func (m *mockAgent) serveModel(w http.ResponseWriter, r *http.Request) {
	var q mockPrompt
	if !strings.HasSuffix(r.URL.Path, "/chat/completions") {
		mockRefusal(w, http.StatusNotFound, "the mock model answers under /v1/chat/completions only")
		return
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<22)).Decode(&q); err != nil || len(q.Messages) == 0 {
		mockRefusal(w, http.StatusBadRequest, "this is not a chat completions request")
		return
	}
	question := q.question()
	text := "Echo: " + question
	switch m.chosen() {
	case "test":
		text = fmt.Sprintf("This is Parley's mock model. I was asked as %s, with %d messages and %d tools. It says: %s",
			cmp.Or(q.Model, "an unnamed model"), len(q.Messages), len(q.Tools), question)
	case "error":
		mockRefusal(w, http.StatusInternalServerError, "this model was told to fail")
		return
	case "multi":
		m.callTools(w, q, question)
		return
	case "delay":
		if !m.pause(r) {
			return
		}
	}
	s := mockStream{w}
	for word := range strings.SplitAfterSeq(text, " ") {
		s.chunk(map[string]any{"content": word}, nil)
	}
	s.end("stop", len(question)/4, len(text)/4)
}

// callTools sends three messages with the tool for that, then says nothing more.
func (m *mockAgent) callTools(w http.ResponseWriter, q mockPrompt, question string) {
	s := mockStream{w}
	if q.Messages[len(q.Messages)-1].Role != "tool" {
		for n, answer := range mockAnswers(question) {
			s.chunk(map[string]any{"tool_calls": []any{map[string]any{"index": n, "id": fmt.Sprintf("call_%d", n), "type": "function",
				"function": map[string]any{"name": "send_webchat_reply", "arguments": string(mockJSON(map[string]any{"content": answer}))}}}}, nil)
		}
		s.end("tool_calls", len(question)/4, len(question))
		return
	}
	s.end("stop", len(question)/4, 1)
}

func mockRefusal(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(mockJSON(map[string]any{"error": map[string]any{"message": words}}))
}

// mockStream writes the chunks of a completion.
type mockStream struct{ w http.ResponseWriter }

func (s mockStream) chunk(delta map[string]any, finish any) {
	s.send(string(mockJSON(map[string]any{"object": "chat.completion.chunk", "model": "mock", "choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}}})))
}

func (s mockStream) end(finish string, in, out int) {
	s.chunk(map[string]any{}, finish)
	s.send(string(mockJSON(map[string]any{"object": "chat.completion.chunk", "choices": []any{}, "usage": map[string]any{"prompt_tokens": in, "completion_tokens": out}})))
	s.send("[DONE]")
}

func (s mockStream) send(data string) {
	s.w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(s.w, "data: %s\n\n", data)
	_ = http.NewResponseController(s.w).Flush()
}
