package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

const somebody = "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"

func TestPlan(t *testing.T) {
	t.Parallel()
	const agent, waiting, human, closed = domain.HandlingAgent, domain.HandlingWaiting, domain.HandlingHuman, domain.HandlingClosed
	every := []domain.Handling{agent, waiting, human, closed}
	tests := []struct {
		update string
		now    []domain.Handling
		want   move
		bad    string // the field that is wrong
	}{
		{`{}`, every, stay, ""},
		{`{"labels":["x"]}`, every, stay, ""},
		{`{"handling":"agent"}`, every, handBack, ""},
		{`{"handling":"waiting"}`, every, release, ""},
		{`{"handling":"closed"}`, every, resolve, ""},
		{`{"handling":"human"}`, []domain.Handling{agent, waiting, closed}, takeOver, ""},
		{`{"handling":"human"}`, []domain.Handling{human}, stay, ""},
		{`{"handling":"human","assignee":null}`, every, takeOver, ""},
		{`{"handling":"human","assignee":"ID"}`, every, takeOver, ""},
		{`{"assignee":"ID"}`, every, takeOver, ""},
		{`{"assignee_id":"ID"}`, every, takeOver, ""},
		{`{"assignee":null}`, []domain.Handling{human}, release, ""},
		{`{"assignee_id":null}`, []domain.Handling{human}, release, ""},
		{`{"assignee":null}`, []domain.Handling{agent, waiting, closed}, stay, ""},
		{`{"status":"closed"}`, every, resolve, ""},
		{`{"status":"closed","handling":"closed","assignee":null}`, every, resolve, ""},
		{`{"status":"open"}`, []domain.Handling{closed}, handBack, ""},
		{`{"status":"open"}`, []domain.Handling{agent, waiting, human}, stay, ""},
		{`{"status":"open","handling":"human"}`, []domain.Handling{agent, waiting, closed}, takeOver, ""},
		{`{"status":"open","handling":"waiting"}`, every, release, ""},
		{`{"status":"open","assignee":"ID"}`, every, takeOver, ""},
		{`{"status":"open","handling":"closed"}`, every, stay, "handling"},
		{`{"status":"closed","handling":"human"}`, every, stay, "handling"},
		{`{"status":"closed","handling":"agent"}`, every, stay, "handling"},
		{`{"status":"closed","assignee":"ID"}`, every, stay, "assignee"},
		{`{"handling":"agent","assignee":"ID"}`, every, stay, "assignee"},
		{`{"handling":"waiting","assignee_id":"ID"}`, every, stay, "assignee"},
	}
	for _, tt := range tests {
		for _, now := range tt.now {
			t.Run(string(now)+" "+tt.update, func(t *testing.T) {
				var u ThreadUpdate
				if err := json.Unmarshal([]byte(strings.ReplaceAll(tt.update, "ID", somebody)), &u); err != nil {
					t.Fatal(err)
				}
				got, err := u.plan(domain.Thread{Handling: now})
				if got != tt.want || (err != nil) != (tt.bad != "") {
					t.Fatalf("got %d, %v; want %d", got, err, tt.want)
				}
				if tt.bad != "" && domain.KindOf(err) != domain.Invalid {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

func TestUpdateThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	path := "/threads/" + string(w.acme.Thread)
	anna := string(w.acme.User.ID)
	steps := []struct {
		name     string
		body     map[string]any
		status   int
		handling string
		assignee any
	}{
		{"a program takes it", map[string]any{"handling": "human"}, 200, "human", nil},
		{"a person takes it from the program", map[string]any{"handling": "human", "assignee": anna}, 200, "human", anna},
		{"human already: it stays with her", map[string]any{"handling": "human"}, 200, "human", anna},
		{"let go", map[string]any{"assignee": nil}, 200, "waiting", nil},
		{"waiting already", map[string]any{"handling": "waiting"}, 200, "waiting", nil},
		{"an assignee alone", map[string]any{"assignee_id": anna}, 200, "human", anna},
		{"close", map[string]any{"status": "closed"}, 200, "closed", nil},
		{"closed already", map[string]any{"handling": "closed"}, 200, "closed", nil},
		{"a closed one cannot wait", map[string]any{"handling": "waiting"}, 409, "closed", nil},
		{"open", map[string]any{"status": "open"}, 200, "agent", nil},
		{"agent already", map[string]any{"handling": "agent"}, 200, "agent", nil},
		{"close and label", map[string]any{"handling": "closed", "labels": []string{"done"}}, 200, "closed", nil},
		{"a closed one taken over", map[string]any{"status": "open", "handling": "human", "assignee": anna}, 200, "human", anna},
		{"nobody of ours", map[string]any{"assignee": somebody}, 422, "human", anna},
		{"a rival's person", map[string]any{"assignee": w.rival.User.ID}, 422, "human", anna},
		{"contradiction", map[string]any{"status": "closed", "handling": "agent"}, 422, "human", anna},
		{"unknown handling", map[string]any{"handling": "robot"}, 422, "human", anna},
		{"unknown status", map[string]any{"status": "done"}, 422, "human", anna},
		{"no id", map[string]any{"assignee": "anna"}, 422, "human", anna},
		{"back", map[string]any{"handling": "agent"}, 200, "agent", nil},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			if a := w.acme.patch(t, path, s.body).want(t, s.status); s.status == http.StatusOK {
				a.check(t, map[string]any{"handling": s.handling, "assignee_id": s.assignee})
			} else if s.status == http.StatusConflict {
				a.problem(t, s.status, "conflict")
			}
			w.acme.get(t, path).check(t, map[string]any{"handling": s.handling, "assignee_id": s.assignee})
		})
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/threads/" + string(w.acme.Thread)
	many := make([]string, 51)
	for i := range many {
		many[i] = strings.Repeat("x", i%50+1) + string(rune('a'+i/50))
	}
	tests := []struct {
		name string
		set  any
		want []string // nil: refused
	}{
		{"set", []string{"vip", "billing"}, []string{"vip", "billing"}},
		{"trimmed, each once", []string{" vip ", "vip", "größe"}, []string{"vip", "größe"}},
		{"blank", []string{" "}, nil},
		{"long", []string{strings.Repeat("ä", 51)}, nil},
		{"control", []string{"a\x00b"}, nil},
		{"many", many, nil},
		{"no list", "vip", nil},
		{"none", []string{}, []string{}},
	}
	last := []string{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.acme.patch(t, path, map[string]any{"labels": tt.set})
			if tt.want == nil {
				a.badField(t, "labels")
			} else {
				a.want(t, http.StatusOK).check(t, map[string]any{"labels": tt.want, "handling": "agent"})
				last = tt.want
			}
			w.acme.get(t, path).check(t, map[string]any{"labels": last})
		})
	}
	ledgertest.Set(t, w.ledger, "threads", w.acme.Thread, "handling", "closed")
	w.acme.patch(t, path, map[string]any{"handling": "waiting", "labels": []string{"half"}}).problem(t, http.StatusConflict, "conflict")
	w.acme.get(t, path).check(t, map[string]any{"labels": last}) // refused as a whole
}
