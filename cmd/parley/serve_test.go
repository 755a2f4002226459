package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/parley-chat/parley/domain/ledger/cluster"
)

func TestEmbeddedPostgresStartsAndFindsItsDataAgain(t *testing.T) {
	t.Parallel()
	dir, err := cluster.ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	e := env{"PARLEY_DATA_DIR": filepath.Join(dir, "data"), "PARLEY_ADDR": "127.0.0.1:0", "PARLEY_LOG": "error"}
	begun := time.Now()
	s := serve(t, e, "--demo")
	t.Logf("first start took %v", time.Since(begun))
	v := s.visit(t, s.demoKey(t))
	if code := v.say(t, "1", "How long does shipping to Sweden take?"); code != 201 {
		t.Fatal(code)
	}
	before := v.answered(t, "agent", 1)
	if len(before[1].Citations) == 0 {
		t.Error("the answer cites nothing")
	}
	begun = time.Now()
	if code := s.stop(); code != 0 {
		t.Fatalf("exit code %d: %s", code, s.out)
	}
	t.Logf("stopping took %v", time.Since(begun))
	begun = time.Now()
	v.s = serve(t, e, "--demo")
	t.Logf("second start took %v", time.Since(begun))
	if after := v.lines(t); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Fatalf("after the restart the visitor sees %v, before %v", after, before)
	}
}

func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	tests := []struct {
		name string
		set  env
		says string
	}{
		{"port taken", env{"PARLEY_ADDR": taken.Addr().String()}, "address already in use"},
		{"no such host", env{"DATABASE_URL": "postgres://127.0.0.1:1/parley"}, "cannot reach Postgres"},
		{"not a database", env{"DATABASE_URL": "://"}, "DATABASE_URL"},
		{"short secret", env{"PARLEY_SECRET": "abc"}, "PARLEY_SECRET"},
		{"bad proxies", env{"PARLEY_TRUSTED_PROXIES": "10.0.0.0/99"}, "PARLEY_TRUSTED_PROXIES"},
		{"bad outbound", env{"PARLEY_OUTBOUND": "maybe"}, "PARLEY_OUTBOUND"},
		{"bad backplane", env{"PARLEY_BACKPLANE": "redis://u:pw@h"}, "PARLEY_BACKPLANE must be postgres, or look like nats://"},
		{"bad log", env{"PARLEY_LOG": "loud"}, "PARLEY_LOG"},
		{"bad collector", env{"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"},
		{"bad collector's headers", env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_EXPORTER_OTLP_HEADERS": "token"}, "OTEL_EXPORTER_OTLP_HEADERS"},
		{"bad public URL", env{"PARLEY_PUBLIC_URL": "chat.example.com/x"}, "PARLEY_PUBLIC_URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := environment(t)
			for name, value := range tt.set {
				e[name] = value
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var out, errOut bytes.Buffer
			code := run(ctx, []string{"serve"}, e.get, nil, &out, &errOut)
			said := strings.TrimSuffix(errOut.String(), "\n")
			if code == 0 || out.Len() > 0 || strings.Contains(said, "\n") || !strings.HasPrefix(said, "parley: ") || !strings.Contains(said, tt.says) {
				t.Fatalf("exit code %d, stdout %q, stderr %q; want one line that says %q", code, out.String(), said, tt.says)
			}
		})
	}
}

func TestRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	e := environment(t)
	sql(t, e, `INSERT INTO bun_migrations (name, group_id, migrated_at) VALUES ('29990101000000', 99, now())`)
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"serve"}, e.get, nil, &out, &errOut)
	if code == 0 || strings.Count(errOut.String(), "\n") != 1 || !strings.Contains(errOut.String(), "newer") {
		t.Fatalf("exit code %d, %q", code, errOut.String())
	}
}

// TestKilledDuringATurn kills the program while an agent works on an answer. After the restart the visitor gets exactly one.
func TestKilledDuringATurn(t *testing.T) {
	t.Parallel()
	e := environment(t)
	var asked atomic.Int32
	slow := make(chan struct{}, 10)
	external := agentService(t, func(ctx context.Context, question string) string {
		if asked.Add(1) == 1 {
			slow <- struct{}{}
			<-ctx.Done() // the killed program will never read this answer
		}
		return "answer to " + question
	})
	s, kill := spawn(t, e, "--demo")
	key := apiKey(t, e, "demo")
	widget := s.bind(t, key, external)
	v := s.visit(t, widget)
	if code := v.say(t, "1", "hello"); code != 201 {
		t.Fatal(code)
	}
	<-slow
	kill()
	begun := time.Now()
	v.s, _ = spawn(t, e, "--demo")
	v.answered(t, "agent", 1)
	t.Logf("answered %v after the restart began", time.Since(begun))
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("the dead worker's turn was taken over after %v, want 20 s at most", took)
	}
	if code := v.say(t, "1", "hello"); code != 200 {
		t.Errorf("the same line again gave %d, want 200 for a duplicate", code)
	}
	v.say(t, "2", "again")
	lines := v.answered(t, "agent", 2)
	if got := contents(lines); !slices.Equal(got, []string{"hello", "answer to hello", "again", "answer to again"}) {
		t.Fatalf("the visitor sees %q", got)
	}
}

// TestDatabaseGoneForAWhile stops Postgres for ten seconds under a running server.
func TestDatabaseGoneForAWhile(t *testing.T) {
	t.Parallel()
	dir, err := cluster.ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	boot := func() *cluster.Server {
		c, err := cluster.Start(t.Context(), cluster.Config{Dir: filepath.Join(dir, "pg"), Ephemeral: true})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	db := boot()
	t.Cleanup(func() { _ = db.Stop(context.Background()) })
	e := environment(t)
	e["DATABASE_URL"], e["PARLEY_LOG"] = db.DSN(cluster.Database), "error"
	s := serve(t, e, "--demo")
	v := s.visit(t, s.demoKey(t))
	v.say(t, "1", "How long does shipping take?")
	v.answered(t, "agent", 1)

	if err := db.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	eventually(t, "a /ready that says 503", func() bool { return s.call(t, "GET", "/ready", "", nil, nil) == 503 })
	acked := 1
	for n := 2; time.Since(gone) < 10*time.Second; n++ {
		begun := time.Now()
		switch code := v.say(t, fmt.Sprint(n), "are you there?"); code {
		case 503:
		case 201:
			acked++
		default:
			t.Fatalf("a send without a database gave %d\n%s", code, s.out)
		}
		if took := time.Since(begun); took > 12*time.Second {
			t.Fatalf("a send without a database took %v", took)
		}
		time.Sleep(300 * time.Millisecond) // as a visitor who tries again
	}
	db = boot()
	eventually(t, "a /ready that says 200", func() bool { return s.call(t, "GET", "/ready", "", nil, nil) == 200 })
	back := time.Now()
	eventually(t, "a send that works again", func() bool { return v.say(t, "last", "Can I return a bag?") == 201 })
	acked++
	eventually(t, "an answer to the last line", func() bool {
		lines := v.lines(t)
		return len(lines) > 0 && lines[len(lines)-1].Author.Kind == "agent" && slices.ContainsFunc(lines, func(l line) bool { return l.ClientID == "last" })
	})
	t.Logf("answered %v after the database was back", time.Since(back))
	seen := map[string]int{}
	for i, l := range v.lines(t) {
		if l.Seq != int64(i+1) {
			t.Fatalf("line %d has seq %d", i, l.Seq)
		}
		if l.Author.Kind == "visitor" {
			seen[l.ClientID]++
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("line %s is there %d times", id, n)
		}
	}
	if len(seen) < acked {
		t.Errorf("%d lines of the visitor are there, %d were acknowledged", len(seen), acked)
	}
}

func TestStopsCleanlyWithSocketsOpen(t *testing.T) {
	t.Parallel()
	s := serve(t, environment(t), "--demo")
	v := s.visit(t, s.demoKey(t))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, strings.Replace(s.url, "http", "ws", 1)+v.base+"/socket",
		&websocket.DialOptions{Subprotocols: []string{"parley.v1", "bearer." + v.token}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	if err := wsjson.Write(ctx, c, map[string]any{"type": "hello", "after_seq": 0}); err != nil {
		t.Fatal(err)
	}
	var frame struct {
		Type, Reason string
	}
	if err := wsjson.Read(ctx, c, &frame); err != nil || frame.Type != "session" {
		t.Fatal(frame, err)
	}
	begun := time.Now()
	code := make(chan int, 1)
	go func() { code <- s.stop() }()
	for err == nil && frame.Type != "bye" {
		err = wsjson.Read(ctx, c, &frame)
	}
	if frame.Reason != "drain" {
		t.Fatalf("no bye before the end: %+v %v", frame, err)
	}
	if _, _, err = c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("closed with %v, want 1001", err)
	}
	if got := <-code; got != 0 {
		t.Fatalf("exit code %d: %s", got, s.out)
	}
	t.Logf("draining took %v", time.Since(begun))
}

// agentService is a websocket agent that answers each question at once with what answer makes of it.
func agentService(t testing.TB, answer func(ctx context.Context, question string) string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		var q struct{ Data struct{ Content string } }
		if wsjson.Read(r.Context(), c, &q) != nil {
			return
		}
		ctx := c.CloseRead(r.Context())
		_ = wsjson.Write(ctx, c, map[string]any{"content": answer(ctx, q.Data.Content), "response_type": "final", "success": true})
		_ = c.Close(websocket.StatusNormalClosure, "")
	}))
	t.Cleanup(srv.Close)
	return strings.Replace(srv.URL, "http", "ws", 1)
}

// bind makes a websocket agent and a widget for it over the API, and returns the widget's key.
func (s *server) bind(t testing.TB, apiKey, agentURL string) string {
	t.Helper()
	var made struct{ ID, Key string }
	if code := s.call(t, "POST", "/api/v1/agents", apiKey, map[string]any{
		"name": "External", "kind": "websocket", "settle_ms": 0, "config": map[string]any{"url": agentURL}}, &made); code != 201 {
		t.Fatal(code)
	}
	if code := s.call(t, "POST", "/api/v1/widgets", apiKey, map[string]any{
		"name": "Test", "agent_id": made.ID, "allowed_origins": []string{"*"}, "rate": map[string]int{"messages": 1000, "window_seconds": 60}}, &made); code != 201 {
		t.Fatal(code)
	}
	return made.Key
}

func contents(lines []line) (out []string) {
	for _, l := range lines {
		out = append(out, l.Content)
	}
	return out
}
