package widget

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const key = "wid_0123456789abcdefghijAB"

type object = map[string]any

// fake is a server that keeps one thread and speaks as much of the protocol as a widget can hear. Its faults are switched
// on by tests.
type fake struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	config   object
	token    string
	tokens   int // sessions made so far
	thread   object
	messages []object
	lines    map[*line]bool // open connections, of whatever kind
	heard    []object       // every frame of the client, in order
	posts    []string       // paths of all requests

	refusals     []object        // answers to the next messages, instead of an ack
	loseAck      bool            // store the next message, then cut the line instead of answering
	deaf         bool            // read and say nothing
	noSocket     bool            // refuse the upgrade
	noStream     bool            // never answer the stream
	sessionFails int             // answer so many session requests with 503
	slow         <-chan struct{} // holds session requests back until it is closed
	slowTexts    <-chan struct{} // holds the German texts back until it is closed; set before the visit
	denied       string          // code of a 403 to every session request
	foreign      bool            // allow no page to read the config
	silent       bool            // take the upgrade, and never say a word
	cutAfter     bool            // end each socket as soon as it is up
	tardy        bool            // store the message of a form without telling anybody yet
	badFields    object          // complaints about the fields of the next form
	uploads      []object        // answers to the next uploads, instead of taking them: status, detail
	slowUpload   <-chan struct{} // holds uploads back until it is closed
	files        []upload
}

// hurry makes a minute or more pass in no time.
const hurry = `const wait = setTimeout; window.setTimeout = (fn, ms, ...args) => wait(fn, ms < 60000 ? ms : 20, ...args);`

// hasty shortens every wait of more than half a second, as those between attempts are, but for the tests' own patience.
const hasty = `const wait = setTimeout; window.setTimeout = (fn, ms, ...args) => wait(fn, ms > 500 && ms !== 30000 ? 500 : ms, ...args);`

// patient lets no timer of the connection's come due, so that only an event can get it going; asleep is by how much the clock has jumped.
const patient = `const wait = setTimeout, now = Date.now; window.asleep = window.held = 0; Date.now = () => now() + asleep;
window.setTimeout = (fn, ms, ...args) => (ms > 0 && ms < 500 && ms % 1) || ms === 4000 ? (held++, 0) : wait(fn, ms, ...args);`

// keyboard(height, top) leaves only that much of the page to be seen, as a keyboard on the screen does.
const keyboard = `{ const view = new EventTarget(); Object.assign(view, {height: innerHeight, offsetTop: 0, scale: 1});
Object.defineProperty(window, 'visualViewport', {value: view});
window.keyboard = (height, offsetTop) => { Object.assign(view, {height, offsetTop}); view.dispatchEvent(new Event('resize')); } }`

// ears count the notes that are played, the page's shifts and the tasks that hold it up.
const ears = `window.heard = 0; const start = OscillatorNode.prototype.start; OscillatorNode.prototype.start = function (at) { heard++; return start.call(this, at); };
window.shifts = []; new PerformanceObserver((l) => l.getEntries().forEach((e) => shifts.push(e.value))).observe({type: 'layout-shift', buffered: true});
window.tasks = []; new PerformanceObserver((l) => l.getEntries().forEach((e) => tasks.push(e.duration))).observe({type: 'longtask', buffered: true});`

// line is a connection on which the fake says frames.
type line struct {
	frames chan object
	cut    context.CancelFunc
}

func newFake(t *testing.T) *fake {
	f := &fake{
		t:      t,
		token:  "none",
		lines:  map[*line]bool{},
		thread: object{"id": nil, "last_seq": 0, "handling": "agent"},
		config: object{"available": true, "appearance": object{
			"title": "Fern & Co.", "greeting": "Hello! Ask us **anything** about your plants.", "primary_color": "#14663f",
			"text_color": "#ffffff", "position": "bottom_right", "locale": "en", "contact_info_mode": "none",
		}},
	}
	mux := http.NewServeMux()
	for _, b := range bundles(t, "open") {
		name := "/assets/widget/" + b.Name
		if b.Name == "loader.js" {
			name = "/widget.js"
		}
		mux.HandleFunc("GET "+name, func(w http.ResponseWriter, _ *http.Request) {
			if f.slowTexts != nil && b.Name == "de.js" {
				<-f.slowTexts
			}
			w.Header().Set("Content-Type", "text/javascript")
			w.Write(b.Body)
		})
	}
	f.config["chat_url"], f.config["more_url"] = "/assets/widget/chat.js", "/assets/widget/more.js"
	f.config["locale_urls"] = object{"de": "/assets/widget/de.js", "fr": "/assets/widget/fr.js", "ar": "/assets/widget/ar.js"}
	mux.HandleFunc("GET /hurry.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, hurry)
	})
	for name, script := range map[string]string{"ears": ears, "hasty": hasty, "patient": patient, "keyboard": keyboard, "stopwatch": stopwatch} {
		mux.HandleFunc("GET /"+name+".js", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, script)
		})
	}
	mux.HandleFunc("GET /demo.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "../demo/demo.js") })
	w := "/w/" + key
	mux.HandleFunc("GET "+w+"/config", f.getConfig)
	mux.HandleFunc("POST "+w+"/session", f.postSession)
	mux.HandleFunc("GET "+w+"/socket", f.socket)
	mux.HandleFunc("GET "+w+"/events", f.events)
	mux.HandleFunc("GET "+w+"/poll", f.poll)
	mux.HandleFunc("GET "+w+"/messages", f.history)
	mux.HandleFunc("POST "+w+"/messages", f.postMessage)
	mux.HandleFunc("POST "+w+"/form", f.form)
	mux.HandleFunc("POST "+w+"/attachments", f.upload)
	mux.HandleFunc("GET /files/{token}/{name}", f.file)
	mux.HandleFunc("POST "+w+"/{kind}", func(w http.ResponseWriter, r *http.Request) {
		f.hear(decode(r), r.PathValue("kind"))
		w.WriteHeader(http.StatusNoContent)
	})
	f.Server = httptest.NewServer(f.cross(mux))
	t.Cleanup(func() {
		f.hangUp()
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

// cross allows every origin, as a widget's server does for those that may embed it, and notes what is asked for.
func (f *fake) cross(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Headers", "authorization, content-type")
		h.Set("Access-Control-Expose-Headers", "Retry-After")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		f.with(func() {
			f.posts = append(f.posts, r.Method+" "+r.URL.Path)
			if f.foreign && strings.HasSuffix(r.URL.Path, "/config") {
				h.Del("Access-Control-Allow-Origin")
			}
		})
		next.ServeHTTP(w, r)
	})
}

func (f *fake) with(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *fake) answer(w http.ResponseWriter, status int, body object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func decode(r *http.Request) object {
	var o object
	json.NewDecoder(r.Body).Decode(&o) // an empty body is an empty object
	return o
}

func (f *fake) hear(frame object, kind string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if frame == nil {
		frame = object{}
	}
	if kind != "" {
		frame["type"] = kind
	}
	f.heard = append(f.heard, frame)
}

// said lists the frames of a type that the client has sent.
func (f *fake) said(kind string) []object {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.heard), func(o object) bool { return o["type"] != kind })
}

// holds reports whether a message is stored.
func (f *fake) holds(content string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.messages, func(m object) bool { return m["content"] == content })
}

func (f *fake) getConfig(w http.ResponseWriter, _ *http.Request) {
	if f.config == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	f.answer(w, http.StatusOK, f.config)
}

func (f *fake) postSession(w http.ResponseWriter, r *http.Request) {
	body := decode(r)
	f.hear(body, "session")
	var slow <-chan struct{}
	f.with(func() { slow = f.slow })
	if slow != nil {
		<-slow
	}
	var status int
	var code string
	resumed := false
	f.with(func() {
		switch {
		case f.sessionFails > 0:
			f.sessionFails--
			status, code = http.StatusServiceUnavailable, "unavailable"
		case f.denied != "":
			status, code = http.StatusForbidden, f.denied
		case body["token"] == f.token:
			resumed = true
		default:
			f.tokens++
			f.token = fmt.Sprintf("token-%d", f.tokens)
		}
	})
	if status != 0 {
		f.answer(w, status, object{"code": code, "title": "Refused", "detail": "This chat is closed to you."})
		return
	}
	f.answer(w, http.StatusOK, object{
		"session": object{"id": "s", "token": f.token, "resumed": resumed}, "thread": f.thread,
		"contact": object{"identified": false}, "limits": object{"max_message_chars": 400},
	})
}

// open registers a connection that has said hello: it gets the session frame, what it has missed, then what comes.
func (f *fake) open(after int, cut context.CancelFunc) *line {
	l := &line{frames: make(chan object, 1000), cut: cut}
	f.mu.Lock()
	defer f.mu.Unlock()
	l.frames <- object{"type": "session", "session_id": "s", "resumed": true, "thread": f.thread}
	for _, m := range f.messages {
		if m["seq"].(int) > after {
			l.frames <- m
		}
	}
	f.lines[l] = true
	return l
}

func (f *fake) drop(l *line) { f.with(func() { delete(f.lines, l) }) }

func (f *fake) socket(w http.ResponseWriter, r *http.Request) {
	var refuse bool
	f.with(func() {
		refuse = f.noSocket || !strings.Contains(r.Header.Get("Sec-WebSocket-Protocol"), "bearer."+f.token)
	})
	if refuse {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"parley.v1"}, InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	var l *line
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			break
		}
		var frame object
		json.Unmarshal(data, &frame)
		f.hear(frame, "")
		var silent, cut bool
		f.with(func() { silent, cut = f.silent, f.cutAfter })
		if silent {
			continue
		}
		if frame["type"] == "hello" {
			l = f.open(int(frame["after_seq"].(float64)), cancel)
			defer f.drop(l)
			go f.talk(ctx, c, l)
			if cut {
				l.frames <- object{"type": "close", "code": 1011}
			}
		} else if l != nil && !f.respond(l, frame) {
			return
		}
	}
}

// talk writes what is said on a line until it is cut. A frame of type close ends it with that code.
func (f *fake) talk(ctx context.Context, c *websocket.Conn, l *line) {
	for {
		select {
		case <-ctx.Done():
			c.CloseNow()
			return
		case o := <-l.frames:
			if o["type"] == "close" {
				c.Close(websocket.StatusCode(o["code"].(int)), "")
				return
			}
			data, _ := json.Marshal(o)
			c.Write(ctx, websocket.MessageText, data)
		}
	}
}

// respond answers a frame; false cuts the line.
func (f *fake) respond(l *line, frame object) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.deaf:
	case frame["type"] == "ping":
		l.frames <- object{"type": "pong", "t": frame["t"]}
	case frame["type"] == "message":
		reply := f.store(frame)
		if f.loseAck {
			f.loseAck = false
			return false
		}
		l.frames <- reply
	}
	return true
}

// store keeps a visitor's message once per client_id and returns the frame that answers it.
func (f *fake) store(frame object) object {
	if len(f.refusals) > 0 {
		refusal := f.refusals[0]
		f.refusals = f.refusals[1:]
		refusal["type"], refusal["client_id"] = "error", frame["client_id"]
		return refusal
	}
	at := slices.IndexFunc(f.messages, func(m object) bool { return m["client_id"] == frame["client_id"] })
	duplicate := at >= 0
	if !duplicate {
		at = len(f.messages)
		f.append(object{"author": object{"kind": "visitor", "name": ""}, "client_id": frame["client_id"], "content": frame["content"], "content_type": "text", "attachments": f.attached(frame["attachments"])})
	}
	m := f.messages[at]
	return object{"type": "ack", "client_id": m["client_id"], "id": m["id"], "seq": m["seq"], "duplicate": duplicate, "created_at": m["created_at"]}
}

func (f *fake) append(m object) object {
	seq := len(f.messages) + 1
	m["type"], m["seq"], m["id"] = "message", seq, fmt.Sprintf("m%d", seq)
	if m["created_at"] == nil {
		m["created_at"] = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	}
	f.messages = append(f.messages, m)
	f.thread = object{"id": "t", "last_seq": seq, "handling": f.thread["handling"]}
	return m
}

// say stores a message of the other side and sends it down every line. extra is laid over the frame.
func (f *fake) say(kind, name, content string, extra ...object) object {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := object{"author": object{"kind": kind, "name": name}, "content": content, "content_type": "markdown"}
	for _, e := range extra {
		for k, v := range e {
			m[k] = v
		}
	}
	f.append(m)
	f.spread(m)
	return m
}

// push sends a frame down every line, whatever it is.
func (f *fake) push(frame object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.spread(frame)
}

func (f *fake) spread(frame object) {
	for l := range f.lines {
		l.frames <- frame
	}
}

// hangUp cuts every line without a word.
func (f *fake) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l := range f.lines {
		l.cut()
	}
}

func (f *fake) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, p := range f.posts {
		if p == path {
			n++
		}
	}
	return n
}
