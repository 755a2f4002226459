package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/jackc/pgx/v5"
)

// What the database shows when a turn has come so far.
const (
	isQueued  = `SELECT EXISTS (SELECT FROM dispatches WHERE status = 'queued')`
	isRunning = `SELECT EXISTS (SELECT FROM dispatches WHERE status = 'running')`
	isSaid    = `SELECT EXISTS (SELECT FROM messages WHERE author_kind = 'agent')`
	isHeldUp  = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`
)

// TestKilledAtEveryStepOfATurn kills the program as soon as the database shows that a turn has come to a step. After the restart
// the visitor has exactly one answer, and the next line gets its own.
func TestKilledAtEveryStepOfATurn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		settle int    // ms
		first  string // what the agent does when it is asked first: answer, stall, begin (to answer, and stall) or wait (until it may answer)
		seen   string
	}{
		{"before the claim", 3000, "answer", isQueued},
		{"after the claim", 0, "stall", isRunning},
		{"in the middle of the answer", 0, "begin", isSaid},
		{"before the answer is stored", 0, "wait", isHeldUp},
		{"before the answer is announced", 0, "answer", isSaid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := environment(t)
			db, err := pgx.Connect(t.Context(), e["DATABASE_URL"])
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close(context.Background())
			asked, goOn := make(chan struct{}, 10), make(chan struct{})
			url := stallingAgent(t, tt.first, asked, goOn)
			s, kill := spawn(t, e, "--demo")
			v := s.visit(t, s.bind(t, apiKey(t, e, "demo"), url))
			if _, err := db.Exec(t.Context(), `UPDATE agents SET settle_ms = $1 WHERE name = 'External'`, tt.settle); err != nil {
				t.Fatal(err)
			}
			if code := v.say(t, "1", "hello"); code != 201 {
				t.Fatal(code)
			}
			if tt.first == "wait" { // hold the thread, so that its answer cannot be stored
				<-asked
				tx, err := db.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback(context.Background()) }()
				if _, err := tx.Exec(t.Context(), `SELECT FROM threads WHERE last_seq > 0 FOR UPDATE`); err != nil {
					t.Fatal(err)
				}
				close(goOn)
				eventually(t, tt.name, func() bool { return shows(t, tx, tt.seen) })
				kill()
				_ = tx.Rollback(t.Context())
			} else {
				if tt.first == "stall" {
					<-asked // else it would be the next program's question that is left without an answer
				}
				eventually(t, tt.name, func() bool { return shows(t, db, tt.seen) })
				kill()
			}
			v.s, _ = spawn(t, e, "--demo")
			v.answered(t, "agent", 1)
			v.say(t, "2", "again")
			got := contents(v.answered(t, "agent", 2))
			if want := []string{"hello", "answer to hello", "again", "answer to again"}; !slices.Equal(got, want) {
				t.Fatalf("the visitor sees %q", got)
			}
		})
	}
}

func shows(t *testing.T, db interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, question string) (yes bool) {
	if err := db.QueryRow(t.Context(), question).Scan(&yes); err != nil {
		t.Fatal(err)
	}
	return yes
}

// stallingAgent answers every question at once, but the first as first says.
func stallingAgent(t *testing.T, first string, asked chan<- struct{}, goOn <-chan struct{}) string {
	var questions atomic.Int32
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
		answer := map[string]any{"content": "answer to " + q.Data.Content, "response_type": "final", "success": true}
		if questions.Add(1) == 1 {
			asked <- struct{}{}
			switch first {
			case "begin":
				answer["response_type"] = "partial"
				_ = wsjson.Write(ctx, c, answer)
				<-ctx.Done()
				return
			case "stall":
				<-ctx.Done()
				return
			case "wait":
				<-goOn
			}
		}
		_ = wsjson.Write(ctx, c, answer)
		_ = c.Close(websocket.StatusNormalClosure, "")
	}))
	t.Cleanup(srv.Close)
	return strings.Replace(srv.URL, "http", "ws", 1)
}
