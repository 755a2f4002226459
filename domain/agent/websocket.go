package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
)

const (
	answerLimit = 1 << 20                // bytes of one frame
	closeGrace  = 250 * time.Millisecond // for the closing handshake; the reply waits for it, so it is short
	faultChars  = 200                    // of a reason that quotes the agent
)

// socketRuntime asks an external service over one WebSocket connection per turn (its frames are in websocket_frames.go).
type socketRuntime struct {
	config domain.WebSocketConfig
	header http.Header
	client *http.Client
	log    *slog.Logger
}

func newWebSocket(a domain.Agent, d Deps) (Runtime, error) {
	config, err := domain.ParseWebSocketConfig(a.Config)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	for name, value := range a.Headers() {
		header.Set(name, value)
	}
	return &socketRuntime{config: config, header: header, client: d.Outbound.Client(), log: d.Log.With("agent", a.ID)}, nil
}

// Turn sends every answer but the last through the sink as it comes. An agent that closes or falls silent after its first
// answer has said what it had to say; one that reports an error has failed, whatever it sent before.
func (s *socketRuntime) Turn(ctx context.Context, r TurnRequest, sink Sink) (Result, error) {
	frame, err := encodeChatMessage(r)
	if err != nil {
		return Result{}, &Failure{Reason: "there was nothing to answer", Permanent: true, Err: err}
	}
	x := exchange{socketRuntime: s, sink: sink, began: time.Now()}
	if err := x.connect(ctx); err != nil {
		x.record()
		return Result{}, err
	}
	defer x.close(ctx)
	defer x.record()
	return x.run(ctx, frame)
}

// exchange is one connection's life.
type exchange struct {
	*socketRuntime
	sink      Sink
	socket    *websocket.Conn
	wire      net.Conn // under the socket
	began     time.Time
	connected time.Time // zero = never
	answered  time.Time // the first answer; zero = none
	responses int
}

// record leaves the exchange in the flight recorder, however it ended.
func (x *exchange) record() {
	now := time.Now()
	detail := map[string]any{"kind": string(domain.AgentWebSocket), "ms": millis(now.Sub(x.began)), "responses": x.responses}
	if !x.connected.IsZero() {
		detail["connect_ms"] = millis(x.connected.Sub(x.began))
	}
	if !x.answered.IsZero() {
		detail["first_response_ms"] = millis(x.answered.Sub(x.connected))
	}
	x.sink.Step(Step{Kind: domain.ModelCall, After: now.Sub(x.began), Detail: detail})
}

func (x *exchange) connect(ctx context.Context) error {
	dialing, cancel := context.WithTimeout(ctx, x.config.ConnectTimeout())
	defer cancel()
	var tlsFailed atomic.Bool // the trace may run on a goroutine that outlives the dial
	var wire atomic.Pointer[net.Conn]
	dialing = httptrace.WithClientTrace(dialing, &httptrace.ClientTrace{
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) { tlsFailed.Store(err != nil) },
		GotConn:          func(got httptrace.GotConnInfo) { wire.Store(&got.Conn) },
	})
	socket, resp, err := websocket.Dial(dialing, x.config.URL, &websocket.DialOptions{
		HTTPClient: x.client, HTTPHeader: x.header, CompressionMode: websocket.CompressionDisabled,
	})
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return cutShort(ctx)
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		f := refusedWith(resp.StatusCode, err)
		f.RetryAfter = retryAfter(resp.Header, time.Now())
		return f
	case resp != nil:
		return outage("could not connect: it does not speak WebSocket", err)
	case dialing.Err() != nil:
		return outage("could not connect: timed out after "+inSeconds(x.config.ConnectTimeout()), err)
	case tlsFailed.Load(), errors.Is(err, http.ErrSchemeMismatch):
		return outage("TLS handshake failed", err)
	default:
		return unconnected(err, wire.Load() != nil)
	}
	socket.SetReadLimit(answerLimit)
	x.socket, x.connected = socket, time.Now()
	if c := wire.Load(); c != nil {
		x.wire = *c
	}
	return nil
}

// refusedWith is a handshake that was answered with another status. What the client did wrong stays wrong, but for the
// two that mean "later".
func refusedWith(status int, err error) *Failure {
	later := status == http.StatusRequestTimeout || status == http.StatusTooManyRequests
	return &Failure{
		Reason:    fmt.Sprintf("answered with status %d", status),
		Permanent: status >= 400 && status < 500 && !later,
		Fault:     faultOf(status),
		Err:       err,
	}
}

// close says goodbye if there is time, and hangs up in any case.
func (x *exchange) close(ctx context.Context) {
	if ctx.Err() != nil || x.wire == nil {
		_ = x.socket.CloseNow()
		return
	}
	_ = x.wire.SetDeadline(time.Now().Add(closeGrace)) // the library alone would wait five seconds for the other side
	_ = x.socket.Close(websocket.StatusNormalClosure, "")
}

func (x *exchange) run(ctx context.Context, frame []byte) (Result, error) {
	timed, cancel := context.WithTimeout(ctx, x.config.Timeout())
	defer cancel()
	if err := x.socket.Write(timed, websocket.MessageText, frame); err != nil {
		return x.ended(ctx, timed, err)
	}
	for {
		_, data, err := x.socket.Read(timed) // a binary frame that holds JSON is as good as a text one
		if err != nil {
			return x.ended(ctx, timed, err)
		}
		in, err := decodeFrame(data)
		if err != nil {
			return Result{}, x.unreadable(err)
		}
		result, done, err := x.take(ctx, timed, in)
		if done || err != nil {
			return result, err
		}
	}
}

// take acts on one frame and reports whether it was the last one.
func (x *exchange) take(ctx, timed context.Context, in inbound) (_ Result, done bool, err error) {
	switch {
	case in.pong != nil:
		if err := x.socket.Write(timed, websocket.MessageText, in.pong); err != nil {
			result, err := x.ended(ctx, timed, err)
			return result, true, err
		}
		return Result{}, false, nil
	case in.fault != nil:
		return Result{}, true, &Failure{Reason: x.reported(*in.fault)}
	case in.reply.Content == "":
		if in.final && x.responses == 0 {
			return Result{}, true, &Failure{Reason: "gave an empty answer"}
		}
		if !in.final && in.kind != "chat_message" {
			x.log.DebugContext(ctx, "ignored a frame of an agent", "type", in.kind)
		}
		return Result{}, in.final, nil
	}
	if x.responses++; x.responses == 1 {
		x.answered = time.Now()
	}
	if in.final || x.responses >= x.config.MaxResponses {
		return Result{Reply: &in.reply}, true, nil
	}
	return Result{}, false, x.sink.Reply(ctx, in.reply)
}

// ended is what the end of the connection means: the end of the answers if there were any, else a failure.
func (x *exchange) ended(ctx, timed context.Context, err error) (Result, error) {
	switch {
	case ctx.Err() != nil:
		return Result{}, cutShort(ctx)
	case errors.Is(err, websocket.ErrMessageTooBig):
		return Result{}, outage("answer too large", err)
	case x.responses > 0:
		return Result{}, nil
	case timed.Err() != nil:
		return Result{}, outage("said nothing for "+inSeconds(x.config.Timeout()), err)
	}
	reason := "closed without an answer"
	if c, ok := errors.AsType[websocket.CloseError](err); ok && c.Code != websocket.StatusNormalClosure && c.Code != websocket.StatusNoStatusRcvd {
		reason += fmt.Sprintf(" (code %d)", c.Code) // its reason phrase goes to the log only
	}
	return Result{}, outage(reason, err)
}

func (x *exchange) unreadable(err error) *Failure {
	if errors.Is(err, errNotJSON) {
		return &Failure{Reason: "sent something that is not JSON", Err: err}
	}
	return &Failure{Reason: "sent JSON that is not an answer", Err: err}
}

// reported quotes an agent's error on one line, without the secrets it was sent.
func (x *exchange) reported(words string) string {
	for _, values := range x.header {
		for _, secret := range values {
			_, token, _ := strings.Cut(secret, " ") // the part after Bearer or Basic alone, too
			words = redact(redact(words, secret), token)
		}
	}
	if words = strings.Join(strings.Fields(words), " "); words == "" {
		return "reported an error"
	}
	return clip("reported an error: "+words, faultChars)
}

// redact leaves very short values alone: they are no secrets, and would tear words apart.
func redact(words, secret string) string {
	if len(secret) < 6 {
		return words
	}
	return strings.ReplaceAll(words, secret, domain.Masked)
}

// cutShort is a turn that its caller ended. The cause stays visible to errors.Is.
func cutShort(ctx context.Context) *Failure {
	return &Failure{Reason: "was cut short", Err: context.Cause(ctx)}
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%g s", d.Seconds()) }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
