package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

var moment = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

func TestAgentRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme.client
	made := c.post(t, "/agents", map[string]any{"name": "Echo", "kind": "websocket",
		"config": map[string]any{"url": "ws://127.0.0.1:9/x", "headers": map[string]any{"X-Token": "hush"}}}).want(t, http.StatusCreated)
	made.check(t, map[string]any{"name": "Echo", "kind": "websocket", "enabled": true, "send_mode": "autonomous", "settle_ms": 800, "max_attempts": 3,
		"config.url": "ws://127.0.0.1:9/x", "config.timeout_seconds": 30, "config.max_responses": 5, "config.headers.X-Token": "********"})
	if !moment.MatchString(made.str("created_at")) || !moment.MatchString(made.str("updated_at")) {
		t.Errorf("times: %s", made.raw)
	}
	if strings.Contains(string(made.raw), "hush") {
		t.Error("a secret is shown")
	}
	path := "/agents/" + made.str("id")
	c.get(t, path).want(t, http.StatusOK).check(t, map[string]any{"id": made.str("id"), "name": "Echo"})

	steps := []struct {
		name string
		body map[string]any
		want map[string]any
	}{
		{"zero is a value", map[string]any{"settle_ms": 0}, map[string]any{"settle_ms": 0, "name": "Echo", "max_attempts": 3, "config.url": "ws://127.0.0.1:9/x"}},
		{"false is a value", map[string]any{"enabled": false}, map[string]any{"enabled": false, "settle_ms": 0}},
		{"null leaves it", map[string]any{"name": nil, "enabled": nil}, map[string]any{"name": "Echo", "enabled": false}},
		{"unknown keys are ignored", map[string]any{"colour": "red", "send_mode": "suggest"}, map[string]any{"send_mode": "suggest", "colour": nil}},
		{"config key by key", map[string]any{"config": map[string]any{"max_responses": 2}}, map[string]any{
			"config.max_responses": 2, "config.url": "ws://127.0.0.1:9/x", "config.headers.X-Token": "********"}},
		{"what was shown can be sent back", map[string]any{"config": made.body["config"]}, map[string]any{"config.max_responses": 5, "config.headers.X-Token": "********"}},
		{"another kind", map[string]any{"kind": "builtin", "config": map[string]any{"greeting": "Hi"}}, map[string]any{"kind": "builtin", "config.greeting": "Hi", "config.url": nil}},
		{"nothing", map[string]any{}, map[string]any{"kind": "builtin", "name": "Echo"}},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			c.patch(t, path, s.body).want(t, http.StatusOK)
			c.get(t, path).want(t, http.StatusOK).check(t, s.want)
		})
	}

	if n := len(c.get(t, "/agents").want(t, http.StatusOK).items(t)); n != 2 {
		t.Errorf("%d agents, want 2", n)
	}
	if a := c.do(t, http.MethodDelete, Prefix+path, nil).want(t, http.StatusNoContent); len(a.raw) != 0 {
		t.Errorf("204 with a body: %s", a.raw)
	}
	c.get(t, path).problem(t, http.StatusNotFound, "not_found")
	c.do(t, http.MethodDelete, Prefix+path, nil).problem(t, http.StatusNotFound, "not_found")
}

func TestAgentDefaultsAndZero(t *testing.T) {
	t.Parallel()
	c := newWorld(t).acme.client
	c.post(t, "/agents", map[string]any{"name": "Ada"}).want(t, http.StatusCreated).check(t, map[string]any{"kind": "builtin", "enabled": true,
		"send_mode": "autonomous", "settle_ms": 800, "max_attempts": 3, "config": map[string]any{"min_confidence": 0.25}})
	c.post(t, "/agents", map[string]any{"name": "Ada", "settle_ms": 0, "enabled": false, "send_mode": "suggest"}).want(t, http.StatusCreated).
		check(t, map[string]any{"settle_ms": 0, "enabled": false, "send_mode": "suggest"})
}

func TestBadAgents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name  string
		body  any
		field string
	}{
		{"no name", map[string]any{}, "name"},
		{"blank name", map[string]any{"name": "  "}, "name"},
		{"name of another type", map[string]any{"name": 7}, "name"},
		{"unknown kind", map[string]any{"name": "x", "kind": "oracle"}, "kind"},
		{"unknown send mode", map[string]any{"name": "x", "send_mode": "shout"}, "send_mode"},
		{"settle too long", map[string]any{"name": "x", "settle_ms": 10001}, "settle_ms"},
		{"settle negative", map[string]any{"name": "x", "settle_ms": -1}, "settle_ms"},
		{"settle broken", map[string]any{"name": "x", "settle_ms": 1.5}, "settle_ms"},
		{"no attempt", map[string]any{"name": "x", "max_attempts": 0}, "max_attempts"},
		{"config no object", map[string]any{"name": "x", "config": "fast"}, "config"},
		{"config key", map[string]any{"name": "x", "kind": "websocket", "config": map[string]any{"url": "http://x.example"}}, "config.url"},
		{"body no object", `[]`, "body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.acme.post(t, "/agents", tt.body).badField(t, tt.field)
			if tt.name != "no name" {
				w.acme.patch(t, "/agents/"+string(w.acme.Agent), tt.body).want(t, http.StatusUnprocessableEntity)
			}
		})
	}
}

func TestTryAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/agents/" + string(w.acme.Agent) + "/test", "/agents/test/" + string(w.acme.Agent)} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w.acme.do(t, method, Prefix+path, nil).want(t, http.StatusOK).
				check(t, map[string]any{"ok": true, "connect_ms": 1.5, "first_response_ms": 2.25, "response": "I am Ada", "error": nil})
		}
	}
}

func TestAgentStatusAndReload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.acme.post(t, "/agents/reload", nil).want(t, http.StatusOK).check(t, map[string]any{"reloaded": 1})
	circuit := "closed"
	status := func(want string, lastError any) {
		t.Helper()
		for _, path := range []string{"/agents/status", Prefix + "/agents/status"} {
			a := w.acme.do(t, http.MethodGet, path, nil).want(t, http.StatusOK)
			agents, _ := a.body["agents"].([]any)
			if len(agents) != 1 {
				t.Fatalf("%s", a.raw)
			}
			(answer{raw: a.raw, body: agents[0].(map[string]any)}).check(t, map[string]any{
				"id": w.acme.Agent, "name": "Ada", "kind": "builtin", "status": want, "last_error": lastError, "circuit": circuit, "waiting": 0})
		}
	}
	status("unknown", nil)
	w.turn(t, "failed", "it fell over")
	status("failing", "it fell over")
	w.turn(t, "done", "")
	status("ok", "it fell over")
	for range domain.CircuitThreshold {
		if _, _, err := w.ledger.AgentFailed(t.Context(), w.acme.Org, w.acme.Agent, "could not connect"); err != nil {
			t.Fatal(err)
		}
	}
	circuit = "open"
	status("failing", "it fell over")
	if _, err := w.ledger.AgentAnswered(t.Context(), w.acme.Org, w.acme.Agent); err != nil {
		t.Fatal(err)
	}
	circuit = "closed"
	status("ok", "it fell over")
	ledgertest.Set(t, w.ledger, "agents", w.acme.Agent, "enabled", false)
	status("disabled", "it fell over")
	client{base: w.server.URL}.do(t, http.MethodGet, "/agents/status", nil).problem(t, http.StatusUnauthorized, "unauthorized")
}

// Without a key the only organisation there is shows how its agents do, and not why; of several, none does.
func TestAgentStatusWithoutKey(t *testing.T) {
	t.Parallel()
	w := newServerOn(t, ledgertest.New(t))
	anybody := client{base: w.server.URL}
	anybody.do(t, http.MethodGet, "/agents/status", nil).want(t, http.StatusOK).check(t, map[string]any{"agents": []any{}})

	w.acme = w.tenant(t)
	w.turn(t, "failed", "dial tcp 10.0.0.7: connection refused")
	a := anybody.do(t, http.MethodGet, "/agents/status", nil).want(t, http.StatusOK)
	agents, _ := a.body["agents"].([]any)
	if len(agents) != 1 || strings.Contains(string(a.raw), "10.0.0.7") {
		t.Fatalf("%s", a.raw)
	}
	(answer{raw: a.raw, body: agents[0].(map[string]any)}).check(t, map[string]any{
		"id": w.acme.Agent, "name": "Ada", "kind": "builtin", "status": "failing", "last_error": "a turn failed: send an API key to read why", "circuit": "closed"})
	anybody.do(t, http.MethodGet, Prefix+"/agents/status", nil).problem(t, http.StatusUnauthorized, "unauthorized")
	anybody.do(t, http.MethodGet, "/agents/status", nil, "Authorization", "Bearer nonsense").problem(t, http.StatusUnauthorized, "unauthorized")

	w.rival = w.tenant(t)
	anybody.do(t, http.MethodGet, "/agents/status", nil).problem(t, http.StatusUnauthorized, "unauthorized")
	for range openStatusPerMinute {
		a = anybody.do(t, http.MethodGet, "/agents/status", nil)
	}
	if a.problem(t, http.StatusTooManyRequests, "rate_limited"); a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// turn writes down how a turn of acme's agent ended.
func (w *world) turn(t *testing.T, status, reason string) {
	t.Helper()
	if _, err := w.ledger.NewRaw(`WITH d AS (
    INSERT INTO dispatches (id, org_id, thread_id, agent_id, status, from_seq, to_seq, first_at, due_at, created_at, updated_at)
    VALUES (gen_random_uuid(), ?0, ?1, ?2, 'done', 1, 1, now(), now(), now(), now()) RETURNING id
)
INSERT INTO turns (id, org_id, dispatch_id, thread_id, agent_id, attempt, token, epoch, to_seq, waited_ms, status, error, started_at, finished_at)
SELECT gen_random_uuid(), ?0, d.id, ?1, ?2, 1, 1, 1, 1, 0, ?3, ?4, clock_timestamp(), clock_timestamp() FROM d`,
		w.acme.Org, w.acme.Thread, w.acme.Agent, status, reason).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}
