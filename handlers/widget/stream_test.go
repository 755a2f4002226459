package widget_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// stream is a visitor's event stream.
type stream struct {
	*visitor
	in   *bufio.Scanner
	head http.Header
	stop context.CancelFunc
}

// event is one event of a stream: its id and the frame in its data.
type event struct {
	id string
	frame
}

func (v *visitor) listen(path string, header ...string) *stream {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 3*patience)
	v.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/w/"+v.Key+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	req.Header.Set("Authorization", "Bearer "+v.token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		v.t.Fatalf("%s %v", res.Status, res.Header)
	}
	in := bufio.NewScanner(res.Body)
	in.Buffer(nil, 1<<20)
	return &stream{v, in, res.Header, cancel}
}

// next is the next event; ok is false when the stream has ended.
func (s *stream) next() (e event, ok bool) {
	s.t.Helper()
	data := 0
	for s.in.Scan() {
		line := s.in.Text()
		switch {
		case strings.HasPrefix(line, "data: "):
			data++
			if err := json.Unmarshal([]byte(line[6:]), &e.frame); err != nil {
				s.t.Fatalf("%q: %v", line, err)
			}
		case strings.HasPrefix(line, "id: "):
			e.id = line[4:]
		case strings.HasPrefix(line, "id:"), strings.HasPrefix(line, "event:"):
			s.t.Fatalf("an event with %q", line)
		case line == "" && e.Type == "typing" && !e.On: // may come at any time
			e, data = event{}, 0
		case line == "" && data > 0:
			if data != 1 {
				s.t.Fatalf("an event with %d lines of data", data)
			}
			return e, true
		}
	}
	return e, false
}

func (s *stream) expect(kind, id string) frame {
	s.t.Helper()
	e, ok := s.next()
	if !ok || e.Type != kind || e.id != id {
		s.t.Fatalf("got %+v, want %s with id %q", e, kind, id)
	}
	return e.frame
}

func TestStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	s := v.listen("/events")
	if s.head.Get("Access-Control-Allow-Origin") != origin || s.head.Get("X-Accel-Buffering") != "no" || s.head.Get("Cache-Control") != "no-store" {
		t.Errorf("header %v", s.head)
	}
	if f := s.expect("session", ""); f.SessionID != string(v.id) || f.Resumed || f.Thread.ID != nil {
		t.Errorf("session %+v", f)
	}
	s.expect("status", "")
	v.post("./messages", `{"client_id":"c1","content":"one:\n:) two"}`)
	if f := s.expect("message", "1"); f.ClientID != "c1" || f.Content != "one:\n:) two" || f.Author.Kind != "visitor" {
		t.Errorf("one's own line %+v", f)
	}
	v.reply("three")
	s.expect("message", "2")
	if f := s.expect("status", ""); f.Handling != "human" {
		t.Errorf("status %+v", f)
	}
	s.expect("read", "")

	tests := []struct {
		name, query string
		header      []string
		from        int64
	}{
		{"from the start", "", nil, 1},
		{"after a cursor", "?after_seq=1", nil, 2},
		{"where the browser was", "?after_seq=0", []string{"Last-Event-ID", "1"}, 2},
		{"an id that is none", "?after_seq=1", []string{"Last-Event-ID", "x"}, 2},
		{"token in the address", "?after_seq=1&token=" + v.token, []string{"Authorization", "none"}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := v.listen("/events"+tt.query, tt.header...)
			if f := s.expect("session", ""); !f.Resumed || f.Thread.LastSeq != 2 {
				t.Errorf("session %+v", f)
			}
			s.expect("status", "")
			s.expect("read", "")
			for seq := tt.from; seq <= 2; seq++ {
				if e, ok := s.next(); !ok || e.Seq != seq || e.id != string(rune('0'+seq)) {
					t.Errorf("got %+v, want %d", e, seq)
				}
			}
		})
	}
	for _, query := range []string{"?after_seq=x", "?after_seq=-1"} {
		if a := v.get("./events" + query); a.status != 422 || a.Code != "bad_field" {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

// What changes between two polls is told with the next, once, to a client that says what it was told before.
func TestPollsTellWhatChangedBetween(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l := ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, l)
	w, other := node(t, l, f, widget.Limits{}), node(t, ledgertest.Open(t, dsn), f, widget.Limits{})
	v := w.visitor()
	v.post("./messages", `{"client_id":"c1","content":"one"}`)
	told, known := "", ""
	poll := func(from *world, after int) {
		t.Helper()
		a := (&visitor{from, v.token, v.id}).get(fmt.Sprintf("./poll?after_seq=%d&wait=0&standing=%s", after, known))
		var types []string
		for _, f := range a.Frames {
			types = append(types, f.Type)
		}
		var got struct{ Standing string }
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.Standing == "" {
			t.Fatalf("%s, %v", a.body, err)
		}
		told, known = strings.Join(types, " "), got.Standing
	}
	expect := func(when, want string) {
		t.Helper()
		if told != want {
			t.Errorf("%s: %q, want %q", when, told, want)
		}
	}
	poll(w, 0)
	expect("the first", "message status")
	poll(other, 1)
	expect("another node", "")
	if _, err := w.chat.TakeOver(t.Context(), w.User, v.thread().ID); err != nil {
		t.Fatal(err)
	}
	poll(w, 1)
	expect("a person took it over", "status")
	poll(other, 1)
	expect("once more", "")
	if _, err := w.chat.Close(t.Context(), w.User, v.thread().ID); err != nil {
		t.Fatal(err)
	}
	v.post("./messages", `{"client_id":"c2","content":"two"}`)
	poll(w, 1)
	expect("it was closed and opened again", "message status")
	if err := w.chat.Read(t.Context(), w.User, v.thread().ID, 2); err != nil {
		t.Fatal(err)
	}
	poll(other, 2)
	expect("it was read", "status read")
	poll(w, 2)
	expect("at last", "")
}

// More history than any queue holds goes out as fast as the reader takes it.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	const lines = 1500
	w.fill(v, lines)
	s, l := v.listen("/events"), v.hello(0)
	s.expect("session", "")
	s.expect("status", "")
	s.expect("read", "")
	l.expect("read")
	for seq := int64(1); seq <= lines; seq++ {
		if e, ok := s.next(); !ok || e.Seq != seq {
			t.Fatalf("stream: got %+v, want %d", e, seq)
		}
		if f := l.next(); f.Seq != seq {
			t.Fatalf("socket: got %+v, want %d", f, seq)
		}
	}
	l.quiet()
}

func TestPoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	for _, query := range []string{"?after_seq=0&wait=0", "?wait=0"} {
		if a := v.get("./poll" + query); a.status != 200 || a.body != "{\"frames\":[]}\n" {
			t.Errorf("nothing yet: %d %s", a.status, a.body)
		}
	}
	begun := time.Now()
	if a := v.get("./poll?wait=1"); a.body != "{\"frames\":[]}\n" || time.Since(begun) < time.Second {
		t.Errorf("nothing after %s: %s", time.Since(begun), a.body)
	}
	v.post("./messages", `{"client_id":"c1","content":"one"}`)
	v.post("./messages", `{"client_id":"c2","content":"two"}`)
	if a := v.get("./poll?after_seq=0"); len(a.Frames) != 2 || a.Frames[0].Seq != 1 || a.Frames[1].ClientID != "c2" {
		t.Errorf("what is there: %s", a.body)
	}
	if a := v.get("./poll?after_seq=1&wait=30"); len(a.Frames) != 1 || a.Frames[0].Seq != 2 {
		t.Errorf("after the first: %s", a.body)
	}

	poll := func(query string) <-chan answer {
		eventually(t, "the last one has gone", func() bool { return w.surface.Connections() == 0 })
		answered := make(chan answer, 1)
		go func() {
			defer close(answered)
			answered <- v.get("./poll" + query)
		}()
		eventually(t, "it waits", func() bool { return w.surface.Connections() == 1 || len(answered) == 1 })
		return answered
	}
	answered := poll("?after_seq=2")
	v.reply("three")
	if a := <-answered; len(a.Frames) != 1 || a.Frames[0].Seq != 3 || a.Frames[0].Type != "message" {
		t.Errorf("as soon as there is one: %s", a.body)
	}
	// A client that is ahead of its thread, as after a restored backup, goes on at the end of it, wherever that is when it asks.
	answered = poll("?after_seq=99")
	eventually(t, "it hears of what comes", func() bool { v.reply("more"); return len(answered) == 1 })
	if a := <-answered; len(a.Frames) == 0 || a.Frames[0].Seq < 4 || a.Frames[0].Content != "more" {
		t.Errorf("from a future cursor: %s", a.body)
	}
	end := v.thread().LastSeq
	answered = poll(fmt.Sprint("?after_seq=", end))
	eventually(t, "it hears of a change of hands", func() bool { // one before it has read how the thread stands is none
		for _, move := range []func(context.Context, domain.User, domain.ThreadID) (domain.Thread, error){w.chat.TakeOver, w.chat.Close} {
			if _, err := move(t.Context(), w.User, v.thread().ID); err != nil {
				t.Fatal(err)
			}
		}
		return len(answered) == 1
	})
	if a := <-answered; len(a.Frames) != 1 || a.Frames[0].Type != "status" {
		t.Errorf("a change of hands: %s", a.body)
	}
	for _, query := range []string{"?after_seq=x", "?after_seq=-1", "?wait=31", "?wait=-1", "?wait=long"} {
		if a := v.get("./poll" + query); a.status != 422 || a.Code != "bad_field" {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
	v.fill(v, 250)
	a := v.get(fmt.Sprint("./poll?after_seq=", end))
	if len(a.Frames) != 200 || a.Frames[199].Seq != end+200 {
		t.Errorf("a page: %d frames", len(a.Frames))
	}
}

// A client of HTTP/1.0 is told the same, by the engine that streams have whose connection cannot be taken over.
func TestStreamWithoutAWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	conn, err := net.Dial("tcp", strings.TrimPrefix(v.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(3 * patience))
	fmt.Fprintf(conn, "GET /w/%s/events HTTP/1.0\r\nOrigin: %s\r\nAuthorization: Bearer %s\r\n\r\n", v.Key, origin, v.token)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusOK || len(res.TransferEncoding) > 0 {
		t.Fatal(res, err)
	}
	s := &stream{visitor: v, in: bufio.NewScanner(res.Body), head: res.Header}
	s.expect("session", "")
	s.expect("status", "")
	v.post("./messages", `{"client_id":"c1","content":"one"}`)
	s.expect("message", "1")
	ended := make(chan struct{})
	go func() { defer close(ended); w.surface.Shutdown(t.Context()) }()
	if f := s.expect("bye", ""); f.Reason != "drain" {
		t.Errorf("%+v", f)
	}
	<-ended
}
