package widget_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

func (v *visitor) timeline() (kinds []domain.TimelineKind) {
	v.t.Helper()
	items, err := v.ledger.Timeline(v.t.Context(), v.Org, v.thread().ID)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, i := range items {
		if i.Kind == domain.FormSubmitted || i.Kind == domain.MessageReceived {
			kinds = append(kinds, i.Kind)
		}
	}
	return kinds
}

func TestForm(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	for body, field := range map[string]string{
		`{}`:                                         "fields",
		`{"fields":{"message":"   "}}`:               "fields",
		`{"fields":{"email":"nobody"}}`:              "email",
		`{"fields":{"email":"a@b"}}`:                 "email",
		`{"fields":{"email":"A <a@b.de>"}}`:          "email",
		`{"fields":{"email":"a@b.de\nBcc: x@y.de"}}`: "email",
		`{"fields":{"email":"` + strings.Repeat("a", 250) + `@b.de"}}`:            "email",
		`{"fields":{"phone":"call me"}}`:                                          "phone",
		`{"client_id":"` + strings.Repeat("c", 65) + `","fields":{"name":"Ann"}}`: "client_id",
	} {
		if a := v.post("./form", body); a.status != 422 || a.Code != "bad_field" || !strings.Contains(a.body, `"`+field+`":`) {
			t.Errorf("%.60s: %d %s, want a problem with %s", body, a.status, a.body, field)
		}
	}
	if v.thread().LastSeq != 0 || len(v.timeline()) != 0 {
		t.Error("a refused form left something")
	}
	const form = `{"client_id":"f1","fields":{"name":"Ann\u0007","email":"ann@site.example","phone":"+49 (30) 123-45","message":"Are you there?"}}`
	for range 2 { // the first answer was lost
		if a := v.post("./form", form); a.status != 204 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if th := v.thread(); th.LastSeq != 1 {
		t.Errorf("%d lines", th.LastSeq)
	}
	c, err := v.ledger.Contact(t.Context(), v.Org, v.thread().ContactID)
	if err != nil || c.Name != "Ann" || c.Email != "ann@site.example" || c.Phone != "+49 (30) 123-45" {
		t.Errorf("contact %+v %v", c, err)
	}
	for range 2 {
		if a := v.post("./form", `{"client_id":"f2","fields":{"phone":"0301234"}}`); a.status != 204 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if kinds := v.timeline(); len(kinds) != 3 {
		t.Errorf("timeline %v, want the line, its form and the second form, once each", kinds)
	}
	if a := v.post("./messages", `{"client_id":"f1","content":"Are you there?"}`); a.status != 200 {
		t.Errorf("the form's line sent again: %d %s", a.status, a.body)
	}
}

// TestRequiredContactIsEnforced: what a widget asks for is told before the first line, on every transport.
func TestRequiredContactIsEnforced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "appearance", `{"contact_info_mode":"required","collect":["name","email"]}`)
	v := w.visitor()
	l := v.hello(0)
	if a := v.post("./messages", `{"client_id":"c1","content":"hi"}`); a.status != 422 || a.Code != "bad_field" || !strings.Contains(a.body, `"email":`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	l.write("c1", "hi")
	if f := l.expect("error"); f.Code != "bad_field" || f.ClientID != "c1" {
		t.Errorf("%+v", f)
	}
	if a := v.post("./form", `{"fields":{"name":"Ann","message":"hi"}}`); a.status != 422 || !strings.Contains(a.body, `"email":`) {
		t.Errorf("half of it: %d %s", a.status, a.body)
	}
	if a := v.post("./form", `{"fields":{"name":"Ann","email":"ann@site.example"}}`); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	l.write("c1", "hi") // the socket was there before the form
	l.expect("ack")
	if a := w.visitor().post("./form", `{"fields":{"name":"Bo","email":"bo@site.example","message":"all at once"}}`); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestConfigTellsWhenPeopleAreThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "agent_id", nil)
	closed := w.ask("GET", "./config", "")
	if !strings.Contains(closed.body, `"available":false`) || !strings.Contains(closed.body, `"opens_at":null`) || !strings.Contains(closed.body, `"offline_form":false`) || !strings.Contains(closed.body, `"texts":{}`) {
		t.Errorf("without hours: %s", closed.body)
	}
	always := `[["00:00","24:00"]]`
	week := `"mon":` + always + `,"tue":` + always + `,"wed":` + always + `,"thu":` + always + `,"fri":` + always + `,"sat":` + always + `,"sun":` + always
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "hours", `{"timezone":"UTC","week":{`+week+`}}`)
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "texts", `{"away":"Shop closed"}`)
	open := w.ask("GET", "./config", "")
	if !strings.Contains(open.body, `"available":true`) || !strings.Contains(open.body, `"opens_at":null`) || !strings.Contains(open.body, `"texts":{"away":"Shop closed"}`) {
		t.Errorf("within: %s", open.body)
	}
	if open.header.Get("ETag") == closed.header.Get("ETag") {
		t.Error("the tag did not change with it")
	}
	l := w.visitor().dial()
	l.say(map[string]any{"type": "hello"})
	l.expect("session")
	if f := l.expect("status"); !f.Available {
		t.Errorf("status %+v", f)
	}
	tomorrow := strings.ToLower(time.Now().UTC().AddDate(0, 0, 1).Weekday().String()[:3])
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "hours", `{"timezone":"UTC","week":{"`+tomorrow+`":`+always+`}}`)
	if a := w.ask("GET", "./config", ""); !strings.Contains(a.body, `"available":false`) || !strings.Contains(a.body, `T00:00:00.000Z"`) {
		t.Errorf("outside: %s", a.body)
	}
}

// TestNewSessionsDoNotEscapeTheLimits: a client that opens a session for every line has as many as its address allows.
func TestNewSessionsDoNotEscapeTheLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{Lines: 3})
	refused := 0
	for range 8 {
		a := w.visitor().post("./messages", `{"client_id":"c1","content":"hi"}`)
		switch {
		case a.status == 201:
		case a.status == 429 && a.Code == "rate_limited" && a.header.Get("Retry-After") != "":
			refused++
		default:
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if refused < 2 { // a minute may end in between
		t.Errorf("%d refused", refused)
	}
	p, _ := newSmooth(t, widget.Limits{Lines: -1})
	p.play(`
		= connect
		> {"action":"create_conversation_session","requestId":"r1","agentId":"$widget"}
		<? {"type":"immediate_response","requestId":"r1","timestamp":"*ms","status":200,"message":"*","data":{"sessionId":"$session","conversationId":"*","agentId":"*","agentName":"*","userParticipantId":"*","agentParticipantId":"*"}}
		> {"action":"send_message","requestId":"r2","sessionId":"$session","message":"hi"}
		< {"type":"error","requestId":"r2","timestamp":"*ms","error":{"code":"RATE_LIMITED","message":"*"},"data":{"requestId":"r2","error":{"code":"RATE_LIMITED","message":"*"}}}`)
	rater := newWorld(t, widget.Limits{Lines: -1}).visitor()
	if a := rater.post("./rating", `{"score":5}`); a.status != 429 {
		t.Errorf("ratings without an end: %d %s", a.status, a.body)
	}
	rating := rater.hello(0)
	rating.say(map[string]any{"type": "rating", "score": 5})
	if f := rating.next(); f.Type != "error" || f.Code != "rate_limited" {
		t.Errorf("ratings without an end on a socket: %+v", f)
	}
	l := newWorld(t, widget.Limits{WidgetLines: 1}).visitor().hello(0)
	var waits bool
	for i := range 3 {
		l.write(string(rune('a'+i)), "hi")
		f := l.next()
		waits = waits || f.Type == "error" && f.Code == "rate_limited" && f.RetryAfterMS > 0 && f.ClientID != ""
	}
	if !waits {
		t.Error("the widget's own limit does not hold on sockets")
	}
	here := w.ask("POST", "./session", "{}", "X-From-Here", "yes")
	for range 5 {
		if a := w.ask("POST", "./messages", `{"client_id":"`+time.Now().String()+`","content":"hi"}`, "X-From-Here", "yes", "Authorization", "Bearer "+here.Session.Token); a.status != 201 {
			t.Errorf("from this machine: %d %s", a.status, a.body)
		}
	}
}
