package agent

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/parley-chat/parley/domain"
)

const httpSecret = "whsec-0123456789"

func httpAgent(url string, change ...func(map[string]any)) domain.Agent {
	config := map[string]any{"url": url, "timeout_seconds": 8}
	for _, c := range change {
		c(config)
	}
	a := domain.NewAgent("org", "Ada", domain.AgentHTTP)
	a.ID = "agent"
	a.Config, _ = json.Marshal(config)
	a.Secrets = map[string]string{domain.SigningSecret: httpSecret}
	return a
}

// replies answers with a body of a content type; frames joins the events of a stream.
func replies(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

func asJSON(body string) http.HandlerFunc { return replies("application/json", body) }

func asStream(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, e := range events {
			name, data, _ := strings.Cut(e, " ")
			fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func TestHTTPAgentAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		does    http.HandlerFunc
		early   string
		last    string
		handoff string
		cost    float64
	}{
		"one reply":       {asJSON(`{"replies":[{"content":" A "}]}`), "", "A", "", 0},
		"several":         {asJSON(`{"replies":[{"content":"A"},{"content":"B"},{"content":"C"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"cost_usd":0.5}}`), "A|B", "C", "", 0.5},
		"hand off":        {asJSON(`{"handoff":{"reason":"angry"}}`), "", "", "angry", 0},
		"reply, hand off": {asJSON(`{"replies":[{"content":"A","content_type":"markdown","citations":[{"title":"T","url":"javascript:x","snippet":"s"},null]}],"handoff":{}}`), "", "A", "", 0},
		"no charset":      {replies("application/json; charset=utf-8", `{"replies":[{"content":"A"}]}`), "", "A", "", 0},
		"blanks left out": {asJSON(`{"replies":[{"content":" "},{"content":"A\u0000"}]}`), "", "A", "", 0},
		"mad usage":       {asJSON(`{"replies":[{"content":"A"}],"usage":{"prompt_tokens":-5,"cost_usd":-3}}`), "", "A", "", 0},
		"stream":          {asStream(`delta {"content":"A"}`, `delta {"content":"B"}`, `reply {"content":"AB"}`, `later {"x":1}`, `reply {"content":"C"}`, `usage {"cost_usd":0.25}`, `done {}`), "AB|C", "", "", 0.25},
		"stream hand off": {asStream(`handoff {"reason":"r"}`, `done`), "", "", "r", 0},
		"images":          {asJSON(`{"replies":[{"content":"![x](https://e/)"}]}`), "", "[x](https://e/)", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.does)
			t.Cleanup(srv.Close)
			sink, p := &tape{}, &purse{left: 1}
			got, err := askModel(t, httpAgent(srv.URL), Deps{Purse: p}, 0, chat("?: hi"), sink)
			if err != nil {
				t.Fatal(err)
			}
			var early []string
			for _, r := range sink.replies {
				early = append(early, r.Content)
			}
			last := ""
			if got.Reply != nil {
				last = got.Reply.Content
				for _, c := range got.Reply.Citations {
					if c.URL != "" {
						t.Errorf("cites %q", c.URL)
					}
				}
			}
			if strings.Join(early, "|") != tt.early || last != tt.last {
				t.Errorf("said %q then %q", early, last)
			}
			if got.Handoff == nil && tt.handoff != "" || got.Handoff != nil && got.Handoff.Reason != tt.handoff {
				t.Errorf("handoff %+v", got.Handoff)
			}
			if got.Usage.CostUSD != tt.cost || got.Usage.PromptTokens < 0 || len(p.settled) != 1 || p.settled[0] != tt.cost {
				t.Errorf("usage %+v, settled %v", got.Usage, p.settled)
			}
			if d := stepsOf(sink, domain.ModelCall); len(d) != 1 || d[0]["kind"] != "http" || d[0]["prompt"] == nil || d[0]["status"] != 200 {
				t.Errorf("steps %v", d)
			}
		})
	}
}

func TestHTTPAgentIsSigned(t *testing.T) {
	t.Parallel()
	var bad atomic.Value
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var at, sum string
		for part := range strings.SplitSeq(r.Header.Get("X-Parley-Signature"), ",") {
			key, value, _ := strings.Cut(part, "=")
			switch key {
			case "t":
				at = value
			case "v1":
				sum = value
			}
		}
		mac := hmac.New(sha256.New, []byte(httpSecret))
		fmt.Fprintf(mac, "%s.%s", at, body)
		var q TurnRequest
		if err := json.Unmarshal(body, &q); err != nil || sum != hex.EncodeToString(mac.Sum(nil)) || q.ThreadID != "thread" || q.IsOwner || q.Classification != "PUBLIC" || len(q.Pending) != 1 || strings.Contains(string(body), httpSecret) {
			bad.Store(fmt.Sprint(r.Header, string(body), err))
		}
		asJSON(`{"replies":[{"content":"A"}]}`)(w, r)
	}))
	t.Cleanup(srv.Close)
	r := chat("?: hi")
	r.Classification = "PUBLIC"
	if _, err := askModel(t, httpAgent(srv.URL), Deps{}, 0, r, &tape{}); err != nil || bad.Load() != nil {
		t.Fatal(err, bad.Load())
	}
}

// silent waits until the caller has gone, which a server notices once it has read the request.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestHTTPAgentFailures(t *testing.T) {
	t.Parallel()
	abort := func(w http.ResponseWriter, r *http.Request) {
		asStream(`delta {"content":"A"}`)(w, r)
		panic(http.ErrAbortHandler)
	}
	var many []string
	for i := range mostReplies + 1 {
		many = append(many, fmt.Sprintf(`{"content":"%d"}`, i))
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = io.WriteString(z, `{"replies":[{"content":"`)
	for range 200 {
		_, _ = z.Write(bytes.Repeat([]byte("x"), 1<<20))
	}
	_ = z.Close()
	for name, tt := range map[string]struct {
		does      http.HandlerFunc
		want      string
		permanent bool
	}{
		"not JSON":    {asJSON(`hello`), "sent something that is not JSON", false},
		"HTML":        {replies("text/html", `<p>hi`), "sent something that is not JSON", false},
		"half":        {asJSON(`{"replies":[{"content":"A"`), "sent something that is not JSON", false},
		"two":         {asJSON(`{"replies":[]}{}`), "sent something that is not JSON", false},
		"a list":      {asJSON(`[]`), "sent JSON that is not an answer", false},
		"null":        {asJSON(`null`), "sent JSON that is not an answer", false},
		"other types": {asJSON(`{"replies":"A"}`), "sent JSON that is not an answer", false},
		"no content":  {asJSON(`{"replies":[{"text":"A"}]}`), "sent JSON that is not an answer", false},
		"empty":       {asJSON(`{}`), "gave an empty answer", false},
		"blank":       {asJSON(`{"replies":[{"content":"  "}]}`), "gave an empty answer", false},
		"too many":    {asJSON(`{"replies":[` + strings.Join(many, ",") + `]}`), "gave more than 10 replies", false},
		"too large":   {asJSON(`{"replies":[{"content":"` + strings.Repeat("x", 1<<20) + `"}]}`), "answer too large", false},
		"gzip bomb": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, "answer too large", false},
		"stream, cut":     {abort, "broke off in the middle of its answer", false},
		"stream, no done": {asStream(`delta {"content":"A"}`), "broke off in the middle of its answer", false},
		"stream, bad":     {asStream(`delta {"content":`), "sent something that is not JSON", false},
		"stream, types":   {asStream(`reply {"content":5}`), "sent JSON that is not an answer", false},
		"stream, empty":   {asStream(`done`), "gave an empty answer", false},
		"silence":         {silent, "said nothing for 0.5 s", false},
		"stream, silence": {func(w http.ResponseWriter, r *http.Request) {
			asStream(`delta {"content":"A"}`)(w, r)
			<-r.Context().Done()
		}, "did not finish within 0.5 s", false},
		"401": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, "answered with status 401: it refused our credentials", true},
		"204": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "answered with status 204", false},
		"503": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "answered with status 503", false},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		}, "answered with status 302: redirects are not followed", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.does)
			t.Cleanup(srv.Close)
			a := httpAgent(srv.URL)
			if strings.Contains(name, "silence") {
				a = httpAgent(srv.URL, func(c map[string]any) { c["timeout_seconds"] = 0.5 })
			}
			sink := &tape{}
			got, err := askModel(t, a, Deps{}, 0, chat("?: hi"), sink)
			wantFailure(t, err, tt.want, tt.permanent)
			if got.Reply != nil || len(sink.replies) > 0 || len(stepsOf(sink, domain.ModelCall)) != 1 {
				t.Errorf("%+v, said %v", got, sink.replies)
			}
			if strings.Contains(fmt.Sprint(err, sink.steps), httpSecret) {
				t.Error("the secret shows")
			}
		})
	}
}

func TestHTTPAgentDoesNotConnect(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url       func(*testing.T) string
		want      string
		permanent bool
	}{
		"nobody there": {func(t *testing.T) string { return "http://" + deaf(t, false) }, "could not connect: connection refused", false},
		"metadata":     {func(*testing.T) string { return "http://169.254.169.254/" }, "could not connect: its address is not allowed", true},
		"not HTTP":     {func(t *testing.T) string { return "http://" + raw(t, "SSH-2.0-nope\r\n\r\n") }, "it does not speak HTTP", false},
		"hangs up":     {func(t *testing.T) string { return "http://" + raw(t, "") }, "closed without an answer", false},
		"stranger's":   {func(t *testing.T) string { return strings.Replace(untrusted(t), "wss://", "https://", 1) }, "TLS handshake failed", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := tt.url(t)
			_, err := askModel(t, httpAgent(url), Deps{}, 0, chat("?: hi"), &tape{})
			if name == "hangs up" { // it may be seen as a reset
				if f, _ := errors.AsType[*Failure](err); f == nil || f.Permanent {
					t.Fatal(err)
				}
				return
			}
			wantFailure(t, err, tt.want, tt.permanent)
		})
	}
}

func TestHTTPAgentWithoutBudgetIsNotAsked(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); asJSON(`{}`)(w, r) }))
	t.Cleanup(srv.Close)
	_, err := askModel(t, httpAgent(srv.URL), Deps{Purse: &purse{}}, 0, chat("?: hi"), &tape{})
	if f, _ := errors.AsType[*Failure](err); f == nil || f.Skip != domain.SkipBudgetExceeded || asked.Load() != 0 {
		t.Fatalf("%v, asked %d times", err, asked.Load())
	}
}

func FuzzReadSSE(f *testing.F) {
	f.Add("event: delta\ndata: {\"content\":\"A\"}\n\n")
	f.Add(": c\r\n\r\ndata:a\rdata: b\r\rid: 5\n\n\xef")
	f.Fuzz(func(t *testing.T, in string) {
		var whole, slow []string
		for e, err := range readSSE(strings.NewReader(in)) {
			if err != nil {
				break
			}
			if strings.ContainsAny(string(e.data), "\r") || strings.ContainsAny(e.name, "\r\n") {
				t.Fatalf("%q has a line break within a field: %+v", in, e)
			}
			whole = append(whole, e.name+"="+string(e.data))
		}
		for e, err := range readSSE(&oneByOne{strings.NewReader(in)}) {
			if err != nil {
				break
			}
			slow = append(slow, e.name+"="+string(e.data))
		}
		if fmt.Sprintf("%q", whole) != fmt.Sprintf("%q", slow) {
			t.Fatalf("%q reads %q at once and %q byte by byte", in, whole, slow)
		}
	})
}

type oneByOne struct{ io.Reader }

func (o *oneByOne) Read(b []byte) (int, error) { return o.Reader.Read(b[:min(1, len(b))]) }

func FuzzHTTPAnswer(f *testing.F) {
	f.Add(`{"replies":[{"content":"A","citations":[{"title":"T"}]}],"handoff":{"reason":"r"},"usage":{"cost_usd":1}}`)
	f.Add(`{"replies":[{"content":"![<img>"}]}`)
	f.Fuzz(func(t *testing.T, in string) {
		a, err := decodeHTTPAnswer(strings.NewReader(in))
		for _, name := range []string{"delta", "thinking", "reply", "handoff", "usage", "done", ""} {
			e, err := decodeHTTPEvent(sseEvent{name: name, data: []byte(in)})
			if err == nil && e.reply != nil {
				wantSafe(t, *e.reply)
			}
		}
		if err != nil {
			return
		}
		if len(a.Replies) > mostReplies || a.Usage.CostUSD < 0 || a.Usage.PromptTokens < 0 {
			t.Fatalf("%q gives %+v", in, a)
		}
		for _, r := range a.Replies {
			wantSafe(t, r)
		}
	})
}

func wantSafe(t *testing.T, r Reply) {
	t.Helper()
	if strings.TrimSpace(r.Content) == "" && r.Content != "" || strings.ContainsRune(r.Content, 0) || strings.Contains(r.Content, "![") {
		t.Fatalf("reply %q", r.Content)
	}
	for _, c := range r.Citations {
		if c.URL != "" && !strings.HasPrefix(c.URL, "http") {
			t.Fatalf("cites %q", c.URL)
		}
	}
}

func FuzzModelStream(f *testing.F) {
	f.Add("data: " + text("A") + "\n\ndata: " + finished + "\n\ndata: [DONE]\n\n")
	f.Add(`data: {"choices":[{"delta":{"reasoning":{"a":1},"reasoning_content":"hm"}},{"delta":7}]}` + "\n\n")
	f.Add(`data: {"choices":[{"delta":{"tool_calls":[{"index":9,"id":"x","function":{"arguments":"{"}}]}}]}` + "\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, kind := range []string{"text/event-stream", "application/json"} {
			var out completion
			said, failed := "", false
			for piece, err := range readCompletion(strings.NewReader(in), kind, &out) {
				said, failed = said+piece.Text, failed || err != nil
			}
			if !failed && out.Finish == "" {
				t.Fatalf("%q ended well without an end", in)
			}
			if !failed && said != out.Content || len(out.Calls) > callsLimit {
				t.Fatalf("%q said %q, is %+v", in, said, out)
			}
		}
	})
}
