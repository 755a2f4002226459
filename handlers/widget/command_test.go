package widget_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	long := strings.Repeat("ü", 4000)
	tests := []struct {
		name, body string
		status     int
		code       string
		seq        int64
	}{
		{"the first", `{"client_id":"c1","content":"  hi "}`, 201, "", 1},
		{"the first again", `{"client_id":"c1","content":"hi"}`, 200, "", 1},
		{"the first with other words", `{"client_id":"c1","content":"ho"}`, 200, "", 1},
		{"as long as can be", `{"client_id":"c2","content":"` + long + `"}`, 201, "", 2},
		{"too long", `{"client_id":"c3","content":"` + long + `!"}`, 422, "too_long", 0},
		{"blank", `{"client_id":"c3","content":" \n\t"}`, 422, "empty_content", 0},
		{"nothing", ``, 422, "bad_field", 0},
		{"no content", `{"client_id":"c3"}`, 422, "bad_field", 0},
		{"content is a number", `{"client_id":"c3","content":1}`, 422, "bad_field", 0},
		{"no id", `{"content":"hi"}`, 422, "bad_field", 0},
		{"an empty id", `{"client_id":"","content":"hi"}`, 422, "bad_field", 0},
		{"an id that is too long", `{"client_id":"` + strings.Repeat("i", 65) + `","content":"hi"}`, 422, "bad_field", 0},
		{"an id that cannot be kept", `{"client_id":"c1\u0000","content":"hi"}`, 422, "bad_field", 0},
		{"an id of which decoding leaves nothing but a mark", `{"client_id":"\ud800","content":"hi"}`, 422, "bad_field", 0},
		{"half a body", `{"client_id":`, 400, "bad_json", 0},
		{"a list", `[1]`, 400, "bad_json", 0},
		{"more than anybody reads", `{"client_id":"c3","content":"` + strings.Repeat("x", 70_000) + `"}`, 422, "too_long", 0},
		{"a file", `{"client_id":"c3","content":"hi","attachments":["f1"]}`, 422, "attachment_rejected", 0},
		{"no file", `{"client_id":"c4","content":"hi","attachments":[]}`, 201, "", 3},
		{"markup", `{"client_id":"c5","content":"<b>&amp;</b>"}`, 201, "", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := v.post("./messages", tt.body)
			if a.status != tt.status || a.Code != tt.code {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if tt.code == "" && (a.Type != "ack" || a.Seq != tt.seq || a.frame.ID == "" || a.ClientID == "" || a.Duplicate != (tt.status == 200) || a.CreatedAt == "") {
				t.Errorf("ack %s", a.body)
			}
		})
	}
	got := v.get("./messages")
	if got.LastSeq != 4 || len(got.Messages) != 4 || got.Messages[0].Content != "hi" || got.Messages[0].ClientID != "c1" || got.Messages[3].Content != "<b>&amp;</b>" {
		t.Errorf("history %s", got.body)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	if a := v.get("./messages"); a.status != 200 || a.body != "{\"messages\":[],\"last_seq\":0}\n" {
		t.Errorf("before the first word: %d %s", a.status, a.body)
	}
	for i := range 7 {
		v.post("./messages", fmt.Sprintf(`{"client_id":"c%d","content":"%d"}`, i, i))
	}
	tests := []struct {
		query       string
		status      int
		first, last int64
	}{
		{"", 200, 1, 7},
		{"?limit=3", 200, 5, 7},
		{"?limit=3&before_seq=5", 200, 2, 4},
		{"?limit=100&before_seq=2", 200, 1, 1},
		{"?before_seq=1", 200, 0, 0},
		{"?limit=0", 422, 0, 0},
		{"?limit=101", 422, 0, 0},
		{"?limit=many", 422, 0, 0},
		{"?before_seq=-1", 422, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			a := v.get("./messages" + tt.query)
			if a.status != tt.status || tt.status == 422 && a.Code != "bad_field" || tt.status == 200 && a.LastSeq != 7 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			var first, last int64
			for i, m := range a.Messages {
				if i == 0 {
					first = m.Seq
				}
				last = m.Seq
				if m.Seq != first+int64(i) || m.Type != "message" || m.Author.Kind != "visitor" {
					t.Errorf("message %d is %+v", i, m)
				}
			}
			if first != tt.first || last != tt.last {
				t.Errorf("got %d..%d, want %d..%d", first, last, tt.first, tt.last)
			}
		})
	}
}

func TestLimitsOfAWidget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	tests := []struct {
		column string
		code   string
	}{{"rate_messages", "rate_limited"}, {"daily_cap", "daily_cap"}}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			ledgertest.Set(t, w.ledger, "widgets", w.Widget, "rate_window_secs", 60)
			ledgertest.Set(t, w.ledger, "widgets", w.Widget, tt.column, 2)
			defer ledgertest.Set(t, w.ledger, "widgets", w.Widget, tt.column, 1000)
			v := w.visitor()
			l := v.hello(0)
			l.write("c1", "one")
			l.expect("ack")
			v.post("./messages", `{"client_id":"c2","content":"two"}`)
			l.expect("message")
			if a := v.post("./messages", `{"client_id":"c3","content":"three"}`); a.status != 429 || a.Code != tt.code || a.header.Get("Retry-After") == "" {
				t.Errorf("by request: %d %s %v", a.status, a.body, a.header)
			}
			l.write("c3", "three")
			if f := l.expect("error"); f.Code != tt.code || f.ClientID != "c3" || f.RetryAfterMS <= 0 || f.Message == "" {
				t.Errorf("by socket: %+v", f)
			}
			if a := v.post("./messages", `{"client_id":"c2","content":"two"}`); a.status != 200 {
				t.Errorf("what is stored is not counted again: %d %s", a.status, a.body)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	v.post("./messages", `{"client_id":"c1","content":"hi"}`)
	v.reply("hello")
	tests := []struct {
		name, path, body string
		status           int
		code             string
	}{
		{"typing", "./typing", `{"on":true}`, 204, ""},
		{"typing nothing", "./typing", ``, 422, "bad_field"},
		{"typing a word", "./typing", `{"on":"yes"}`, 422, "bad_field"},
		{"read", "./read", `{"seq":2}`, 204, ""},
		{"read further than there is", "./read", `{"seq":99}`, 204, ""},
		{"read below", "./read", `{"seq":-1}`, 422, "bad_field"},
		{"read a word", "./read", `{"seq":"2"}`, 422, "bad_field"},
		{"rating", "./rating", `{"score":5,"comment":"good"}`, 204, ""},
		{"rating without words", "./rating", `{"score":1}`, 204, ""},
		{"no stars", "./rating", `{"score":0}`, 422, "bad_field"},
		{"six stars", "./rating", `{"score":6}`, 422, "bad_field"},
		{"half a star", "./rating", `{"score":4.5}`, 422, "bad_field"},
		{"page", "./page", `{"url":"https://site.example/cart","title":"Cart"}`, 204, ""},
		{"page that is none", "./page", `{"url":"javascript:alert(1)"}`, 422, "bad_field"},
		{"page without an address", "./page", `{"title":"Cart"}`, 422, "bad_field"},
		{"handoff", "./handoff", ``, 204, ""},
		{"handoff again", "./handoff", `{}`, 204, ""},
		{"handoff of half a body", "./handoff", `{`, 400, "bad_json"},
		{"form", "./form", `{"fields":{"name":"Ann","email":"ann@site.example","phone":"+1 555"}}`, 204, ""},
		{"form with nothing", "./form", `{"fields":{}}`, 422, "bad_field"},
		{"form with a number", "./form", `{"fields":{"name":1}}`, 422, "bad_field"},
		{"identity nobody signed", "./identify", `{"identity":{"user_id":"u1","timestamp":1,"signature":"00"}}`, 403, "identity_invalid"},
		{"identity without one", "./identify", `{}`, 422, "bad_field"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := v.post(tt.path, tt.body)
			if a.status != tt.status || a.Code != tt.code || tt.status == 204 && a.body != "" || a.header.Get("Access-Control-Allow-Origin") != origin {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	thread := v.thread()
	if thread.VisitorRead != 2 || thread.Handling != domain.HandlingHuman {
		t.Errorf("afterwards %+v", thread)
	}
	contact, err := w.chat.Contact(t.Context(), w.Org, thread.ContactID)
	if err != nil || contact.Name != "Ann" || contact.Email != "ann@site.example" || contact.Phone != "+1 555" {
		t.Errorf("contact %+v, %v", contact, err)
	}
	visit, err := w.chat.LastVisit(t.Context(), w.Org, thread.ContactID)
	if err != nil || visit.Page.URL != "https://site.example/cart" || visit.Page.Title != "Cart" {
		t.Errorf("visit %+v, %v", visit, err)
	}
}

// An outage of the database is no end of anything: what could not be stored may be said again.
func TestTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	l := v.hello(0)
	comeBack := takeAway(t, w.ledger)
	if a := v.post("./messages", `{"client_id":"c1","content":"hi"}`); a.status != 503 || a.Code != "unavailable" || a.header.Get("Retry-After") == "" || a.Detail == "" {
		t.Errorf("by request: %d %s", a.status, a.body)
	}
	l.write("c1", "hi")
	if f := l.expect("error"); f.Code != "unavailable" || f.ClientID != "c1" || f.RetryAfterMS <= 0 {
		t.Errorf("by socket: %+v", f)
	}
	comeBack()
	eventually(t, "the line is stored", func() bool {
		l.write("c1", "hi")
		f := l.next()
		return f.Type == "ack" && f.Seq == 1
	})
	v.reply("hello")
	for f := l.next(); f.Type != "message" || f.Seq != 2; f = l.next() {
		if f.Type != "status" && f.Type != "read" && f.Type != "typing" {
			t.Errorf("unasked: %+v", f)
		}
	}
}

// takeAway makes a ledger's database refuse everybody until the returned function is called.
func takeAway(t *testing.T, l *ledger.Ledger) (comeBack func()) {
	t.Helper()
	cfg := l.ConnConfig()
	name := cfg.Database
	cfg.Database = "postgres"
	admin, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	exec := func(sql string) {
		if _, err := admin.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	back := sync.OnceFunc(func() { exec("ALTER DATABASE " + name + " ALLOW_CONNECTIONS true") })
	t.Cleanup(back)
	exec("ALTER DATABASE " + name + " ALLOW_CONNECTIONS false")
	exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name + "'")
	return back
}
