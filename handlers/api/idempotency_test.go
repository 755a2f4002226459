package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/parley-chat/parley/domain"
)

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := map[string]any{"name": "Shop"}
	first := w.acme.post(t, "/widgets", body, idempotencyHeader, "k1").want(t, http.StatusCreated)
	if first.header.Get(replayedHeader) != "" {
		t.Error("the first answer says it is a replay")
	}
	again := w.acme.post(t, "/widgets", body, idempotencyHeader, "k1").want(t, http.StatusCreated)
	if string(again.raw) != string(first.raw) || again.header.Get(replayedHeader) != "true" || again.header.Get("Content-Type") != first.header.Get("Content-Type") {
		t.Errorf("%v %s\nwant %s", again.header, again.raw, first.raw)
	}
	if n := len(w.acme.get(t, "/widgets").items(t)); n != 2 {
		t.Errorf("%d widgets, want 2", n)
	}
	w.acme.post(t, "/widgets", map[string]any{"name": "Other"}, idempotencyHeader, "k1").badField(t, idempotencyHeader)
	w.acme.post(t, "/agents", body, idempotencyHeader, "k1").badField(t, idempotencyHeader)
	w.acme.post(t, "/widgets", body, idempotencyHeader, strings.Repeat("k", 256)).badField(t, idempotencyHeader)
	w.acme.post(t, "/widgets", body, idempotencyHeader, "k2").want(t, http.StatusCreated)
	// A key means nothing to another organisation, and nothing but to POST.
	if a := w.rival.post(t, "/widgets", body, idempotencyHeader, "k1").want(t, http.StatusCreated); a.str("id") == first.str("id") {
		t.Error("another organisation got acme's answer")
	}
	path := Prefix + "/widgets/" + first.str("id")
	w.acme.do(t, http.MethodPatch, path, map[string]any{"name": "A"}, idempotencyHeader, "k3").want(t, http.StatusOK)
	w.acme.do(t, http.MethodPatch, path, map[string]any{"name": "B"}, idempotencyHeader, "k3").want(t, http.StatusOK).check(t, map[string]any{"name": "B"})
	// What was refused stays refused.
	bad := w.acme.post(t, "/widgets", map[string]any{}, idempotencyHeader, "k4").badField(t, "name")
	if a := w.acme.post(t, "/widgets", map[string]any{}, idempotencyHeader, "k4").badField(t, "name"); a.header.Get(replayedHeader) != "true" || string(a.raw) != string(bad.raw) {
		t.Errorf("%v %s", a.header, a.raw)
	}
	w.acme.post(t, "/widgets", strings.Repeat(" ", maxBody+1), idempotencyHeader, "k5").problem(t, http.StatusUnprocessableEntity, "too_long")
}

func TestIdempotencyKeyUnderConcurrency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/threads/" + string(w.acme.Thread) + "/messages"
	var mu sync.Mutex
	seen := map[int]int{}
	ids := map[string]bool{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			a := w.acme.post(t, path, map[string]any{"content": "Hi."}, idempotencyHeader, "k")
			mu.Lock()
			defer mu.Unlock()
			seen[a.status]++
			if a.status == http.StatusCreated {
				ids[a.str("id")] = true
			}
		})
	}
	wg.Wait()
	if seen[http.StatusCreated] == 0 || seen[http.StatusCreated]+seen[http.StatusConflict] != 20 || len(ids) != 1 {
		t.Errorf("answers %v, ids %v", seen, ids)
	}
	if n := len(w.acme.get(t, path).items(t)); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
}

// A process that dies between storing a message and remembering the answer leaves the key taken; when it is free again, the
// message must not be stored twice.
func TestIdempotencyKeyOutlivesItsMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/threads/" + string(w.acme.Thread) + "/messages"
	body := map[string]any{"content": "Hi."}
	first := w.acme.post(t, path, body, idempotencyHeader, "k").want(t, http.StatusCreated)
	if _, err := w.ledger.NewRaw("DELETE FROM idempotent_answers").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := w.acme.post(t, path, body, idempotencyHeader, "k").want(t, http.StatusOK); a.str("id") != first.str("id") {
		t.Errorf("%s\nwant %s", a.raw, first.raw)
	}
	w.acme.post(t, path, map[string]any{"content": "Bye."}, idempotencyHeader, "k2").want(t, http.StatusCreated).check(t, map[string]any{"seq": 2})
}

func TestIdempotencyKeyWhileTheFirstIsAtWork(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w := newWorld(t, func(d *Deps) {
		d.TryAgent = func(context.Context, domain.Agent) domain.AgentTest {
			once.Do(func() { close(begun) })
			<-finish
			return domain.AgentTest{OK: true}
		}
	})
	path := "/agents/" + string(w.acme.Agent) + "/test"
	var wg sync.WaitGroup
	wg.Go(func() { w.acme.post(t, path, nil, idempotencyHeader, "k") })
	<-begun
	w.acme.post(t, path, nil, idempotencyHeader, "k").problem(t, http.StatusConflict, "conflict")
	close(finish)
	wg.Wait()
	if a := w.acme.post(t, path, nil, idempotencyHeader, "k").want(t, http.StatusOK); a.header.Get(replayedHeader) != "true" {
		t.Errorf("%v", a.header)
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := New(Deps{Chat: w.chat, Account: w.account, Answers: w.ledger, Log: slog.New(slog.DiscardHandler)})
	for _, status := range []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusTooManyRequests, 0} {
		answers := []int{status, http.StatusCreated}
		h := a.idempotent(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			status := answers[0]
			answers = answers[1:]
			if status == 0 {
				panic(errors.New("a bug"))
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "done")
		}))
		send := func() (rec *httptest.ResponseRecorder) {
			defer func() { _ = recover() }() // as the program's own middleware does
			r := httptest.NewRequestWithContext(context.WithValue(t.Context(), callerKey{}, caller{org: domain.Organisation{ID: w.acme.Org}}),
				http.MethodPost, "/x", strings.NewReader("{}"))
			r.Header.Set(idempotencyHeader, "k"+http.StatusText(status))
			rec = httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			return rec
		}
		if rec := send(); status != 0 && rec.Code != status {
			t.Errorf("%d first: %d", status, rec.Code)
		}
		if rec := send(); rec.Code != http.StatusCreated {
			t.Errorf("%d second: %d %s", status, rec.Code, rec.Body)
		}
		if rec := send(); rec.Code != http.StatusCreated || rec.Header().Get(replayedHeader) != "true" || rec.Body.String() != "done" {
			t.Errorf("%d third: %d %s", status, rec.Code, rec.Body)
		}
	}
}
