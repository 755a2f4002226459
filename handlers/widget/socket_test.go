package widget_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/handlers/widget"
)

func TestHello(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	l := v.dial()
	if l.conn.Subprotocol() != "parley.v1" {
		t.Errorf("subprotocol %q", l.conn.Subprotocol())
	}
	for _, early := range []string{`{"type":"ping"}`, `{"type":"message","client_id":"c1","content":"hi"}`, `{"type":"typing","on":true}`} {
		l.send(websocket.MessageText, []byte(early))
		if f := l.expect("error"); f.Code != "hello_required" || strings.Contains(early, "c1") != (f.ClientID == "c1") {
			t.Errorf("%s before hello: %+v", early, f)
		}
	}
	l.say(map[string]any{"type": "hello", "after_seq": 0})
	first := l.expect("session")
	if first.SessionID != string(v.id) || first.Resumed || first.Thread.ID != nil || first.Thread.LastSeq != 0 || first.Thread.Handling != "agent" ||
		!strings.HasSuffix(first.ServerTime, "Z") || len(first.ServerTime) != len("2006-01-02T15:04:05.000Z") {
		t.Errorf("session %+v", first)
	}
	if f := l.expect("status"); f.Handling != "agent" || !f.Available || f.Assignee != nil {
		t.Errorf("status %+v", f)
	}
	l.quiet()
	l.write("c1", "hi")
	l.expect("ack")

	again := v.dial()
	again.say(map[string]any{"type": "hello", "after_seq": 1})
	if f := again.expect("session"); !f.Resumed || f.Thread.ID == nil || *f.Thread.ID != string(v.thread().ID) || f.Thread.LastSeq != 1 {
		t.Errorf("resumed %+v", f)
	}
	again.expect("status")
	again.quiet()
	again.say(map[string]any{"type": "hello", "after_seq": 0}) // from the start, on the same connection
	again.expect("session")
	again.expect("status")
	if f := again.expect("message"); f.Seq != 1 {
		t.Errorf("history %+v", f)
	}
	again.quiet()
}

func TestNoHello(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{HelloWithin: 200 * time.Millisecond})
	l := w.visitor().dial()
	l.say(map[string]any{"type": "ping"})
	if code := l.closed(); code != 4408 {
		t.Errorf("closed with %d", code)
	}
	eventually(t, "it is gone", func() bool { return w.surface.Connections() == 0 })
}

func TestUpgradeIsForThoseWhoMayEmbed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "allowed_origins", "{https://site.example}")
	v.hello(0)
	for _, from := range []http.Header{{}, {"Origin": {"https://other.example"}}, {"Origin": {"null"}}} {
		from.Set("Authorization", "Bearer "+v.token)
		_, res, err := websocket.Dial(t.Context(), w.url+"/w/"+w.Key+"/socket", &websocket.DialOptions{HTTPHeader: from, Subprotocols: []string{"parley.v1"}})
		if err == nil || res.StatusCode != http.StatusForbidden || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("from %q: %v, %v", from.Get("Origin"), res, err)
		}
	}
	if a := v.get("./socket"); a.status != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: %d", a.status)
	}
}

func TestFramesThatLeadToNothing(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	l := v.hello(0)
	l.write("c0", "hi")
	l.expect("ack")
	tests := []struct {
		frame, code, clientID string
	}{
		{``, "bad_json", ""},
		{`{`, "bad_json", ""},
		{`[]`, "bad_json", ""},
		{"\xff\xfe", "bad_json", ""},
		{strings.Repeat("[", 60_000), "bad_json", ""},
		{`{}`, "unknown_type", ""},
		{`{"type":"dance","client_id":"c1"}`, "unknown_type", "c1"},
		{`{"type":7}`, "bad_field", ""},
		{`{"type":"message","client_id":"c1","content":7}`, "bad_field", "c1"},
		{`{"type":"message","content":"hi"}`, "bad_field", ""},
		{`{"type":"message","client_id":"","content":"hi"}`, "bad_field", ""},
		{`{"type":"message","client_id":"c1","content":"   "}`, "empty_content", "c1"},
		{`{"type":"message","client_id":"c1","content":"` + strings.Repeat("x", 4001) + `"}`, "too_long", "c1"},
		{`{"type":"message","client_id":"c1","content":"hi","attachments":["f"]}`, "attachment_rejected", "c1"},
		{`{"type":"hello","after_seq":-1}`, "bad_field", ""},
		{`{"type":"typing","on":1}`, "bad_field", ""},
		{`{"type":"read","seq":"x"}`, "bad_field", ""},
		{`{"type":"rating","score":9}`, "bad_field", ""},
		{`{"type":"page","url":"nowhere"}`, "bad_field", ""},
		{`{"type":"identify","identity":{"user_id":"u1","timestamp":1,"signature":"00"}}`, "identity_invalid", ""},
	}
	for _, tt := range tests { // one after another, over one connection: none may end it
		l.send(websocket.MessageText, []byte(tt.frame))
		if f := l.expect("error"); f.Code != tt.code || f.ClientID != tt.clientID || f.Message == "" {
			t.Errorf("%.80s is answered with %+v", tt.frame, f)
		}
	}
	l.send(websocket.MessageBinary, []byte(`{"type":"ping"}`))
	if f := l.expect("error"); f.Code != "bad_json" {
		t.Errorf("a binary frame is answered with %+v", f)
	}
	l.send(websocket.MessageText, []byte(`{"type":"ping","t":{"deep":[1,2,"x"]},"more":{"a":1},"t":[3]}`))
	if f := l.expect("pong"); string(f.T) != `[3]` {
		t.Errorf("pong %s", f.T)
	}
	if got := v.thread().LastSeq; got != 1 {
		t.Errorf("%d lines are stored, want 1", got)
	}
}

func TestOversizedFrame(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	fits := v.hello(0)
	frame := `{"type":"ping","t":"` + strings.Repeat("x", 64<<10) + `"}`
	fits.send(websocket.MessageText, []byte(frame[:20]+frame[20+len(frame)-(64<<10):])) // 64 KiB exactly
	fits.expect("pong")
	for _, size := range []int{64<<10 + 1, 8 << 20} {
		l := v.hello(0)
		// The server may close before it has all of it.
		_ = l.conn.Write(t.Context(), websocket.MessageText, []byte(strings.Repeat(" ", size)))
		if code := l.closed(); code != websocket.StatusMessageTooBig {
			t.Errorf("%d bytes: closed with %d", size, code)
		}
	}
	fits.quiet()
}

func TestOwnLinesComeBackAsAcks(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	tab, other := v.hello(0), v.hello(0)
	tab.write("c1", "one")
	if f := tab.expect("ack"); f.ClientID != "c1" || f.Seq != 1 || f.Duplicate || f.ID == "" || f.CreatedAt == "" {
		t.Errorf("ack %+v", f)
	}
	if f := other.expect("message"); f.ClientID != "c1" || f.Seq != 1 || f.Author.Kind != "visitor" || f.Content != "one" || f.ID == "" {
		t.Errorf("in the other tab %+v", f)
	}
	tab.write("c1", "one")
	if f := tab.expect("ack"); f.Seq != 1 || !f.Duplicate {
		t.Errorf("again %+v", f)
	}
	other.write("c1", "one")
	if f := other.expect("ack"); f.Seq != 1 || !f.Duplicate {
		t.Errorf("again from the other tab %+v", f)
	}
	v.post("./messages", `{"client_id":"c2","content":"two"}`)
	for _, l := range []*line{tab, other} {
		if f := l.expect("message"); f.Seq != 2 || f.ClientID != "c2" {
			t.Errorf("by request %+v", f)
		}
	}
	v.reply("three")
	for _, l := range []*line{tab, other} {
		if f := l.expect("message"); f.Seq != 3 || f.Author.Kind != "human" || f.Author.Name != "Anna" || f.ClientID != "" {
			t.Errorf("a reply %+v", f)
		}
		if f := l.expect("status"); f.Handling != "human" || !f.Available || f.Assignee == nil || f.Assignee.Name != "Anna" {
			t.Errorf("status %+v", f)
		}
		if f := l.expect("read"); f.Seq != 3 {
			t.Errorf("read %+v", f)
		}
	}
	tab.quiet()
	other.quiet()

	// Somebody who comes back gets everything after their cursor, their own lines too, and then only acks again.
	back := v.dial()
	back.say(map[string]any{"type": "hello", "after_seq": 0})
	back.expect("session")
	back.expect("status")
	if f := back.expect("read"); f.Seq != 3 {
		t.Errorf("read %+v", f)
	}
	for seq := range int64(3) {
		if f := back.expect("message"); f.Seq != seq+1 {
			t.Errorf("history %+v", f)
		}
	}
	back.write("c4", "four")
	if f := back.expect("ack"); f.Seq != 4 {
		t.Errorf("ack %+v", f)
	}
	back.quiet()
}

func TestHandlingIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	l := v.hello(0)
	l.write("c1", "hi")
	l.expect("ack")
	l.say(map[string]any{"type": "handoff"})
	if f := l.expect("status"); f.Handling != "waiting" {
		t.Errorf("asked for a person: %+v", f)
	}
	if _, err := w.chat.TakeOver(t.Context(), w.User, v.thread().ID); err != nil {
		t.Fatal(err)
	}
	if f := l.expect("status"); f.Handling != "human" || f.Assignee == nil || !f.Available {
		t.Errorf("taken over: %+v", f)
	}
	if err := w.chat.Read(t.Context(), w.User, v.thread().ID, 1); err != nil {
		t.Fatal(err)
	}
	if f := l.expect("read"); f.Seq != 1 {
		t.Errorf("read: %+v", f)
	}
	ledgertest.Set(t, w.ledger, "agents", w.Agent, "enabled", false)
	if _, err := w.chat.Close(t.Context(), w.User, v.thread().ID); err != nil {
		t.Fatal(err)
	}
	if f := l.expect("status"); f.Handling != "closed" || f.Assignee != nil || f.Available {
		t.Errorf("closed, and the agent switched off: %+v", f)
	}
	l.say(map[string]any{"type": "rating", "score": 4})
	l.say(map[string]any{"type": "read", "seq": 1})
	l.write("c2", "one more thing")
	if f := l.expect("ack"); f.Seq != 2 {
		t.Errorf("reopened: %+v", f)
	}
	if f := l.expect("status"); f.Handling != "agent" {
		t.Errorf("reopened: %+v", f)
	}
	l.quiet()
}

func TestHints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	plain, rich := v.hello(0), v.hello(0, "delta", "markdown", "telepathy")
	thread := v.thread().ID
	agent := domain.Author{Kind: domain.AuthorAgent, Name: "Ada"}
	plain.say(map[string]any{"type": "typing", "on": true}) // the visitor's own, which they need not hear of
	plain.quiet()
	w.relay.Hint(relay.Hint{Thread: thread, Kind: relay.Typing, On: true, Author: agent})
	w.relay.Hint(relay.Hint{Thread: thread, Kind: relay.Delta, Author: agent, TurnID: "u1", Index: 0, Content: "He"})
	w.relay.Hint(relay.Hint{Thread: thread, Kind: relay.Typing, Author: agent})
	for _, l := range []*line{plain, rich} {
		if f := l.expect("typing"); !f.On || f.Author.Kind != "agent" || f.Author.Name != "Ada" {
			t.Errorf("typing %+v", f)
		}
		if l == rich {
			if f := l.expect("delta"); f.TurnID != "u1" || f.Index != 0 || f.Content != "He" {
				t.Errorf("delta %+v", f)
			}
		}
		if f := l.expect("typing"); f.On {
			t.Errorf("typing no more %+v", f)
		}
		l.quiet()
	}
}

func TestTypingIsToldNowAndThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	l := v.hello(0)
	heard := make(chan bool, 100)
	ready := make(chan struct{})
	go func() {
		for u, err := range w.relay.Follow(t.Context(), w.Org, v.thread().ID, 0) {
			switch {
			case err != nil:
				t.Error(err)
			case u.Standing != nil:
				close(ready)
			case u.Hint != nil:
				heard <- u.Hint.On
			}
		}
	}()
	<-ready
	for range 50 {
		l.say(map[string]any{"type": "typing", "on": true})
	}
	l.say(map[string]any{"type": "typing", "on": false})
	l.quiet()
	var told []bool
	for len(told) == 0 || told[len(told)-1] {
		select {
		case on := <-heard:
			told = append(told, on)
		case <-time.After(patience):
			t.Fatalf("only heard %v", told)
		}
	}
	if len(told) > 5 {
		t.Errorf("told %d times", len(told))
	}
}

func TestIdentifyMovesToAnotherThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	known, stranger := w.visitor(), w.visitor()
	l := known.hello(0)
	l.write("c1", "before")
	l.expect("ack")
	l.say(map[string]any{"type": "identify", "identity": json.RawMessage(w.signed("u1", "Ann"))}) // first seen: the thread stays
	l.write("c2", "after")
	if f := l.expect("ack"); f.Seq != 2 {
		t.Errorf("ack %+v", f)
	}
	l.quiet()

	s := stranger.hello(0)
	s.write("c1", "elsewhere")
	s.expect("ack")
	s.say(map[string]any{"type": "identify", "identity": json.RawMessage(w.signed("u1", "Ann"))})
	if f := s.expect("session"); f.Thread.ID == nil || *f.Thread.ID != string(known.thread().ID) || f.Thread.LastSeq != 3 || !f.Resumed {
		t.Errorf("session %+v", f)
	}
	s.expect("status")
	if f := l.expect("message"); f.Seq != 3 || f.Content != "elsewhere" {
		t.Errorf("the first browser hears of what came along %+v", f)
	}
	for i, want := range []string{"before", "after", "elsewhere"} {
		if f := s.expect("message"); f.Seq != int64(i+1) || f.Content != want {
			t.Errorf("history %+v", f)
		}
	}
	s.write("c2", "together")
	if f := s.expect("ack"); f.Seq != 4 {
		t.Errorf("ack %+v", f)
	}
	s.write("c1", "elsewhere") // its first acknowledgement was lost
	if f := s.expect("ack"); f.Seq != 3 || !f.Duplicate {
		t.Errorf("ack of a line from before %+v", f)
	}
	if f := l.expect("message"); f.Seq != 4 || f.Content != "together" {
		t.Errorf("the first browser hears %+v", f)
	}
	s.quiet()
}

// TestOtherTabsFollowToTheJoinedThread: whoever did not say who they are, but shares the session with who did.
func TestOtherTabsFollowToTheJoinedThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	known, stranger := w.visitor(), w.visitor()
	l := known.hello(0)
	l.write("k1", "known")
	l.expect("ack")
	l.say(map[string]any{"type": "identify", "identity": json.RawMessage(w.signed("u1", "Ann"))})
	l.quiet()

	tab, other := stranger.hello(0), stranger.hello(0)
	tab.write("s1", "stub")
	tab.expect("ack")
	other.expect("message")
	stream := stranger.listen("/events")
	stream.expect("session", "")
	stream.expect("status", "")
	stream.expect("message", "1")
	polled := make(chan answer, 1)
	go func() { polled <- stranger.get("./poll?after_seq=1&wait=30") }()
	eventually(t, "everybody is connected", func() bool { return w.surface.Connections() == 5 })

	tab.say(map[string]any{"type": "identify", "identity": json.RawMessage(w.signed("u1", "Ann"))})
	for name, next := range map[string]func() frame{"socket": other.next, "stream": func() frame { e, _ := stream.next(); return e.frame }} {
		if f := next(); f.Type != "session" || f.Thread.ID == nil || *f.Thread.ID != string(known.thread().ID) {
			t.Errorf("%s: %+v", name, f)
		}
		if f := next(); f.Type != "status" {
			t.Errorf("%s: %+v", name, f)
		}
		for i, want := range []string{"known", "stub"} {
			if f := next(); f.Seq != int64(i+1) || f.Content != want {
				t.Errorf("%s: %+v, want %s", name, f, want)
			}
		}
	}
	if a := <-polled; !strings.Contains(a.body, `"session"`) || !strings.Contains(a.body, string(known.thread().ID)) {
		t.Errorf("poll: %s", a.body)
	}
	other.write("s2", "on")
	if f := other.expect("ack"); f.Seq != 3 {
		t.Errorf("ack %+v", f)
	}
	if a := stranger.get("./messages"); !strings.Contains(a.body, `"last_seq":3`) {
		t.Errorf("history: %s", a.body)
	}
}

func TestTooManyFrames(t *testing.T) {
	t.Parallel()
	l := newWorld(t, widget.Limits{Frames: 10}).visitor().hello(0)
	for range 40 {
		l.say(map[string]any{"type": "ping"})
	}
	l.write("c1", "hi")
	var refused, pongs int
	for {
		f := l.next()
		switch {
		case f.Type == "pong":
			pongs++
		case f.Type == "error" && f.Code == "rate_limited" && f.RetryAfterMS > 0:
			refused++
		default:
			t.Fatalf("%+v", f)
		}
		if f.ClientID == "c1" {
			break
		}
	}
	if pongs < 10 || pongs > 35 || pongs+refused != 41 {
		t.Errorf("%d answered, %d refused", pongs, refused)
	}
}
