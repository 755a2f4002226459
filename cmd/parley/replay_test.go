package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/replay"
)

// openLedger is the database behind a server, for what a test has to see or do by hand.
func openLedger(t testing.TB, e env) *ledger.Ledger {
	t.Helper()
	seal, err := ledger.NewSealer(ledgertest.Secret)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), e["DATABASE_URL"], ledger.Options{Sealer: seal})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// fakeModel is a language model that gives every request to say.
func fakeModel(t testing.TB, say func(asked string) (content, tool, arguments string)) *httptest.Server {
	m := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		content, tool, arguments := say(string(raw))
		message := map[string]any{"content": content}
		if tool != "" {
			message["tool_calls"] = []any{map[string]any{"index": 0, "id": "1", "type": "function", "function": map[string]any{"name": tool, "arguments": arguments}}}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": message, "finish_reason": "stop"}}})
	}))
	t.Cleanup(m.Close)
	return m
}

// modelAgent makes an agent over the API that a model speaks for.
func (s *server) modelAgent(t testing.TB, key, name string, m *httptest.Server) string {
	t.Helper()
	var made struct{ ID string }
	body := map[string]any{"name": name, "kind": "openai", "config": map[string]any{"base_url": m.URL, "model": "m", "api_key": "sk-1234567"}}
	if code := s.call(t, "POST", "/api/v1/agents", key, body, &made); code != 201 {
		t.Fatal(code)
	}
	return made.ID
}

// conversation is a thread of the demo in which the builtin agent has answered.
func (s *server) conversation(t testing.TB, key string) (v *visitor, thread string) {
	t.Helper()
	v = s.visit(t, s.demoKey(t))
	for i, q := range []string{"How long does shipping to Sweden take?", "Thank you!"} {
		if code := v.say(t, fmt.Sprint(i), q); code != 201 {
			t.Fatal(code)
		}
		v.answered(t, "agent", i+1)
	}
	var list struct{ Items []struct{ ID string } }
	s.call(t, "GET", "/api/v1/threads", key, nil, &list)
	return v, list.Items[0].ID
}

// TestReplayCommand drives the command as a build does that must fail when an agent answers worse.
func TestReplayCommand(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	key := apiKey(t, e, "demo")
	_, thread := s.conversation(t, key)
	l := openLedger(t, e)
	org, err := l.OrganisationOf(t.Context(), domain.ThreadID(thread))
	if err != nil {
		t.Fatal(err)
	}
	answer := ""
	bea := s.modelAgent(t, key, "Bea", fakeModel(t, func(string) (string, string, string) { return answer, "", "" }))
	verdict := true
	judge := s.modelAgent(t, key, "Judge", fakeModel(t, func(asked string) (string, string, string) {
		_, rest, _ := strings.Cut(asked, `\"case\":\"`)
		_, rest, _ = strings.Cut(rest, `\"case\":\"`)
		for nonce, more, found := strings.Cut(rest, `\"`); found; nonce, more, found = strings.Cut(more, `\"`) {
			if len(nonce) == 10 && strings.ToUpper(nonce) == nonce {
				return fmt.Sprintf(`{"case":%q,"equivalent":%v,"reason":"as I see it"}`, nonce, verdict), "", ""
			}
		}
		return "what?", "", ""
	}))
	file := t.TempDir() + "/instructions"
	if err := os.WriteFile(file, []byte("Be brief."), 0o600); err != nil {
		t.Fatal(err)
	}
	mark := func() {
		if _, err := replay.New(l, replay.Options{}).Mark(t.Context(), org, domain.ThreadID(thread), nil, "a test"); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name   string
		before func()
		args   string
		code   int
		says   []string // in stdout and stderr together
	}{
		{"help", nil, "replay --help", 0, []string{"--golden", "--judge", "Exit code 0"}},
		{"nothing chosen", nil, "replay", 2, []string{"--thread"}},
		{"both chosen", nil, "replay --golden --thread " + thread, 2, []string{"--thread"}},
		{"nothing golden", nil, "replay --golden", 2, []string{"no golden threads"}},
		{"no such thread", nil, "replay --thread 0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11", 2, []string{"parley: "}},
		{"no thread", nil, "replay --thread x", 2, []string{"parley: "}},
		{"as it was", nil, "replay --thread " + thread, 0, []string{"#1  same", "1 thread, 2 answers: 2 same, 0 changed"}},
		{"golden, as it was", mark, "replay --golden --org demo", 0, []string{"2 same", "0 regressions"}},
		{"no such organisation", nil, "replay --golden --org nobody", 2, []string{"parley: "}},
		{"no such agent", nil, "replay --golden --agent 0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11", 2, []string{"agent"}},
		{"no such file", nil, "replay --golden --instructions /nowhere/at/all", 2, []string{"instructions"}},
		{"instructions for an agent that has none", nil, "replay --golden --instructions " + file, 2, []string{"instructions"}},
		{"another answer", func() { answer = "No idea.\x1b[2J" }, "replay --golden --agent " + bea, 1,
			[]string{"#1  CHANGED", "? How long does shipping to Sweden take?", "+ No idea.", "\n    - ", "2 answers are not as good as before"}},
		{"as JSON", nil, "replay --golden --json --instructions " + file + " --agent " + bea, 1, []string{`"regressions":2`, `"regressed":true`}},
		{"another that will do", nil, "replay --golden --agent " + bea + " --judge " + judge, 0, []string{"judge: equivalent, as I see it", "(2 equivalent)"}},
		{"another that will not", func() { verdict = false }, "replay --golden --agent " + bea + " --judge " + judge, 1, []string{"judge: different, as I see it"}},
		{"no answer", func() { answer = "" }, "replay --thread " + thread + " --agent " + bea, 1, []string{"#1  FAILED", "failed: gave an empty answer"}},
		{"no money", func() {
			sql(t, e, "UPDATE organisations SET daily_budget_micros = 0")
			sql(t, e, "UPDATE agents SET config = config || '{\"input_cost_per_mtok\":1}'")
		},
			"replay --golden --agent " + bea, 2, []string{"budget", "could not be replayed"}},
	} {
		if step.before != nil {
			step.before()
		}
		code, out, errOut := command(t, e, "", strings.Fields(step.args)...)
		if code != step.code {
			t.Errorf("%s: exit code %d, want %d", step.name, code, step.code)
		}
		for _, text := range step.says {
			if !strings.Contains(out+errOut, text) {
				t.Errorf("%s: lacks %q:\n%s%s", step.name, text, out, errOut)
			}
		}
		if strings.Contains(out, "\x1b") {
			t.Errorf("%s: a model can steer the terminal", step.name)
		}
	}
}

// TestVisitorHearsNothingOfAReplay has a visitor's socket open while a model in a replay does all it can.
func TestVisitorHearsNothingOfAReplay(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	key := apiKey(t, e, "demo")
	v, thread := s.conversation(t, key)
	evil := s.modelAgent(t, key, "Evil", fakeModel(t, func(asked string) (string, string, string) {
		if !strings.Contains(asked, `"role":"tool"`) {
			return "", "send_webchat_reply", `{"content":"from the replay"}`
		}
		return "", "hand_off_to_human", `{"reason":"from the replay"}`
	}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, strings.Replace(s.url, "http", "ws", 1)+v.base+"/socket", &websocket.DialOptions{
		Subprotocols: []string{"parley.v1", "bearer." + v.token}, HTTPHeader: http.Header{"Origin": {s.url}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	send := func(frame map[string]any) {
		t.Helper()
		if err := wsjson.Write(ctx, socket, frame); err != nil {
			t.Fatal(err)
		}
	}
	until := func(kind string) (before []string) {
		t.Helper()
		for {
			var frame map[string]any
			if err := wsjson.Read(ctx, socket, &frame); err != nil {
				t.Fatal(err)
			}
			if frame["type"] == kind {
				return before
			}
			raw, _ := json.Marshal(frame)
			before = append(before, string(raw))
		}
	}
	send(map[string]any{"type": "hello", "after_seq": 100, "capabilities": []string{"delta"}})
	until("session")
	send(map[string]any{"type": "ping"})
	until("pong")
	everything := func() string {
		var timeline, threads struct{ Items []any }
		s.call(t, "GET", "/api/v1/threads/"+thread+"/timeline", key, nil, &timeline)
		s.call(t, "GET", "/api/v1/threads", key, nil, &threads)
		raw, _ := json.Marshal([]any{timeline, threads, v.lines(t)})
		return string(raw)
	}
	before := everything()
	code, out, errOut := command(t, e, "", "replay", "--thread", thread, "--agent", evil)
	if code != 1 || !strings.Contains(out, "+ from the replay") || !strings.Contains(out, "+ [asks for a person]") {
		t.Fatalf("the model did not get to try: %d %s%s", code, out, errOut)
	}
	send(map[string]any{"type": "ping"})
	for _, frame := range until("pong") {
		t.Errorf("the visitor got %s", frame)
	}
	if after := everything(); after != before {
		t.Errorf("the replay left\n%s\nwhere there was\n%s", after, before)
	}
}
