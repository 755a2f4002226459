package widget_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/handlers/bridge"
	"github.com/parley-chat/parley/handlers/widget"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "5") // each is many requests; the command line may ask for more
	ledgertest.Main(m)
}

const (
	patience = 10 * time.Second // for anything to happen, on a busy machine
	origin   = "https://site.example"
)

// world is a server with a widget of an organisation, on a database of its own.
type world struct {
	t       *testing.T
	ledger  *ledger.Ledger
	relay   *relay.Relay
	chat    *chat.Service
	surface *widget.Surface
	url     string // of the server
	logged  *journal
	ledgertest.Fixture
}

func newWorld(t *testing.T, limits widget.Limits) *world {
	t.Helper()
	l := ledgertest.New(t)
	return node(t, l, ledgertest.Seed(t, l), limits)
}

// node serves a fixture on a ledger; several nodes may share a database.
func node(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture, limits widget.Limits, set ...func(*widget.Deps)) *world {
	t.Helper()
	if limits.Connections == 0 {
		limits.Connections = 1000
	}
	logged := &journal{}
	log := slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r := relay.New(l, log)
	c := chat.New(l, r, log)
	deps := widget.Deps{Chat: c, Relay: r, Log: log, Demo: f.Key, Limits: limits}
	for _, f := range set {
		f(&deps)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(ctx) })
	s := widget.New(deps)
	router := chi.NewRouter()
	router.Use(fromElsewhere, middleware.ClientIPFromRemoteAddr)
	s.Routes(router)
	(&bridge.Construct{Chat: c, Log: log, Operator: s.Operator}).Routes(router)
	running.Go(func() { _ = s.Run(ctx) })
	server := httptest.NewServer(router)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		s.Shutdown(ctx)
		server.Close()
		stop()
		running.Wait()
	})
	return &world{t: t, ledger: l, relay: r, chat: c, surface: s, url: server.URL, logged: logged, Fixture: f}
}

// fromElsewhere lets requests come from another machine, as visitors do, unless they say that they do not.
func fromElsewhere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-From-Here") == "" {
			r.RemoteAddr = "203.0.113.7:4711"
		}
		next.ServeHTTP(w, r)
	})
}

// journal is a log that tests can wait for.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// eventually waits until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}

// answer is what a request came to.
type answer struct {
	status int
	header http.Header
	body   string
	frame
	Session struct {
		ID, Token string
		Resumed   bool
		ExpiresAt time.Time `json:"expires_at"`
	}
	Contact struct {
		Name, Email string
		Identified  bool
	}
	Limits   map[string]int
	Detail   string
	Errors   map[string]string
	Messages []frame
	LastSeq  int64 `json:"last_seq"`
	Frames   []frame
}

// ask makes a request to a path under the widget, as a page of the origin would. Pairs of headers follow; an empty value takes one away.
func (w *world) ask(method, path, body string, header ...string) answer {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if strings.HasPrefix(path, "./") {
		path = "/w/" + w.Key + path[1:]
	}
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(raw)}
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(raw, &a); err != nil {
			w.t.Fatalf("%s %s answers %s: %v", method, path, raw, err)
		}
	}
	return a
}

// visitor is a browser with a session.
type visitor struct {
	*world
	token string
	id    domain.SessionID
}

func (w *world) visitor() *visitor {
	w.t.Helper()
	a := w.ask(http.MethodPost, "./session", `{}`)
	if a.status != http.StatusOK {
		w.t.Fatalf("no session: %d %s", a.status, a.body)
	}
	return &visitor{w, a.Session.Token, domain.SessionID(a.Session.ID)}
}

func (v *visitor) post(path, body string) answer {
	v.t.Helper()
	return v.ask(http.MethodPost, path, body, "Authorization", "Bearer "+v.token)
}

func (v *visitor) get(path string, header ...string) answer {
	v.t.Helper()
	return v.ask(http.MethodGet, path, "", append([]string{"Authorization", "Bearer " + v.token}, header...)...)
}

// thread is the visitor's, as the ledger has it.
func (v *visitor) thread() domain.Thread {
	v.t.Helper()
	wid, err := v.chat.Widget(v.t.Context(), v.Key, origin, false)
	if err != nil {
		v.t.Fatal(err)
	}
	who, err := v.chat.Visitor(v.t.Context(), wid, v.token)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.chat.Enter(v.t.Context(), &who); err != nil {
		v.t.Fatal(err)
	}
	return who.Thread
}

// reply lets a person of the team write to the visitor.
func (v *visitor) reply(content string) {
	v.t.Helper()
	if _, _, err := v.chat.Reply(v.t.Context(), v.User, v.thread().ID, string(ledger.NewID[domain.MessageID]()), content); err != nil {
		v.t.Fatal(err)
	}
}

// frame is any frame of the server.
type frame struct {
	Type      string `json:"type"`
	Seq       int64  `json:"seq"`
	ID        string `json:"id"`
	ClientID  string `json:"client_id"`
	Duplicate bool   `json:"duplicate"`
	Author    struct{ Kind, Name string }
	Content   string `json:"content"`
	CreatedAt string `json:"created_at"`

	SessionID string `json:"session_id"`
	Resumed   bool   `json:"resumed"`
	Thread    struct {
		ID       *string
		LastSeq  int64 `json:"last_seq"`
		Handling string
	}
	ServerTime string `json:"server_time"`

	On        bool
	TurnID    string `json:"turn_id"`
	Index     int
	Handling  string
	Available bool
	Assignee  *struct{ Name string }

	Code         string
	Message      string
	RetryAfterMS int64 `json:"retry_after_ms"`
	T            json.RawMessage

	Reason           string
	ReconnectAfterMS int64 `json:"reconnect_after_ms"`
}

// line is a visitor's socket.
type line struct {
	*visitor
	conn *websocket.Conn
}

// dial opens a socket without a word.
func (v *visitor) dial() *line {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, v.url+"/w/"+v.Key+"/socket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Origin": {origin}}, Subprotocols: []string{"parley.v1", "bearer." + v.token},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	v.t.Cleanup(func() { _ = conn.CloseNow() })
	return &line{v, conn}
}

// hello opens a socket and says where it was; it returns once the server has answered.
func (v *visitor) hello(after int64, capabilities ...string) *line {
	v.t.Helper()
	l := v.dial()
	l.say(map[string]any{"type": "hello", "after_seq": after, "capabilities": capabilities})
	l.expect("session")
	l.expect("status")
	return l
}

func (l *line) say(frame any) {
	l.t.Helper()
	b, err := json.Marshal(frame)
	if err != nil {
		l.t.Fatal(err)
	}
	l.send(websocket.MessageText, b)
}

func (l *line) send(kind websocket.MessageType, b []byte) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	if err := l.conn.Write(ctx, kind, b); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) write(clientID, content string) {
	l.t.Helper()
	l.say(map[string]any{"type": "message", "client_id": clientID, "content": content})
}

func (l *line) read() (frame, error) {
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	var f frame
	_, b, err := l.conn.Read(ctx)
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	return f, err
}

// next is the next frame, whatever it is.
func (l *line) next() frame {
	l.t.Helper()
	f, err := l.read()
	if err != nil {
		l.t.Fatal(err)
	}
	return f
}

// expect is the next frame, which must be of this type. A hint that somebody has stopped to write may come at any time.
func (l *line) expect(kind string) frame {
	l.t.Helper()
	f := l.next()
	for kind != "typing" && f.Type == "typing" && !f.On {
		f = l.next()
	}
	if f.Type != kind {
		l.t.Fatalf("got %+v, want a %s frame", f, kind)
	}
	return f
}

// quiet fails if the server had anything more to say: a ping's pong comes after it.
func (l *line) quiet() {
	l.t.Helper()
	l.say(map[string]any{"type": "ping", "t": "quiet?"})
	if f := l.expect("pong"); string(f.T) != `"quiet?"` {
		l.t.Fatalf("somebody else's pong: %+v", f)
	}
}

// closed reads on until the server closes, and returns the code.
func (l *line) closed() websocket.StatusCode {
	l.t.Helper()
	for {
		if _, err := l.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}
