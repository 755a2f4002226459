package agent

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/parley-chat/parley/domain"
)

const mostReplies = 10 // of one answer

// httpRuntime posts the turn to a service of the owner's (its answers are in http_answer.go).
type httpRuntime struct {
	config domain.HTTPConfig
	secret string
	client *http.Client
	purse  Purse
	log    *slog.Logger
	now    func() time.Time
}

func newHTTP(a domain.Agent, d Deps) (Runtime, error) {
	config, err := domain.ParseHTTPConfig(a.Config)
	if err != nil {
		return nil, err
	}
	return &httpRuntime{
		config: config, secret: a.Secrets[domain.SigningSecret], client: d.Outbound.Client(), purse: d.Purse,
		log: d.Log.With("agent", a.ID), now: time.Now,
	}, nil
}

// SignatureHeader carries the time of sending and HMACs over it and the body.
const SignatureHeader = "X-Parley-Signature"

// Signature is what SignatureHeader holds: one HMAC for each secret, since two are good while one takes over from the other.
func Signature(at time.Time, body []byte, secrets ...string) string {
	t := strconv.FormatInt(at.Unix(), 10)
	s := "t=" + t
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(t + "."))
		mac.Write(body)
		s += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	return s
}

// Turn posts once and takes either kind of answer: JSON, whose last reply ends the turn, or a stream, whose replies go out as they come.
func (h *httpRuntime) Turn(ctx context.Context, r TurnRequest, sink Sink) (Result, error) {
	if len(pendingLines(r)) == 0 {
		return Result{}, &Failure{Reason: "there was nothing to answer", Permanent: true, Err: errNothingPending}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return Result{}, &Failure{Reason: "the request could not be encoded", Permanent: true, Err: err}
	}
	settle, err := holdFrom(ctx, h.purse, r, 0, false, func(err error) {
		h.log.ErrorContext(ctx, "could not count what a turn cost", "turn", r.TurnID, "err", err)
	})
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := timed(ctx, h.config.Timeout())
	defer cancel()
	gentle, stop := pace(sink)
	defer stop()
	x := &httpExchange{httpRuntime: h, sink: gentle, began: time.Now(), body: body}
	result, err := x.run(ctx)
	result.Usage = x.usage
	settle(x.usage.CostUSD)
	x.record(err)
	return result, err
}

// httpExchange is one request and its answer.
type httpExchange struct {
	*httpRuntime
	sink    Sink
	began   time.Time
	body    []byte
	connect time.Duration
	first   time.Duration // from the connection to the first reply or delta
	status  int
	said    []Reply
	handoff *Handoff
	usage   Usage
}

func (x *httpExchange) run(ctx context.Context) (Result, error) {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "User-Agent": {"Parley"}}
	if x.secret != "" {
		header.Set(SignatureHeader, Signature(x.now(), x.body, x.secret))
	}
	a, err := post{client: x.client, url: x.config.URL, header: header, body: x.body, whole: x.config.Timeout(), limit: answerLimit}.send(ctx)
	if err != nil {
		return Result{}, err
	}
	defer a.Close()
	x.connect, x.status = a.connect, a.StatusCode
	if a.StatusCode != http.StatusOK {
		return Result{}, refusal(a.StatusCode, a.Header)
	}
	media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if media == "text/event-stream" {
		return x.stream(ctx, a)
	}
	return x.whole(ctx, a)
}

func (x *httpExchange) whole(ctx context.Context, a *posted) (Result, error) {
	in, err := decodeHTTPAnswer(a)
	if err != nil {
		return Result{}, x.unreadable(a, err)
	}
	x.spoke()
	x.usage = in.Usage
	replies := in.Replies
	if len(replies) == 0 && in.Handoff == nil {
		return Result{}, &Failure{Reason: "gave an empty answer"}
	}
	result := Result{Handoff: in.Handoff}
	for i, r := range replies {
		x.said = append(x.said, r)
		if i == len(replies)-1 {
			result.Reply = &r
		} else if err := x.sink.Reply(ctx, r); err != nil {
			return Result{}, err
		}
	}
	return result, nil
}

func (x *httpExchange) stream(ctx context.Context, a *posted) (Result, error) {
	for e, err := range readSSE(a) {
		if err != nil {
			return Result{}, x.unreadable(a, err)
		}
		in, err := decodeHTTPEvent(e)
		if err != nil {
			return Result{}, x.unreadable(a, err)
		}
		switch {
		case in.done:
			return x.done()
		case in.delta != "":
			x.spoke()
			x.sink.Delta(in.delta)
		case in.thought != "":
			x.sink.Think(in.thought)
		case in.reply != nil:
			if len(x.said) == mostReplies {
				return Result{}, x.unreadable(a, errReplies)
			}
			x.spoke()
			if err := x.sink.Reply(ctx, *in.reply); err != nil {
				return Result{}, err
			}
			x.said = append(x.said, *in.reply)
		case in.handoff != nil:
			x.handoff = in.handoff
		case in.usage != nil:
			x.usage = *in.usage
		}
	}
	return Result{}, x.unreadable(a, errCut)
}

func (x *httpExchange) done() (Result, error) {
	if len(x.said) == 0 && x.handoff == nil {
		return Result{}, &Failure{Reason: "gave an empty answer"}
	}
	return Result{Handoff: x.handoff}, nil
}

func (x *httpExchange) spoke() {
	if x.first == 0 {
		x.first = max(time.Since(x.began)-x.connect, 1)
	}
}

// unreadable names what was wrong with the answer.
func (x *httpExchange) unreadable(a *posted, err error) *Failure {
	switch err {
	case errNotJSON:
		return &Failure{Reason: "sent something that is not JSON"}
	case errNotAFrame:
		return &Failure{Reason: "sent JSON that is not an answer"}
	case errReplies:
		return &Failure{Reason: fmt.Sprintf("gave more than %d replies", mostReplies)}
	}
	return a.broken(err)
}

func (x *httpExchange) record(err error) {
	detail := map[string]any{
		"kind": string(domain.AgentHTTP), "ms": millis(time.Since(x.began)), "responses": len(x.said), "prompt": json.RawMessage(x.body),
	}
	if x.status != 0 {
		detail["status"] = x.status
	}
	if x.connect > 0 {
		detail["connect_ms"] = millis(x.connect)
	}
	if x.first > 0 {
		detail["first_response_ms"] = millis(x.first)
	}
	if x.usage != (Usage{}) {
		detail["prompt_tokens"], detail["completion_tokens"], detail["cost_usd"] = x.usage.PromptTokens, x.usage.CompletionTokens, x.usage.CostUSD
	}
	if len(x.said) > 0 {
		detail["response"] = x.said
	}
	if err != nil {
		detail["error"] = explain(err)
	}
	x.sink.Step(Step{Kind: domain.ModelCall, After: time.Since(x.began), Detail: detail})
}
