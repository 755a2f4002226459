package bench

import (
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// liar is a widget that keeps its promises but for one.
type liar struct {
	lie string

	mu      sync.Mutex
	threads map[string]*[]frame
}

func (s *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/poll") { // an answer without frames would be asked for again at once
		pause(r.Context(), 10*time.Millisecond)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/w/wid_1/session" {
		token := strconv.Itoa(len(s.threads) + 1)
		s.threads[token] = &[]frame{}
		s.answer(w, http.StatusOK, map[string]any{"session": map[string]string{"token": token}})
		return
	}
	thread := s.threads[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	switch path := r.Method + " " + r.URL.Path; {
	case thread == nil:
		s.answer(w, http.StatusUnauthorized, map[string]string{"code": "session_expired"})
	case path == "GET /w/wid_1/poll":
		after, _ := strconv.Atoi(r.FormValue("after_seq"))
		tell := slices.Clone((*thread)[min(after, len(*thread)):])
		if s.lie == "skips" {
			tell = slices.DeleteFunc(tell, func(f frame) bool { return f.Seq%5 == 0 })
		}
		if s.lie == "tells the last first" {
			slices.Reverse(tell)
		}
		if s.lie == "tells twice" {
			tell = slices.Concat(tell, tell)
		}
		s.answer(w, http.StatusOK, map[string]any{"frames": tell})
	case path == "GET /w/wid_1/messages":
		s.answer(w, http.StatusOK, map[string]any{"messages": *thread, "last_seq": len(*thread)})
	case path == "POST /w/wid_1/messages":
		var m message
		if err := json.NewDecoder(r.Body).Decode(&m); err == nil {
			s.say(w, thread, m)
		}
	default:
		http.NotFound(w, r)
	}
}

func (s *liar) say(w http.ResponseWriter, thread *[]frame, m message) {
	if s.lie == "never acknowledges" && strings.Contains(m.Content, ".3]") {
		s.answer(w, http.StatusServiceUnavailable, map[string]string{"code": "unavailable"})
		return
	}
	for _, f := range *thread {
		if f.ClientID == m.ClientID && s.lie != "forgets client ids" {
			s.answer(w, http.StatusOK, frame{Type: "ack", ClientID: m.ClientID, ID: f.ID, Seq: f.Seq, Duplicate: s.lie != "acknowledges as new again"})
			return
		}
	}
	seq := int64(len(*thread) + 1)
	if s.lie == "twists words" && seq%7 == 0 {
		m.Content += "!"
	}
	add := func(kind, clientID, content string) {
		n := len(*thread) + 1
		f := frame{Type: "message", Seq: int64(n), ID: "m" + strconv.Itoa(n), ClientID: clientID, Content: content}
		f.Author.Kind = kind
		*thread = append(*thread, f)
	}
	if s.lie != "forgets lines" || seq%7 != 0 {
		add("visitor", m.ClientID, m.Content)
	}
	if s.lie != "is silent" || seq%7 != 0 {
		add("agent", "", "Echo: "+m.Content)
	}
	if s.lie == "answers twice" && seq%7 == 0 {
		add("agent", "", "Echo: "+m.Content)
	}
	s.answer(w, http.StatusCreated, frame{Type: "ack", ClientID: m.ClientID, ID: "m" + strconv.FormatInt(seq, 10), Seq: seq})
}

func (s *liar) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func TestRunFindsOutWhoLies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		lie   string
		finds Fault // empty: nothing
	}{
		{"", ""},
		{"forgets lines", Lost},
		{"skips", Lost},
		{"forgets client ids", Doubled},
		{"answers twice", Doubled},
		{"is silent", Unanswered},
		{"tells the last first", Reordered},
		{"tells twice", Doubled},
		{"twists words", Changed},
		{"acknowledges as new again", Misacked},
		{"never acknowledges", Unacknowledged},
	}
	for _, tt := range tests {
		t.Run(tt.lie, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(&liar{lie: tt.lie, threads: map[string]*[]frame{}})
			t.Cleanup(srv.Close)
			r, err := Run(t.Context(), Options{
				URLs: []string{srv.URL}, Widget: "wid_1", Visitors: 4, Messages: 200, Transport: Poll, Chaos: true, Echo: true,
				Patience: 500 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			r.Print(&out)
			if tt.finds == "" && (r.Broken() > 0 || r.Acked != 200 || r.Replies != 200 || r.Repeats == 0) || tt.finds != "" && r.Faults[tt.finds] == 0 {
				t.Errorf("want %q found:\n%s", tt.finds, &out)
			}
			if n := len(r.Violations); n > violationsShown || n == 0 && r.Broken() > 0 {
				t.Errorf("%d of %d violations are described", n, r.Broken())
			}
		})
	}
}

// TestLimitsAreHonoured has a server that takes two lines a second.
func TestLimitsAreHonoured(t *testing.T) {
	t.Parallel()
	honest := &liar{threads: map[string]*[]frame{}}
	var window time.Time
	var taken, tooSoon int
	var mu sync.Mutex
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/messages") {
			mu.Lock()
			if time.Since(window) > time.Second {
				window, taken = time.Now(), 0
			}
			taken++
			if taken > 3 {
				tooSoon++
			}
			refuse := taken > 2
			mu.Unlock()
			if refuse {
				w.Header().Set("Retry-After", "1")
				honest.answer(w, http.StatusTooManyRequests, map[string]string{"code": "rate_limited"})
				return
			}
		}
		honest.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	r, err := Run(t.Context(), Options{URLs: []string{srv.URL}, Widget: "wid_1", Visitors: 1, Messages: 5, Transport: Poll, Patience: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r.Print(&out)
	if r.Acked != 5 || r.Limited != 2 || tooSoon > 0 || r.Broken() > 0 || !strings.Contains(out.String(), "slowed this down 2 times, for up to 1 s") {
		t.Errorf("sent too soon: %d\n%s", tooSoon, &out)
	}
}

func TestInterruptedRunReports(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&liar{threads: map[string]*[]frame{}})
	t.Cleanup(srv.Close)
	ctx, interrupt := context.WithCancel(t.Context())
	o := Options{URLs: []string{srv.URL}, Widget: "wid_1", Visitors: 3, Rate: 100, Duration: time.Hour, Transport: Poll, Echo: true}
	time.AfterFunc(300*time.Millisecond, interrupt)
	r, err := Run(ctx, o)
	if err != nil || !r.Interrupted || r.Acked == 0 || r.Said != r.Acked || r.Broken() > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRefusedAtTheDoor(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		(&liar{}).answer(w, http.StatusForbidden, map[string]string{"code": "origin_not_allowed", "detail": "this page may not embed the widget"})
	}))
	t.Cleanup(srv.Close)
	_, err := Run(t.Context(), Options{URLs: []string{srv.URL}, Widget: "wid_1", Visitors: 3, Messages: 3, Transport: Socket})
	if err == nil || !strings.Contains(err.Error(), "origin_not_allowed: this page may not embed the widget") {
		t.Error(err)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	var all []time.Duration
	for n := range 200 {
		all = append(all, time.Duration(200-n)*time.Millisecond)
	}
	if got, want := latencyOf(all), (Latency{P50: 100, P95: 190, P99: 198, Max: 200}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := latencyOf(nil); got != (Latency{}) {
		t.Errorf("of nothing: %v", got)
	}
}

// TestForeignClient holds the package to the public protocol: it may import nothing of Parley.
func TestForeignClient(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"github.com/coder/websocket", "golang.org/x/sync/errgroup"}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); strings.Contains(path, ".") && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", f.Name(), path)
			}
		}
	}
}

func TestNobodyGetsThrough(t *testing.T) {
	t.Parallel()
	honest := &liar{threads: map[string]*[]frame{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/socket") {
			honest.answer(w, http.StatusServiceUnavailable, map[string]string{"code": "unavailable"})
			return
		}
		honest.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	_, err := Run(t.Context(), Options{URLs: []string{srv.URL}, Widget: "wid_1", Visitors: 2, Messages: 3, Transport: Socket, Patience: 100 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "no visitor got through") || !strings.Contains(err.Error(), "unavailable ×") {
		t.Error(err)
	}
}
