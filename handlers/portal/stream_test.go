package portal_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/views"
)

// events follows a stream in the background and counts its events by name; data is what the last of each carried.
type events struct {
	mu    sync.Mutex
	count map[string]int
	data  map[string]string
	raw   strings.Builder
	over  bool // the server has ended it
}

func (e *events) ended() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.over
}

func (e *events) of(name string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count[name]
}

func (e *events) last(name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.data[name]
}

func (b *browser) stream(path string) *events {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := (&http.Client{Jar: b.http.Jar}).Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatalf("%s: %s", path, res.Status)
	}
	e := &events{count: map[string]int{}, data: map[string]string{}}
	var reader sync.WaitGroup
	reader.Go(func() {
		data := ""
		for in := bufio.NewScanner(res.Body); in.Scan(); {
			e.mu.Lock()
			e.raw.WriteString(in.Text() + "\n")
			if d, ok := strings.CutPrefix(in.Text(), "data: "); ok {
				data = d
			}
			if name, ok := strings.CutPrefix(in.Text(), "event: "); ok {
				e.count[name]++
				e.data[name] = data
			}
			e.mu.Unlock()
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.over = true
	})
	b.t.Cleanup(func() {
		cancel()
		reader.Wait()
		res.Body.Close()
	})
	return e
}

func TestInboxStreamSaysOnlyThatSomethingChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	mine, theirs := b.stream("/inbox/stream"), eve.stream("/inbox/stream")
	eventually(t, "the first event", func() bool { return mine.of("changed") == 1 && theirs.of("changed") == 1 })
	widget := w.widget(b, "")
	v := w.visitor(widget)
	w.says(&v, "a secret line")
	eventually(t, "a new thread is told", func() bool { return mine.of("changed") == 2 })
	if _, err := w.chat.TakeOver(t.Context(), b.user, v.Thread.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a thread that changed hands is told", func() bool { return mine.of("changed") == 3 })
	theirs.mu.Lock()
	defer theirs.mu.Unlock()
	mine.mu.Lock()
	defer mine.mu.Unlock()
	if theirs.count["changed"] != 1 {
		t.Errorf("another organisation heard of it: %v", theirs.count)
	}
	if s := mine.raw.String(); strings.Contains(s, "secret") || strings.Contains(s, string(v.Thread.ID)) {
		t.Errorf("the stream says more than that:\n%s", s)
	}
}

func TestThreadStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	widget := w.widget(b, "")
	v, other := w.visitor(widget), w.visitor(widget)
	thread := w.says(&v, "Hello?")
	s := b.stream("/threads/" + string(thread) + "/stream")
	eventually(t, "what happened before the stream began is asked for", func() bool { return s.of("changed") == 1 && s.of("inbox") == 1 })
	if s.of("grown") != 0 {
		t.Error("lines that the page has are told again")
	}
	w.says(&v, "Anybody?")
	eventually(t, "a line is told", func() bool { return s.of("grown") == 1 })
	if _, err := w.chat.TakeOver(t.Context(), b.user, thread); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a change of hands is told", func() bool { return s.of("changed") >= 2 })
	before := s.of("inbox")
	w.says(&other, "Me too")
	eventually(t, "another thread's line is told as such", func() bool { return s.of("inbox") > before })
	w.chat.Types(&v, true)
	c, err := w.chat.Conversation(t.Context(), b.user.OrgID, thread)
	if err != nil {
		t.Fatal(err)
	}
	name := views.ContactName(domain.Contact{ID: c.ContactID})
	eventually(t, "a visitor who types", func() bool { return s.last("typing") == name })
	w.chat.Types(&v, false)
	eventually(t, "a visitor who stopped", func() bool { return strings.TrimSpace(s.last("typing")) == "" })
	if n := s.of("grown"); n != 1 {
		t.Errorf("one line was told %d times", n)
	}
}

// The visitor is told that somebody writes, and that they stopped.
func TestTypingEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	id := w.thread(b, "Hello?")
	path := "/threads/" + string(id)
	page := b.page(path)
	want(t, page, `data-writes="`+path+`/typing"`)
	without(t, page, `hx-post="`+path+`/typing"`)
	ctx, cancel := context.WithCancel(t.Context())
	hints := make(chan relay.Hint, 10)
	var follower sync.WaitGroup
	follower.Go(func() {
		for u, err := range w.relay.Follow(ctx, b.user.OrgID, id, 1) {
			if err != nil {
				return
			}
			if u.Hint != nil && u.Hint.Kind == relay.Typing && u.Hint.Author.Kind == domain.AuthorHuman {
				hints <- *u.Hint
			}
			if u.Standing != nil {
				select {
				case hints <- relay.Hint{}: // it listens
				default:
				}
			}
		}
	})
	t.Cleanup(follower.Wait)
	t.Cleanup(cancel)
	deadline := time.After(10 * time.Second)
	next := func() relay.Hint {
		select {
		case h := <-hints:
			return h
		case <-deadline:
			t.Fatal("never a hint")
			return relay.Hint{}
		}
	}
	next()
	for _, on := range []string{"on", ""} {
		if a := b.htmx(path+"/typing", "on", on); a.status != http.StatusNoContent {
			t.Errorf("typing %q: %d", on, a.status)
		}
		if h := next(); h.On != (on != "") {
			t.Errorf("%q is told as %+v", on, h)
		}
	}
	if a := b.post(path+"/typing", "on", ""); a.status != http.StatusSeeOther {
		t.Errorf("typing by a browser: %d", a.status)
	}
}

// Who has signed out, is gone, or has become somebody else hears no more, and their pages learn it by one last hint. Others go on.
func TestStreamsEndWithTheSignIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(w *world, b *browser) error
		look time.Duration
		to   int // what the page that asks for the list is answered then
	}{
		{"signed out here", func(_ *world, b *browser) error { b.htmx("/signout"); return nil }, time.Hour, http.StatusUnauthorized},
		{"signed in anew", func(_ *world, b *browser) error {
			b.post("/signin", "email", b.user.Email, "password", password)
			return nil
		}, time.Hour, http.StatusOK},
		{"signed out on another node", func(w *world, b *browser) error { return w.account.SignOut(t.Context(), b.cookie("parley_session")) }, 20 * time.Millisecond, http.StatusUnauthorized},
		{"unused for too long", func(w *world, b *browser) error {
			_, err := w.ledger.DB().ExecContext(t.Context(), `UPDATE portal_sessions SET expires_at = now() WHERE user_id = ?`, b.user.ID)
			return err
		}, 20 * time.Millisecond, http.StatusUnauthorized},
		{"removed", func(w *world, b *browser) error {
			_, err := w.ledger.DB().ExecContext(t.Context(), `DELETE FROM users WHERE id = ?`, b.user.ID)
			return err
		}, 20 * time.Millisecond, http.StatusUnauthorized},
		{"owner no longer", func(w *world, b *browser) error {
			_, err := w.ledger.DB().ExecContext(t.Context(), `UPDATE users SET role = 'member' WHERE id = ?`, b.user.ID)
			return err
		}, 20 * time.Millisecond, http.StatusOK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.portal.LookEvery(tt.look)
			ctx, cancel := context.WithCancel(context.Background())
			var looking sync.WaitGroup
			looking.Go(func() { _ = w.portal.Run(ctx) })
			t.Cleanup(looking.Wait)
			t.Cleanup(cancel)
			b, eve := w.owner("Acme"), w.owner("Evil")
			thread := w.thread(b, "Hello?")
			list, open, other := b.stream("/inbox/stream"), b.stream("/threads/"+string(thread)+"/stream"), eve.stream("/inbox/stream")
			eventually(t, "the streams run", func() bool {
				return list.of("changed") == 1 && open.of("inbox") == 1 && open.of("changed") == 1 && other.of("changed") == 1
			})
			if err := tt.end(w, b); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the streams end", func() bool { return list.ended() && open.ended() })
			if list.of("changed") != 2 || open.of("inbox") != 2 {
				t.Errorf("the pages heard %d and %d hints, want one last one each", list.of("changed"), open.of("inbox"))
			}
			if a := b.get("/inbox/list", "HX-Request", "true"); a.status != tt.to || tt.to == http.StatusUnauthorized && a.header.Get("HX-Redirect") == "" {
				t.Errorf("the page that asks then: %d to %q", a.status, a.header.Get("HX-Redirect"))
			}
			if other.ended() {
				t.Error("somebody else's stream ended, too")
			}
		})
	}
}

// That a page is open keeps nobody signed in.
func TestStreamsAreNoUseOfASignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.portal.LookEvery(5 * time.Millisecond)
	b := w.owner("Acme")
	s := b.stream("/inbox/stream")
	eventually(t, "the stream runs", func() bool { return s.of("changed") == 1 })
	if _, err := w.ledger.DB().ExecContext(t.Context(), `UPDATE portal_sessions SET last_seen_at = now() - interval '1 day', expires_at = now() + interval '1 second'`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	looking.Go(func() { _ = w.portal.Run(ctx) })
	t.Cleanup(looking.Wait)
	t.Cleanup(cancel)
	eventually(t, "the stream ends with the sign-in", s.ended)
}

// What a page asks for by itself keeps nobody signed in either; what somebody opens or does, does.
func TestOnlyWhatSomebodyDoesIsUseOfASignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := "/threads/" + string(w.thread(b, "Hello?"))
	aged := func() {
		t.Helper()
		if _, err := w.ledger.DB().ExecContext(t.Context(), `UPDATE portal_sessions SET last_seen_at = now() - interval '1 day'`); err != nil {
			t.Fatal(err)
		}
	}
	used := func() (used bool) {
		t.Helper()
		if err := w.ledger.DB().QueryRowContext(t.Context(), `SELECT last_seen_at > now() - interval '1 hour' FROM portal_sessions`).Scan(&used); err != nil {
			t.Fatal(err)
		}
		return used
	}
	for _, path := range []string{"/inbox/list", thread + "/messages", thread + "/timeline/items", "/golden/rows", "/knowledge/site/progress", "/team/invitations/" + string(ledger.NewID[domain.InvitationID]())} {
		aged()
		if a := b.get(path); a.status >= 300 && a.status != http.StatusNoContent || used() {
			t.Errorf("GET %s: %d, use of the sign-in: %v", path, a.status, used())
		}
	}
	aged()
	if a := b.post(thread+"/read", "seq", "1"); a.status >= 400 || used() {
		t.Errorf("a line that was read: %d, use of the sign-in: %v", a.status, used())
	}
	for _, path := range []string{"/inbox", thread, "/agents"} {
		aged()
		if b.page(path); !used() {
			t.Errorf("GET %s is no use of the sign-in", path)
		}
	}
	aged()
	if a := b.post(thread+"/note", "client_id", "n1", "body", "Seen"); a.status >= 400 || !used() {
		t.Errorf("a note: %d, use of the sign-in: %v", a.status, used())
	}
}

// The names under which members come are this server's own; those of anybody else are not.
func TestMembersTeachTheServerItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	ask := func(host string, cookies []*http.Cookie) bool {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/inbox", nil)
		r.Host = host
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w.server.Config.Handler.ServeHTTP(httptest.NewRecorder(), r)
		return w.hosts.Own(r)
	}
	at, _ := url.Parse(w.server.URL)
	if ask("evil.example", nil) {
		t.Error("a name under which nobody is signed in counts as ours")
	}
	if !ask("chat.example.com", b.http.Jar.Cookies(at)) {
		t.Error("the name that a member came under does not count as ours")
	}
}

func TestShutdownEndsStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	s := b.stream("/threads/" + string(thread) + "/stream")
	eventually(t, "the stream runs", func() bool { return s.of("inbox") == 1 })
	ended := make(chan struct{})
	go func() {
		w.portal.Shutdown()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("Shutdown waits for a stream")
	}
	if a := b.get("/inbox/stream"); a.status != http.StatusServiceUnavailable {
		t.Errorf("a stream after it: %d", a.status)
	}
	w.append(b, thread, ledger.TakeOver{User: b.user}) // nobody listens any more, and nothing is stuck
}
