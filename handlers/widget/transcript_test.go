package widget_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/widget"
)

// player speaks transcripts with the server. A transcript has one thing a line:
//
//	> frame        the client sends it, $names replaced by what they stand for
//	>b frame       the same as a binary frame
//	>> n frame     the same, with «pad» replaced so that the frame has n bytes
//	>* n frame     the same n times, one right after the other
//	< frame        the server's next frame; "$name" takes note of a value, or compares it; "*" is any value, "*ms" a time in
//	               milliseconds, "*time" one in RFC 3339
//	<? frame       the same, but frames of other types may come before
//	~ frame        frames like this are hints: from here on they may come between others
//	? request      the client asks for it over HTTP: a method, a path and perhaps a body
//	! status body  the answer, compared as a frame is
//	= word         the test does something of that name
//	= let x be y   $x stands for y from here on, perhaps for nothing
//	closed code    the server closes, with the reason that follows, if any, and says nothing before
//	refused status the server lets nobody connect, and says the text that follows, if any
type player struct {
	*world
	path  string
	names map[string]any
	does  map[string]func(p *player)
	hints []map[string]any
	nodes []*world // that the client may connect to; nil: the one it has
	conn  *websocket.Conn
	opts  websocket.DialOptions
	last  answer // to the last request over HTTP
}

func (w *world) player(path string, opts websocket.DialOptions) *player {
	if opts.HTTPHeader == nil {
		opts.HTTPHeader = http.Header{"Origin": {origin}}
	}
	p := &player{world: w, path: path, opts: opts, names: map[string]any{"widget": w.Key, "agent": string(w.Agent)}, does: map[string]func(*player){}}
	p.does["connect"] = (*player).connect
	p.does["leave"] = func(p *player) { _ = p.conn.CloseNow() }
	return p
}

func (p *player) connect() {
	p.t.Helper()
	if res, err := p.dial(); err != nil {
		p.t.Fatal(err, res)
	}
}

func (p *player) dial() (*http.Response, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	opts := p.opts
	opts.Subprotocols = nil
	for _, s := range p.opts.Subprotocols {
		opts.Subprotocols = append(opts.Subprotocols, p.fill(s))
	}
	conn, res, err := websocket.Dial(ctx, p.url+p.fill(p.path), &opts)
	if err != nil {
		return res, err
	}
	conn.SetReadLimit(1 << 20)
	p.t.Cleanup(func() { _ = conn.CloseNow() })
	p.conn = conn
	return res, nil
}

// fill puts in what names stand for.
func (p *player) fill(text string) string {
	return regexp.MustCompile(`\$[a-z]+`).ReplaceAllStringFunc(text, func(name string) string {
		if v, ok := p.names[name[1:]]; ok {
			return fmt.Sprint(v)
		}
		return name
	})
}

func (p *player) playFile(name string) {
	p.t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		p.t.Fatal(err)
	}
	for i, line := range strings.Split(string(b), "\n") {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			p.line(fmt.Sprintf("%s:%d", name, i+1), line)
		}
	}
}

func (p *player) play(script string) {
	p.t.Helper()
	for line := range strings.Lines(script) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			p.line("script", line)
		}
	}
}

func (p *player) line(at, line string) {
	p.t.Helper()
	what, rest, _ := strings.Cut(line, " ")
	switch what {
	case ">":
		p.send(at, websocket.MessageText, p.fill(rest))
	case ">b":
		p.send(at, websocket.MessageBinary, p.fill(rest))
	case ">>":
		var n int
		size, frame, _ := strings.Cut(rest, " ")
		_, _ = fmt.Sscan(size, &n)
		frame = p.fill(frame)
		p.send(at, websocket.MessageText, strings.Replace(frame, "«pad»", strings.Repeat("x", max(0, n-len(frame)+len("«pad»"))), 1))
	case ">*":
		count, frame, _ := strings.Cut(rest, " ")
		for n, _ := strconv.Atoi(count); n > 0; n-- {
			p.send(at, websocket.MessageText, p.fill(frame))
		}
	case "<", "<?":
		p.expect(at, rest, what == "<?")
	case "~":
		p.hints = append(p.hints, p.object(at, rest))
	case "?":
		method, request, _ := strings.Cut(p.fill(rest), " ")
		path, body, _ := strings.Cut(request, " ")
		p.last = p.ask(method, path, body)
	case "!":
		p.answered(at, rest)
	case "refused":
		p.refused(at, rest)
	case "=":
		if name, value, ok := strings.Cut(strings.TrimPrefix(rest, "let "), " be"); ok && strings.HasPrefix(rest, "let ") {
			p.names[name] = strings.TrimSpace(value)
			return
		}
		do, ok := p.does[rest]
		if !ok {
			p.t.Fatalf("%s: nobody knows how to %s", at, rest)
		}
		do(p)
	case "closed":
		b, err := p.next(at)
		if err == nil {
			p.t.Fatalf("%s: got %s", at, b)
		}
		code, reason, _ := strings.Cut(rest, " ")
		closing, _ := errors.AsType[websocket.CloseError](err)
		if got := fmt.Sprint(int(closing.Code)); got != code || reason != "" && reason != closing.Reason {
			p.t.Fatalf("%s: closed with %s %q, %v", at, got, closing.Reason, err)
		}
	default:
		p.t.Fatalf("%s: %q is no line of a transcript", at, line)
	}
}

func (p *player) send(at string, kind websocket.MessageType, frame string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if err := p.conn.Write(ctx, kind, []byte(frame)); err != nil && len(frame) <= 64<<10 {
		p.t.Fatalf("%s: %v", at, err)
	}
}

func (p *player) read() ([]byte, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	_, b, err := p.conn.Read(ctx)
	return b, err
}

func (p *player) object(at, text string) (o map[string]any) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		p.t.Fatalf("%s: %v in %s", at, err, text)
	}
	return o
}

// next is the next frame that is no hint.
func (p *player) next(at string) ([]byte, error) {
	p.t.Helper()
	for {
		b, err := p.read()
		if err != nil || !slices.ContainsFunc(p.hints, func(hint map[string]any) bool {
			return match(maps.Clone(p.names), "", hint, p.object(at, string(b))) == ""
		}) {
			return b, err
		}
	}
}

func (p *player) answered(at, want string) {
	p.t.Helper()
	status, body, _ := strings.Cut(want, " ")
	if got := fmt.Sprint(p.last.status); got != status {
		p.t.Fatalf("%s: %s %s", at, got, p.last.body)
	}
	if !strings.HasPrefix(body, "{") {
		if body != p.last.body {
			p.t.Fatalf("%s: got %q", at, p.last.body)
		}
		return
	}
	if why := match(p.names, "", p.object(at, body), p.object(at, p.last.body)); why != "" {
		p.t.Fatalf("%s: %s\nwant %s\ngot  %s", at, why, body, p.last.body)
	}
}

func (p *player) refused(at, want string) {
	p.t.Helper()
	status, text, _ := strings.Cut(want, " ")
	res, err := p.dial()
	if err == nil || res == nil {
		p.t.Fatalf("%s: connected, or nobody answered: %v", at, err)
	}
	b, _ := io.ReadAll(res.Body)
	if fmt.Sprint(res.StatusCode) != status || text != "" && text != string(b) {
		p.t.Fatalf("%s: refused with %d %s", at, res.StatusCode, b)
	}
}

func (p *player) expect(at, want string, skip bool) {
	p.t.Helper()
	w := p.object(at, want)
	for {
		b, err := p.next(at)
		if err != nil {
			p.t.Fatalf("%s: want %s, got %v", at, want, err)
		}
		got := p.object(at, string(b))
		if skip && got["type"] != w["type"] {
			continue
		}
		names := maps.Clone(p.names)
		if why := match(names, "", w, got); why != "" {
			p.t.Fatalf("%s: %s\nwant %s\ngot  %s", at, why, want, b)
		}
		p.names = names
		return
	}
}

// match says where got is not what was wanted; empty: nowhere.
func match(names map[string]any, at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v", at, got)
		}
		for k := range g {
			if _, ok := w[k]; !ok {
				return fmt.Sprintf("%s.%s should not be there", at, k)
			}
		}
		for k, v := range w {
			if _, ok := g[k]; !ok {
				return fmt.Sprintf("%s.%s is missing", at, k)
			}
			if why := match(names, at+"."+k, v, g[k]); why != "" {
				return why
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return fmt.Sprintf("%s is %v", at, got)
		}
		for i := range w {
			if why := match(names, fmt.Sprint(at, "[", i, "]"), w[i], g[i]); why != "" {
				return why
			}
		}
		return ""
	case string:
		switch {
		case w == "*":
			return ""
		case w == "*ms":
			ms, ok := got.(float64)
			if since := time.Since(time.UnixMilli(int64(ms))); !ok || since < -time.Second || since > time.Minute {
				return fmt.Sprintf("%s is %v, want the time in milliseconds", at, got)
			}
			return ""
		case w == "*time":
			if s, _ := got.(string); !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(s) {
				return fmt.Sprintf("%s is %v, want a time", at, got)
			}
			return ""
		case strings.HasPrefix(w, "$"):
			known, ok := names[w[1:]]
			if !ok {
				if s, isText := got.(string); isText && !regexp.MustCompile(`^(webchat-)?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`).MatchString(s) {
					return fmt.Sprintf("%s is %q, want an id", at, s)
				}
				names[w[1:]] = got
				return ""
			}
			want = known
		}
	}
	if want != got {
		return fmt.Sprintf("%s is %#v, want %#v", at, got, want)
	}
	return ""
}

// stage lets tests tell the agent of a world what to do, through what visitors say to it.
type stage struct {
	mu      sync.Mutex
	goOn    map[string]chan struct{} // what "wait NAME" waits for
	stopped chan string              // names whose turn was stopped
	waiting map[string]int           // turns that wait
}

func (s *stage) gate(name string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.goOn[name] == nil {
		s.goOn[name] = make(chan struct{})
	}
	return s.goOn[name]
}

func (s *stage) waits(name string, more int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[name] += more
	return s.waiting[name]
}

// script is what an agent does, one line of the visitor's words each: "delta text", "think text", "reply text", "wait name", "fail reason",
// "deny reason" (its service's fault), "refuse reason" (our credentials'), "handoff reason", "cite", "cost", "tool name" (which finds words), "count name" (which finds data, and fails); the last reply ends the turn.
func (s *stage) script(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (res agent.Result, err error) {
	last := r.Messages[len(r.Messages)-1].Content
	for line := range strings.Lines(last) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "delta":
			sink.Delta(rest)
		case "think":
			sink.Think(rest)
		case "reply":
			if res.Reply != nil {
				if err := sink.Reply(ctx, *res.Reply); err != nil {
					return res, err
				}
			}
			res.Reply = &agent.Reply{Content: rest}
		case "cite":
			res.Reply.Citations = []domain.Citation{{Title: "Shipping", URL: "https://shop.example/s", Snippet: "We ship."}, {Title: "Shipping", URL: "https://shop.example/s", Snippet: "We ship."}, {Title: "Returns", Snippet: strings.Repeat("é", 300)}}
		case "cost":
			res.Usage = agent.Usage{PromptTokens: 10, CompletionTokens: 5, CostUSD: 0.25}
		case "wait":
			s.waits(rest, 1)
			select {
			case <-s.gate(rest):
				s.waits(rest, -1)
			case <-ctx.Done():
				s.waits(rest, -1)
				s.stopped <- rest
				return res, ctx.Err()
			}
		case "fail":
			return res, &agent.Failure{Reason: rest, Permanent: true, Err: errors.New("a secret")}
		case "deny":
			return res, &agent.Failure{Reason: rest, Permanent: true, Fault: domain.FaultProvider, Err: errors.New("a secret")}
		case "refuse":
			return res, &agent.Failure{Reason: rest, Permanent: true, Fault: domain.FaultAccess, Err: errors.New("a secret")}
		case "handoff":
			res.Handoff = &agent.Handoff{Reason: rest}
		case "tool":
			sink.Step(agent.Step{Kind: domain.ToolCall, Detail: map[string]any{"name": rest, "arguments": json.RawMessage(`{"id":"42"}`)}})
			sink.Step(agent.Step{Kind: domain.ToolResult, Detail: map[string]any{"name": rest, "result": "found"}})
		case "count":
			sink.Step(agent.Step{Kind: domain.ToolCall, Detail: map[string]any{"name": rest, "arguments": json.RawMessage(`{}`)}})
			sink.Step(agent.Step{Kind: domain.ToolResult, Detail: map[string]any{"name": rest, "result": json.RawMessage(`{"orders":[1,2]}`), "is_error": true}})
		}
	}
	return res, nil
}

type voiceFunc func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error)

func (v voiceFunc) Turn(ctx context.Context, r agent.TurnRequest, s agent.Sink) (agent.Result, error) {
	return v(ctx, r, s)
}

func newStage() *stage {
	return &stage{goOn: map[string]chan struct{}{}, stopped: make(chan string, 16), waiting: map[string]int{}}
}

// voiced lets a node give agents their turns.
func (s *stage) voiced(t *testing.T, l *ledger.Ledger) func(*widget.Deps) {
	return func(deps *widget.Deps) {
		d := dispatch.New(l, deps.Relay, func(domain.Agent) (agent.Runtime, error) { return voiceFunc(s.script), nil },
			dispatch.Options{Log: deps.Log, Grace: time.Millisecond})
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = d.Run(ctx) })
		t.Cleanup(func() { stop(); running.Wait() })
	}
}
