package widget

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/handlers/edge"
)

// listener is somebody who listens to a stream. Where the connection could be taken over, it has no goroutine while nothing happens;
// the same is told either way.
type listener struct {
	s       *Surface
	path    string // of the request, for the log
	speak   dialect.Parley
	place   *place
	out     *edge.Wire   // nil: the request's own goroutine follows
	feed    *feed        // what is told over the wire now
	visitor chat.Visitor // to whom
}

// send tells an event by put, which gets its id, if it has one, and its data.
func (l *listener) send(e dialect.Event, put func(id string, data []byte) bool) bool {
	var id string
	line, isLine := e.(dialect.Line)
	if isLine {
		id = strconv.FormatInt(line.Seq, 10)
	}
	sent := put(id, l.speak.Encode(e))
	if sent && isLine {
		l.s.chat.Delivered(line.Message, "sse")
	}
	return sent
}

// follow tells what happens in the visitor's thread until ctx ends.
func (l *listener) follow(ctx context.Context, o opening, from int64, send func(dialect.Event) bool) {
	for {
		for _, e := range o.events() {
			send(e)
		}
		err := l.s.feed(o).follow(ctx, from, send)
		if errors.Is(err, errMoved) { // another thread is read from its start
			if o, err = l.s.open(ctx, &o.visitor); err == nil {
				from = 0
				continue
			}
		}
		l.last(err, send)
		return
	}
}

// last tells why following is over, if there is something to tell.
func (l *listener) last(err error, send func(dialect.Event) bool) {
	if err != nil {
		l.s.logFailure(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: l.path}}, err)
		send(failure(err))
	}
	if l.place.going().Err() != nil {
		send(l.place.goodbye())
	}
}

// begin is follow for whoever has a wire: it returns at once, and gives back the place in the end.
func (l *listener) begin(o opening, from int64) {
	for _, e := range o.events() {
		l.wire(e)
	}
	l.visitor = o.visitor
	l.feed = l.s.feed(o)
	l.feed.attend(l.place.going(), from, l.wire, l.over)
}

// wire sends an event over the wire.
func (l *listener) wire(e dialect.Event) bool {
	return l.send(e, func(id string, data []byte) bool { return l.out.Send("", id, data) })
}

// over is the end of what begin began.
func (l *listener) over(err error) {
	again := false
	bug := l.s.guarded(nil, func() error {
		if errors.Is(err, errMoved) {
			var o opening
			if o, err = l.s.open(l.place.going(), &l.visitor); err == nil {
				again = true
				l.begin(o, 0)
				return nil
			}
		}
		l.last(err, l.wire)
		return nil
	})
	if again && bug == nil {
		return
	}
	l.out.End()
	l.place.leave()
}
