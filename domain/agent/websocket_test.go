package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
)

// script is what the agent on the other side does once it has the frame.
type script func(ctx context.Context, c *websocket.Conn, frame []byte)

func say(frames ...string) script {
	return func(ctx context.Context, c *websocket.Conn, _ []byte) {
		for _, f := range frames {
			_ = c.Write(ctx, websocket.MessageText, []byte(f))
		}
	}
}

// then says its frames and stays silent until the caller hangs up.
func (s script) then(next script) script {
	return func(ctx context.Context, c *websocket.Conn, frame []byte) {
		s(ctx, c, frame)
		next(ctx, c, frame)
	}
}

func wait(ctx context.Context, c *websocket.Conn, _ []byte) { _, _, _ = c.Read(ctx) }

func closing(code websocket.StatusCode) script {
	return func(_ context.Context, c *websocket.Conn, _ []byte) { _ = c.Close(code, "bye") }
}

// service runs an agent service with that script and says its ws:// address. hungUp gets a value when a caller has gone.
func service(t *testing.T, s script) (url string, hungUp <-chan struct{}) {
	t.Helper()
	gone := make(chan struct{}, 16)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() {
			_ = c.CloseNow()
			gone <- struct{}{}
		}()
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second) // so that a caller who never hangs up fails the test and does not hang it
		defer cancel()
		_, frame, err := c.Read(ctx)
		if err != nil {
			return
		}
		s(ctx, c, frame)
		for err == nil {
			_, _, err = c.Read(ctx)
		}
	}))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http"), gone
}

func websocketAgent(url string, change ...func(map[string]any)) domain.Agent {
	config := map[string]any{"url": url, "timeout_seconds": 4, "connect_timeout_seconds": 4}
	for _, c := range change {
		c(config)
	}
	a := domain.NewAgent("org", "Ada", domain.AgentWebSocket)
	a.ID = "agent"
	a.Config, _ = json.Marshal(config)
	a.Secrets = map[string]string{"header:X-Api-Key": "sesame-123", "header:Authorization": "Bearer tok-456"}
	return a
}

func ask(t *testing.T, ctx context.Context, a domain.Agent, r TurnRequest, sink *tape) (Result, error) {
	t.Helper()
	out := &Outbound{}
	t.Cleanup(out.Client().CloseIdleConnections)
	rt, err := New(a, Deps{Outbound: out})
	if err != nil {
		t.Fatal(err)
	}
	return rt.Turn(ctx, r, sink)
}

func TestWebSocketAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		does  script
		early []string // through the sink
		last  string   // in the result
	}{
		"wrapped, final":            {say(`{"type":"chat_message","data":{"content":"A","response_type":"final","message_id":7,"metadata":null}}`), nil, "A"},
		"bare, sync":                {say(`{"content":" A ","response_type":"sync","success":true}`), nil, "A"},
		"is_final in data":          {say(`{"type":"chat_message","data":{"content":"A","is_final":true}}`), nil, "A"},
		"is_final in metadata":      {say(`{"type":"chat_message","data":{"content":"A","metadata":{"is_final":true,"confidence":0.9}}}`), nil, "A"},
		"is_final in bare metadata": {say(`{"content":"A","metadata":{"is_final":true}}`), nil, "A"},
		"is_final on the wrapper":   {say(`{"type":"chat_message","is_final":true,"data":{"content":"A"}}`), nil, "A"},
		"several, last final":       {say(`{"content":"A","response_type":"partial"}`, `{"content":"B"}`, `{"content":"C","response_type":"final"}`), []string{"A", "B"}, "C"},
		"closed after answers":      {say(`{"content":"A"}`, `{"content":"B"}`).then(closing(websocket.StatusNormalClosure)), []string{"A", "B"}, ""},
		"crashed after an answer":   {say(`{"content":"A"}`).then(func(_ context.Context, c *websocket.Conn, _ []byte) { _ = c.CloseNow() }), []string{"A"}, ""},
		"max_responses":             {say(`{"content":"A"}`, `{"content":"B"}`, `{"content":"C"}`, `{"content":"D"}`), []string{"A", "B"}, "C"},
		"nothing after final":       {say(`{"content":"A","is_final":true}`, `{"content":"B"}`), nil, "A"},
		"empty ones do not count":   {say(`{"content":""}`, `{"content":"  "}`, `{"success":true}`, `{}`, `{"content":"A","is_final":true}`), nil, "A"},
		"empty final":               {say(`{"content":"A"}`, `{"content":"","response_type":"final"}`), []string{"A"}, ""},
		"unknown types are ignored": {say(`{"type":"thinking","content":"hmm"}`, `{"type":"status","data":{"content":"x"}}`, `{"content":"A","is_final":true}`), nil, "A"},
		"binary frame with JSON": {func(ctx context.Context, c *websocket.Conn, _ []byte) {
			_ = c.Write(ctx, websocket.MessageBinary, []byte(`{"content":"A","is_final":true}`))
		}, nil, "A"},
		"NUL is dropped":             {say(`{"content":"A\u0000B","is_final":true}`), nil, "AB"},
		"ping":                       {pinging, nil, `{"t":5,"type":"pong"}`},
		"large":                      {say(`{"is_final":true,"content":"` + strings.Repeat("x", 900_000) + `"}`), nil, strings.Repeat("x", 900_000)},
		"handing out null is no end": {say(`{"content":null}`, `{"content":"A","is_final":true}`), nil, "A"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, hungUp := service(t, tt.does)
			sink := &tape{}
			got, err := ask(t, t.Context(), websocketAgent(url, func(c map[string]any) { c["max_responses"] = 3 }), chat("?: hi"), sink)
			if err != nil {
				t.Fatal(err)
			}
			var early []string
			for _, r := range sink.replies {
				early = append(early, r.Content)
			}
			if strings.Join(early, "|") != strings.Join(tt.early, "|") {
				t.Errorf("early = %q, want %q", early, tt.early)
			}
			if got.Reply == nil && tt.last != "" || got.Reply != nil && got.Reply.Content != tt.last {
				t.Errorf("last = %.60v, want %.60q", got.Reply, tt.last)
			}
			wantCall(t, sink, len(tt.early)+min(len(tt.last), 1))
			wantHungUp(t, hungUp)
		})
	}
}

// pinging sends a ping and repeats what came back as its answer.
func pinging(ctx context.Context, c *websocket.Conn, _ []byte) {
	_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"ping","t":5}`))
	_, pong, err := c.Read(ctx)
	if err != nil {
		return
	}
	answer, _ := json.Marshal(map[string]any{"content": string(pong), "is_final": true})
	_ = c.Write(ctx, websocket.MessageText, answer)
}

func wantCall(t *testing.T, sink *tape, responses int) {
	t.Helper()
	if len(sink.steps) != 1 || sink.steps[0].Kind != domain.ModelCall {
		t.Fatalf("steps = %+v, want one model_call", sink.steps)
	}
	d := sink.steps[0].Detail
	connect, _ := d["connect_ms"].(float64)
	total, _ := d["ms"].(float64)
	_, first := d["first_response_ms"].(float64)
	if d["kind"] != "websocket" || d["responses"] != responses || connect <= 0 || total < connect || first != (responses > 0) {
		t.Errorf("model_call = %v, want %d responses", d, responses)
	}
}

func wantHungUp(t *testing.T, hungUp <-chan struct{}) {
	t.Helper()
	select {
	case <-hungUp:
	case <-time.After(3 * time.Second):
		t.Error("the connection was left open")
	}
}

func TestWebSocketFailures(t *testing.T) {
	t.Parallel()
	short := func(c map[string]any) { c["timeout_seconds"] = 0.2 }
	for name, tt := range map[string]struct {
		does   script
		change func(map[string]any)
		want   string
	}{
		"not JSON": {say(`hello`), nil, "sent something that is not JSON"},
		"binary rubbish": {func(ctx context.Context, c *websocket.Conn, _ []byte) {
			_ = c.Write(ctx, websocket.MessageBinary, []byte{0, 255})
		}, nil, "sent something that is not JSON"},
		"two documents":          {say(`{"content":"A"}{}`), nil, "sent something that is not JSON"},
		"a list":                 {say(`["A"]`), nil, "sent JSON that is not an answer"},
		"null":                   {say(` null`), nil, "sent JSON that is not an answer"},
		"content is a number":    {say(`{"content":5}`), nil, "sent JSON that is not an answer"},
		"too large":              {say(`{"content":"` + strings.Repeat("x", 1<<20) + `"}`), nil, "answer too large"},
		"silence":                {wait, short, "said nothing for 0.2 s"},
		"only empty answers":     {say(`{"content":""}`).then(wait), short, "said nothing for 0.2 s"},
		"closes at once":         {closing(websocket.StatusNormalClosure), nil, "closed without an answer"},
		"closes with a code":     {closing(websocket.StatusPolicyViolation), nil, "closed without an answer (code 1008)"},
		"hangs up":               {func(_ context.Context, c *websocket.Conn, _ []byte) { _ = c.CloseNow() }, nil, "closed without an answer"},
		"empty final":            {say(`{"content":"","response_type":"final"}`), nil, "gave an empty answer"},
		"success false":          {say(`{"type":"chat_message","data":{"success":false,"error_message":"no\n model"}}`), nil, "reported an error: no model"},
		"success false, bare":    {say(`{"success":false,"content":"ignore me"}`), nil, "reported an error"},
		"success false, wrapper": {say(`{"type":"chat_message","success":false,"data":{"content":"x"}}`), nil, "reported an error"},
		"error frame":            {say(`{"type":"error","message":"overloaded"}`), nil, "reported an error: overloaded"},
		"error frame with data":  {say(`{"type":"error","data":{"error":{"message":"deep"}}}`), nil, "reported an error: deep"},
		"error after an answer":  {say(`{"content":"A"}`, `{"type":"error","error":"late"}`), nil, "reported an error: late"},
		"long error":             {say(`{"type":"error","message":"` + strings.Repeat("é", 500) + `"}`), nil, "reported an error: " + strings.Repeat("é", 180) + "…"},
		"secrets in the error":   {say(`{"type":"error","message":"bad key sesame-123, bad token tok-456"}`), nil, "reported an error: bad key ********, bad token ********"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, hungUp := service(t, tt.does)
			a := websocketAgent(url)
			if tt.change != nil {
				a = websocketAgent(url, tt.change)
			}
			sink := &tape{}
			got, err := ask(t, t.Context(), a, chat("?: hi"), sink)
			wantFailure(t, err, tt.want, false)
			if got.Reply != nil || got.Handoff != nil {
				t.Errorf("a failed turn has a result: %+v", got)
			}
			wantCall(t, sink, len(sink.replies))
			wantHungUp(t, hungUp)
		})
	}
}

func wantFailure(t *testing.T, err error, reason string, permanent bool) {
	t.Helper()
	f, ok := errors.AsType[*Failure](err)
	if !ok || f.Reason != reason || f.Permanent != permanent {
		t.Fatalf("err = %#v (%v), want %q, permanent %v", err, err, reason, permanent)
	}
}

func TestWebSocketDoesNotConnect(t *testing.T) {
	t.Parallel()
	answering := func(status int) func(*testing.T) string {
		return func(t *testing.T) string {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
			t.Cleanup(srv.Close)
			return "ws" + strings.TrimPrefix(srv.URL, "http")
		}
	}
	for name, tt := range map[string]struct {
		url       func(*testing.T) string
		want      string
		permanent bool
	}{
		"nobody there": {func(t *testing.T) string { return "ws://" + deaf(t, false) }, "could not connect: connection refused", false},
		"deaf":         {func(t *testing.T) string { return "ws://" + deaf(t, true) }, "could not connect: timed out after 0.3 s", false},
		"metadata":     {func(*testing.T) string { return "ws://169.254.169.254/" }, "could not connect: its address is not allowed", true},
		"200":          {answering(200), "answered with status 200", false},
		"redirect":     {answering(302), "answered with status 302", false},
		"401":          {answering(401), "answered with status 401", true},
		"404":          {answering(404), "answered with status 404", true},
		"408":          {answering(408), "answered with status 408", false},
		"429":          {answering(429), "answered with status 429", false},
		"503":          {answering(503), "answered with status 503", false},
		"half a handshake": {func(t *testing.T) string {
			return "ws://" + raw(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
		},
			"could not connect: it does not speak WebSocket", false},
		"not HTTP":   {func(t *testing.T) string { return "ws://" + raw(t, "SSH-2.0-nope\r\n\r\n") }, "could not connect: it does not speak WebSocket", false},
		"hangs up":   {func(t *testing.T) string { return "ws://" + raw(t, "") }, "could not connect: connection closed", false},
		"no TLS":     {func(t *testing.T) string { return strings.Replace(answering(200)(t), "ws://", "wss://", 1) }, "TLS handshake failed", false},
		"stranger's": {untrusted, "TLS handshake failed", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := &tape{}
			timeout := 4.0
			if name == "deaf" {
				timeout = 0.3
			}
			_, err := ask(t, t.Context(), websocketAgent(tt.url(t), func(c map[string]any) { c["connect_timeout_seconds"] = timeout }), chat("?: hi"), sink)
			wantFailure(t, err, tt.want, tt.permanent)
			if strings.Contains(err.Error(), "sesame") {
				t.Errorf("the failure gives a secret away: %v", err)
			}
			if len(sink.steps) != 1 || sink.steps[0].Detail["responses"] != 0 {
				t.Errorf("steps = %+v", sink.steps)
			}
		})
	}
}

// deaf is an address at which nobody answers: a listener that accepts and says nothing, or none at all.
func deaf(t *testing.T, listens bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if !listens {
		_ = l.Close()
	} else {
		t.Cleanup(func() { _ = l.Close() })
	}
	return l.Addr().String()
}

// raw answers the first connection with fixed bytes.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte(answer))
		_ = c.Close()
	}()
	return l.Addr().String()
}

func untrusted(t *testing.T) string {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return "wss" + strings.TrimPrefix(srv.URL, "https")
}

func TestWebSocketSendsTheFrame(t *testing.T) {
	t.Parallel()
	frames := make(chan string, 1)
	headers := make(chan http.Header, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers <- r.Header
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		_, frame, _ := c.Read(r.Context())
		frames <- string(frame)
		_ = c.Write(r.Context(), websocket.MessageText, []byte(`{"content":"ok","is_final":true}`))
		wait(r.Context(), c, nil)
	}))
	t.Cleanup(srv.Close)
	r := chat("v: earlier", "a: reply", "?: one", "?: two")
	r.TurnID, r.InboxID, r.ContactID = "turn", "widget", "contact"
	r.Contact = Contact{Name: "Eva", Email: "eva@example.org"}
	r.Page = &domain.Page{URL: "https://shop.example/", Title: "Shop"}
	if _, err := ask(t, t.Context(), websocketAgent("ws"+strings.TrimPrefix(srv.URL, "http")), r, &tape{}); err != nil {
		t.Fatal(err)
	}
	want := `{"type":"chat_message","data":{"message_id":"m4","inbox_id":"widget","conversation_id":"thread","content":"one\ntwo",` +
		`"sender":{"id":"contact","name":"Eva","email":"eva@example.org","type":"contact"},` +
		`"context":{"channel":"webchat","created_at":"2026-11-21T09:00:03.000Z","additional_attributes":{"messages":[` +
		`{"message_id":"m3","content":"one","created_at":"2026-11-21T09:00:02.000Z"},{"message_id":"m4","content":"two","created_at":"2026-11-21T09:00:03.000Z"}],` +
		`"page":{"url":"https://shop.example/","title":"Shop"},"turn_id":"turn"}},"response_mode":"async"}}`
	if got := <-frames; got != want {
		t.Errorf("frame = %s\nwant    %s", got, want)
	}
	h := <-headers
	if h.Get("X-Api-Key") != "sesame-123" || h.Get("Authorization") != "Bearer tok-456" || h.Get("Sec-Websocket-Extensions") != "" {
		t.Errorf("headers = %v", h)
	}
	one, err := encodeChatMessage(TurnRequest{Messages: r.Messages[:3], Pending: []int64{3}})
	if err != nil || !strings.Contains(string(one), `"additional_attributes":{}`) || strings.Contains(string(one), "null") {
		t.Errorf("frame of a single line = %s, %v", one, err)
	}
}

func TestWebSocketSilenceAfterAnswersIsTheEnd(t *testing.T) {
	t.Parallel()
	url, hungUp := service(t, say(`{"content":"A"}`).then(wait))
	sink := &tape{}
	got, err := ask(t, t.Context(), websocketAgent(url, func(c map[string]any) { c["timeout_seconds"] = 0.2 }), chat("?: hi"), sink)
	if err != nil || got.Reply != nil || len(sink.replies) != 1 {
		t.Errorf("%+v, %v, %d early replies", got, err, len(sink.replies))
	}
	wantHungUp(t, hungUp)
}

func TestWebSocketStopsWhenTheThreadChangedHands(t *testing.T) {
	t.Parallel()
	url, hungUp := service(t, say(`{"content":"A"}`, `{"content":"B","is_final":true}`))
	gone := errors.New("a person took over")
	_, err := ask(t, t.Context(), websocketAgent(url), chat("?: hi"), &tape{refuse: gone})
	if !errors.Is(err, gone) {
		t.Errorf("err = %v", err)
	}
	wantHungUp(t, hungUp)
}

func TestWebSocketCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	url, hungUp := service(t, say(`{"content":"A"}`).then(wait))
	shutdown := errors.New("shutdown")
	began := time.Now()
	_, err := ask(t, ctx, websocketAgent(url), chat("?: hi"), &tape{onReply: func() { cancel(shutdown) }})
	wantFailure(t, err, "was cut short", false)
	if !errors.Is(err, shutdown) || time.Since(began) > time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	wantHungUp(t, hungUp)
	_, err = ask(t, ctx, websocketAgent("ws://"+deaf(t, true)), chat("?: hi"), &tape{})
	wantFailure(t, err, "was cut short", false)
}

func TestWebSocketDoesNotWaitForASlowGoodbye(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	url, _ := service(t, say(`{"content":"A","is_final":true}`).then(func(context.Context, *websocket.Conn, []byte) { <-release }))
	began := time.Now()
	got, err := ask(t, t.Context(), websocketAgent(url), chat("?: hi"), &tape{})
	if err != nil || got.Reply.Content != "A" || time.Since(began) > 2*time.Second {
		t.Errorf("%+v, %v after %s", got, err, time.Since(began))
	}
}

func FuzzDecodeFrame(f *testing.F) {
	f.Add([]byte(`{"type":"chat_message","data":{"content":"A","metadata":{"is_final":true}}}`))
	f.Add([]byte(`{"type":"ping","t":[1]}`))
	f.Add([]byte(`{"type":"error","data":{"error":{"message":1}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := decodeFrame(data)
		if err != nil && !errors.Is(err, errNotJSON) && !errors.Is(err, errNotAFrame) {
			t.Errorf("unnamed error %v", err)
		}
		if in.pong != nil && !json.Valid(in.pong) {
			t.Errorf("pong %q", in.pong)
		}
	})
}
