package agent

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// errand carries requests to one tool server: with its headers, and with a bound on what comes back.
type errand struct {
	next    http.RoundTripper
	headers map[string]string

	mu     sync.Mutex
	failed error // why the last request or its answer broke off: the protocol's library keeps only the words
}

// trouble is why the last request broke off, if it did.
func (e *errand) trouble() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

func (e *errand) note(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed = err
}

const partingTime = time.Second // for the end of a session, which is a courtesy

func (e *errand) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, value := range e.headers {
		r.Header.Set(name, value)
	}
	if r.Method == http.MethodDelete {
		ctx, cancel := context.WithTimeout(r.Context(), partingTime)
		defer cancel() // nobody reads that answer
		return e.next.RoundTrip(r.WithContext(ctx))
	}
	res, err := e.next.RoundTrip(r)
	e.note(err)
	if err != nil {
		return nil, err
	}
	res.Body = &bounded{res.Body, serverAnswer, e}
	return res, nil
}

// bounded is a body that fails with errAnswerBig once it has given what it may.
type bounded struct {
	io.ReadCloser
	left int
	e    *errand
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.e.note(errAnswerBig)
		return 0, errAnswerBig
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
