package agent

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parley-chat/parley/domain"
)

const dialLimit = 10 * time.Second // for DNS, TCP and TLS together

// post is a request to a service of the owner's whose answer is read as it comes.
type post struct {
	client *http.Client
	url    string
	header http.Header
	body   []byte
	whole  time.Duration // the timeout of the context, for words only
	idle   time.Duration // longest silence once the answer has begun; 0 = only the context bounds it
	limit  int64         // bytes of the answer, after unpacking
}

var (
	errTimeout   = errors.New("agent: the agent's own timeout")
	errNoDial    = errors.New("agent: connecting took too long")
	errSilent    = errors.New("agent: the answer fell silent")
	errAnswerBig = errors.New("agent: the answer is too large")
)

// posted is the response to a post. Close it.
type posted struct {
	*http.Response
	post
	ctx     context.Context
	end     context.CancelCauseFunc
	silence *time.Timer // nil = silence is allowed
	left    int64
	connect time.Duration // until the connection stood; 0 = it stood already
}

// send posts and waits for the head of the answer, whatever its status. It fails with *Failure.
func (p post) send(ctx context.Context) (*posted, error) {
	ctx, end := context.WithCancelCause(ctx)
	began := time.Now()
	dialing := time.AfterFunc(dialLimit, func() { end(errNoDial) })
	var tlsFailed atomic.Bool // the trace may run on a goroutine that outlives the dial
	var connected atomic.Int64
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) { tlsFailed.Store(err != nil) },
		GotConn: func(httptrace.GotConnInfo) {
			dialing.Stop()
			connected.Store(int64(time.Since(began)))
		},
	})
	r, err := http.NewRequestWithContext(traced, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		end(nil)
		return nil, &Failure{Reason: "its address is not usable", Permanent: true, Fault: domain.FaultProvider, Err: err}
	}
	r.Header = p.header
	resp, err := p.client.Do(r)
	dialing.Stop()
	if err != nil {
		f := p.unanswered(ctx, err, tlsFailed.Load(), connected.Load() > 0)
		end(nil)
		return nil, f
	}
	a := &posted{Response: resp, post: p, ctx: ctx, end: end, left: p.limit, connect: time.Duration(connected.Load())}
	if p.idle > 0 {
		a.silence = time.AfterFunc(p.idle, func() { end(errSilent) })
	}
	return a, nil
}

// Read reads the unpacked answer up to its limit.
func (a *posted) Read(b []byte) (int, error) {
	n, err := a.Body.Read(b[:min(int64(len(b)), a.left+1)])
	if a.left -= int64(n); a.left < 0 {
		return 0, errAnswerBig
	}
	if n > 0 && a.silence != nil {
		a.silence.Reset(a.idle)
	}
	return n, err
}

// Close hangs up.
func (a *posted) Close() {
	if a.silence != nil {
		a.silence.Stop()
	}
	a.end(nil)
	_ = a.Body.Close()
}

// broken is what an error while reading the answer means.
func (a *posted) broken(err error) *Failure {
	switch cause := context.Cause(a.ctx); {
	case errors.Is(err, errAnswerBig), errors.Is(err, errEventTooBig):
		return outage("answer too large", err)
	case errors.Is(cause, errSilent):
		return outage("fell silent for "+inSeconds(a.idle)+" in the middle of its answer", cause)
	case errors.Is(cause, errTimeout):
		return outage("did not finish within "+inSeconds(a.whole), cause)
	case cause != nil:
		return cutShort(a.ctx)
	}
	return outage("broke off in the middle of its answer", err)
}

// unanswered says in a few fixed words why there was no answer.
func (p post) unanswered(ctx context.Context, err error, tlsFailed, reached bool) *Failure {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errNoDial):
		return outage("could not connect: timed out after "+inSeconds(dialLimit), err)
	case errors.Is(cause, errTimeout):
		return outage("said nothing for "+inSeconds(p.whole), err)
	case cause != nil:
		return cutShort(ctx)
	case tlsFailed, errors.Is(err, http.ErrSchemeMismatch):
		return outage("TLS handshake failed", err)
	case reached && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return outage("closed without an answer", err)
	case reached && strings.Contains(err.Error(), "malformed HTTP"):
		return outage("it does not speak HTTP", err)
	case reached:
		return outage("broke off before it answered", err)
	}
	return unconnected(err, false)
}

// timed bounds a turn by the agent's own timeout, which broken and unanswered know from a turn that its caller ended.
func timed(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, errTimeout)
}

// refusal is an answer of another status than 200. What the client did wrong stays wrong, but for the statuses that mean "later".
func refusal(status int, h http.Header) *Failure {
	f := &Failure{Reason: fmt.Sprintf("answered with status %d", status), Fault: faultOf(status), RetryAfter: retryAfter(h, time.Now())}
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly:
	case http.StatusTooManyRequests:
		f.Reason += ": it is asked too much at the moment"
	case http.StatusUnauthorized, http.StatusForbidden:
		f.Permanent, f.Reason = true, f.Reason+": it refused our credentials"
	case http.StatusPaymentRequired:
		f.Permanent, f.Reason = true, f.Reason+": it wants to be paid first"
	case http.StatusNotFound:
		f.Permanent, f.Reason = true, f.Reason+": what we asked for is not there"
	default:
		f.Permanent = status >= 400 && status < 500
		if status >= 300 && status < 400 {
			f.Permanent, f.Reason = true, f.Reason+": redirects are not followed"
		}
	}
	return f
}

// outage is a failure of the service that an agent stands on.
func outage(reason string, err error) *Failure {
	return &Failure{Reason: reason, Fault: domain.FaultProvider, Err: err}
}

// faultOf is whose fault an answer of a status other than the one that was wanted is.
func faultOf(status int) domain.Fault {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return domain.FaultAccess
	}
	return domain.FaultProvider
}

const mostRetryAfter = time.Hour

// RetryAfter is how long the answer's sender wants to be left alone; zero if they do not say.
func RetryAfter(h http.Header) time.Duration { return retryAfter(h, time.Now()) }

// retryAfter reads how long a service wants to be left alone: Retry-After of RFC 9110, or milliseconds as some providers send them.
func retryAfter(h http.Header, now time.Time) time.Duration {
	var wait time.Duration
	if ms, err := time.ParseDuration(h.Get("Retry-After-Ms") + "ms"); err == nil {
		wait = ms
	} else if s, err := time.ParseDuration(h.Get("Retry-After") + "s"); err == nil {
		wait = s
	} else if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		wait = at.Sub(now)
	}
	return min(max(0, wait), mostRetryAfter)
}
