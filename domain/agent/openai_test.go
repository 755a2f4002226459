package agent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

// deltas is a tape that also keeps the deltas and when they came, and the thoughts.
type deltas struct {
	tape
	text    string
	thought string
	at      []time.Time
}

func (d *deltas) Think(text string) { d.thought += text }
func (d *deltas) Delta(text string) { d.text += text; d.at = append(d.at, time.Now()) }

func priced(c map[string]any) { c["input_cost_per_mtok"], c["output_cost_per_mtok"] = 1000.0, 2000.0 }

func TestModelAnswers(t *testing.T) {
	t.Parallel()
	m := newModel(t, says("Hel", "lo **you**", "! ![x](https://evil.example/p.png) bye\x00"))
	sink := &deltas{}
	p := &purse{left: 100}
	got, err := askModel(t, modelAgent(m.URL, priced), Deps{Purse: p}, 0, chat("?: hi"), sink)
	if err != nil {
		t.Fatal(err)
	}
	if got.Reply == nil || got.Reply.Content != "Hello **you**! [x](https://evil.example/p.png) bye" || got.Reply.ContentType != domain.Markdown {
		t.Errorf("reply %+v", got.Reply)
	}
	if want := (Usage{100, 20, 0.14}); got.Usage.PromptTokens != 100 || got.Usage.CompletionTokens != 20 || math.Abs(got.Usage.CostUSD-0.14) > 1e-9 {
		t.Errorf("usage %+v, want %+v", got.Usage, want)
	}
	if !strings.HasPrefix("Hello **you**!", sink.text[:min(len(sink.text), 5)]) || sink.text == "" {
		t.Errorf("deltas %q", sink.text)
	}
	if len(p.held) != 1 || p.held[0].Session != "thread" || len(p.settled) != 1 || math.Abs(p.settled[0]-0.14) > 1e-9 || p.held[0].USD < 0.14 {
		t.Errorf("held %+v, settled %v", p.held, p.settled)
	}
	if m.auth[0] != "Bearer "+modelKey || m.asked[0].MaxTokens != 1024 || m.asked[0].Temperature != nil || len(m.asked[0].Tools) != 4 {
		t.Errorf("asked %+v", m.asked[0])
	}
	d := stepsOf(&sink.tape, domain.ModelCall)[0]
	for key, want := range map[string]any{"model": "tiny", "prompt_tokens": 100, "completion_tokens": 20, "finish": "stop"} {
		if d[key] != want {
			t.Errorf("%s = %v, want %v", key, d[key], want)
		}
	}
	first, _ := d["first_token_ms"].(float64)
	if total, _ := d["ms"].(float64); first <= 0 || total < first || d["prompt"] == nil || d["response"] == nil {
		t.Errorf("model_call %v", d)
	}
}

func TestModelStreamsThatEndOddly(t *testing.T) {
	t.Parallel()
	short := func(c map[string]any) { c["timeout_seconds"] = 0.4 }
	for name, tt := range map[string]struct {
		does      act
		change    func(map[string]any)
		want      string // of the failure; empty = it answers "Hello"
		permanent bool
	}{
		"thinks aloud":         {chunks(text("<thi"), text("nk>the visitor wants</think>\n"), text("\nHel"), text("lo"), finished, over), nil, "", false},
		"no usage":             {chunks(text("Hello"), finished, over), nil, "", false},
		"no [DONE]":            {chunks(text("Hello"), finished), nil, "", false},
		"no finish_reason":     {chunks(text("Hello"), over), nil, "", false},
		"stalls once finished": {chunks(text("Hello"), finished).then(stall), nil, "", false},
		"cut once finished":    {chunks(text("Hello"), finished).then(hangUp), nil, "", false},
		"no stream":            {refuse(200, `{"choices":[{"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`, "Content-Type", "application/json; charset=utf-8"), nil, "", false},
		"comments and CRLF":    {refuse(200, ": keep-alive\r\n\r\ndata:"+text("Hello")+"\r\n\r\ndata: "+finished+"\r\n\r\n", "Content-Type", "text/event-stream"), nil, "", false},
		"length":               {chunks(text("Hello"), `{"choices":[{"delta":{},"finish_reason":"length"}]}`, over), nil, "", false},

		"ends early":       {chunks(text("Hel")), nil, "broke off in the middle of its answer", false},
		"cut":              {chunks(text("Hel")).then(hangUp), nil, "broke off in the middle of its answer", false},
		"stalls":           {chunks(text("Hel")).then(stall), nil, "fell silent for 0.3 s in the middle of its answer", false},
		"never answers":    {stall, short, "said nothing for 0.4 s", false},
		"empty":            {chunks(finished, over), nil, "gave an empty answer", false},
		"filtered":         {chunks(`{"choices":[{"delta":{},"finish_reason":"content_filter"}]}`, over), nil, "its provider's content filter stopped the answer", true},
		"bad JSON":         {chunks(text("Hel"), `{"choices":`), nil, "sent something that is not a chat completion", false},
		"HTML":             {refuse(200, "<html>", "Content-Type", "text/html"), nil, "broke off in the middle of its answer", false},
		"error in stream":  {chunks(text("Hel"), `{"error":{"message":"overloaded, key `+modelKey+`"}}`), nil, "reported an error: overloaded, key ********", false},
		"endless":          {endless, nil, "answer too large", false},
		"one huge event":   {chunks(text(strings.Repeat("x", 2<<20))), nil, "answer too large", false},
		"200 without body": {refuse(200, ""), nil, "broke off in the middle of its answer", false},

		"401":      {refuse(401, `{"error":{"message":"Incorrect API key provided: sk-abcdef***yz"}}`), nil, "answered with status 401: it refused our credentials: Incorrect API key provided: ********", true},
		"403":      {refuse(403, ``), nil, "answered with status 403: it refused our credentials", true},
		"404":      {refuse(404, `{"error":"model 'tiny' not found"}`), nil, "answered with status 404: what we asked for is not there: model 'tiny' not found", true},
		"400":      {refuse(400, `{"message":"bad\ntool"}`), nil, "answered with status 400: bad tool", true},
		"408":      {refuse(408, ``), nil, "answered with status 408", false},
		"409":      {refuse(409, ``), nil, "answered with status 409", false},
		"429":      {refuse(429, ``), nil, "answered with status 429: it is asked too much at the moment", false},
		"500":      {refuse(500, `no JSON`), nil, "answered with status 500", false},
		"503":      {refuse(503, ``), nil, "answered with status 503", false},
		"redirect": {refuse(302, ``, "Location", "http://169.254.169.254/"), nil, "answered with status 302: redirects are not followed", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, tt.does)
			a := modelAgent(m.URL)
			if tt.change != nil {
				a = modelAgent(m.URL, tt.change)
			}
			sink := &tape{}
			got, err := askModel(t, a, Deps{}, 300*time.Millisecond, chat("?: hi"), sink)
			if m.calls() != 1 || len(stepsOf(sink, domain.ModelCall)) != 1 {
				t.Errorf("%d calls, steps %v", m.calls(), sink.steps)
			}
			if tt.want == "" {
				if err != nil || got.Reply == nil || got.Reply.Content != "Hello" {
					t.Fatalf("%+v, %v", got.Reply, err)
				}
				return
			}
			wantFailure(t, err, tt.want, tt.permanent)
			if got.Reply != nil || got.Handoff != nil || len(sink.replies) > 0 {
				t.Errorf("a failed attempt left %+v %v", got, sink.replies)
			}
		})
	}
}

func endless(w http.ResponseWriter, r *http.Request, _ modelRequest) {
	w.Header().Set("Content-Type", "text/event-stream")
	for r.Context().Err() == nil {
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text(strings.Repeat("x", 4000))); err != nil {
			return
		}
	}
}

func TestModelRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, tt := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"none":         {http.Header{}, 0},
		"seconds":      {http.Header{"Retry-After": {"7"}}, 7 * time.Second},
		"date":         {http.Header{"Retry-After": {now.Add(90 * time.Second).UTC().Format(http.TimeFormat)}}, 90 * time.Second},
		"past":         {http.Header{"Retry-After": {now.Add(-time.Hour).UTC().Format(http.TimeFormat)}}, 0},
		"negative":     {http.Header{"Retry-After": {"-3"}}, 0},
		"milliseconds": {http.Header{"Retry-After-Ms": {"250"}, "Retry-After": {"1"}}, 250 * time.Millisecond},
		"a year":       {http.Header{"Retry-After": {"31536000"}}, time.Hour},
		"nonsense":     {http.Header{"Retry-After": {"soon"}}, 0},
	} {
		if got := retryAfter(tt.header, now); got > tt.want || got < tt.want-time.Second {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	m := newModel(t, refuse(429, ``, "Retry-After", "7"))
	_, err := askModel(t, modelAgent(m.URL), Deps{}, 0, chat("?: hi"), &tape{})
	if f, _ := errors.AsType[*Failure](err); f == nil || f.RetryAfter != 7*time.Second {
		t.Errorf("%+v", err)
	}
}

func TestModelBudgets(t *testing.T) {
	t.Parallel()
	search := calls(toolSearch, map[string]any{"query": "returns"})
	for name, tt := range map[string]struct {
		left   float64
		change func(map[string]any)
		acts   []act
		want   string
		skip   domain.SkipReason
		calls  int
	}{
		"nothing left":    {0, priced, []act{says("no")}, "the daily budget is used up", domain.SkipBudgetExceeded, 0},
		"not enough left": {0.5, priced, []act{says("no")}, "the daily budget is used up", domain.SkipBudgetExceeded, 0},
		"used up midway":  {5, priced, []act{search}, "stopped: the daily budget is used up", "", 1},
		"free of charge":  {0, nil, []act{says("Hello")}, "", "", 1},
		"turn's own":      {100, func(c map[string]any) { priced(c); c["turn_budget_usd"] = 0.5 }, []act{says("no")}, "stopped: another call could cost more than is left of the turn's $0.5", "", 0},
		"tokens":          {100, func(c map[string]any) { c["max_output_tokens"] = 20 }, []act{search}, "used up its 20 output tokens", "", 1},
		"steps":           {100, func(c map[string]any) { c["max_steps"] = 3 }, []act{search}, "used up its 3 steps without an answer", "", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, tt.acts...)
			a := modelAgent(m.URL)
			if tt.change != nil {
				a = modelAgent(m.URL, tt.change)
			}
			got, err := askModel(t, a, Deps{Purse: &purse{left: tt.left}}, 0, chat("?: hi"), &tape{})
			if m.calls() != tt.calls {
				t.Errorf("%d calls, want %d", m.calls(), tt.calls)
			}
			if tt.want == "" {
				if err != nil || got.Reply == nil {
					t.Fatal(got, err)
				}
				return
			}
			f, ok := errors.AsType[*Failure](err)
			if !ok || f.Reason != tt.want || f.Skip != tt.skip {
				t.Fatalf("%+v", err)
			}
		})
	}
}

func TestModelMoneyOfFailedCalls(t *testing.T) {
	t.Parallel()
	refused, cut := newModel(t, refuse(500, "")), newModel(t, chunks(text(strings.Repeat("word ", 60))).then(hangUp))
	p := &purse{left: 1000}
	_, _ = askModel(t, modelAgent(refused.URL, priced), Deps{Purse: p}, 0, chat("?: hi"), &tape{})
	got, _ := askModel(t, modelAgent(cut.URL, priced), Deps{Purse: p}, 0, chat("?: hi"), &tape{})
	if len(p.settled) != 2 || p.settled[0] != 0 || p.settled[1] <= 0.2 || got.Usage.CostUSD != p.settled[1] {
		t.Errorf("settled %v, usage %+v: a refused call is free, a broken one costs about what came of it", p.settled, got.Usage)
	}
}

func TestModelIsCutShortByItsCaller(t *testing.T) {
	t.Parallel()
	m := newModel(t, chunks(text("Hel")).then(stall))
	rt, err := New(modelAgent(m.URL), Deps{Outbound: &Outbound{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	taken := errors.New("taken")
	sink := &deltas{}
	done := make(chan error, 1)
	go func() { _, err := rt.Turn(ctx, chat("?: hi"), sink); done <- err }()
	for m.calls() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel(taken)
	if err := <-done; !errors.Is(err, taken) {
		t.Errorf("%v", err)
	}
}

func TestModelDeltasAreFewerThanTenASecond(t *testing.T) {
	t.Parallel()
	var data []string
	for i := range 300 {
		data = append(data, text(fmt.Sprint(i, " ")))
	}
	m := newModel(t, func(w http.ResponseWriter, r *http.Request, q modelRequest) {
		for _, d := range data {
			chunks(d)(w, r, q)
			time.Sleep(2 * time.Millisecond)
		}
		chunks(finished, over)(w, r, q)
	})
	sink := &deltas{}
	got, err := askModel(t, modelAgent(m.URL), Deps{}, 0, chat("?: hi"), sink)
	if err != nil || !strings.HasPrefix(got.Reply.Content, strings.TrimSpace(sink.text)) || len(sink.at) < 2 {
		t.Fatalf("%v; %d deltas", err, len(sink.at))
	}
	if took := sink.at[len(sink.at)-1].Sub(sink.at[0]); len(sink.at) > int(took/deltaPause)+2 { // one at each end, and one seen late
		t.Errorf("%d deltas within %v", len(sink.at), took)
	}
}

func shopArticles() []domain.Passage { return []domain.Passage{returns} }
