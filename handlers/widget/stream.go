package widget

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/handlers/edge"
)

// events streams what a socket would tell, but for acks: who listens here speaks through requests, so lines of their own come
// as messages too. Only messages have an id, their seq, so that a browser comes back with the last one it has.
func (s *Surface) events(w http.ResponseWriter, r *http.Request, v *chat.Visitor) error {
	after, err := number(r, "after_seq", 0, 0, maxSeq)
	if err != nil {
		return err
	}
	if last, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil && last >= 0 {
		after = last // the address still says where the browser began
	}
	place, err := s.guests.enter(guest{address(r), v.Widget.Key}, v.Session.ID)
	if err != nil {
		return err
	}
	defer place.leave()
	o, err := s.open(r.Context(), v)
	if err != nil {
		return err
	}
	s.streams.Serve(w, r, func(ctx context.Context, out *edge.Stream) {
		send := func(e dialect.Event) bool {
			var id string
			m, isLine := e.(dialect.Line)
			if isLine {
				id = strconv.FormatInt(m.Seq, 10)
			}
			sent := out.SendPaced(ctx, "", id, s.speak(r).Encode(e))
			if sent && isLine {
				s.chat.Delivered(m.Message, "sse")
			}
			return sent
		}
		staying, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(place.going, stop)()
		for from := o.cursor(after, r.URL.Query().Get("thread")); ; from = 0 {
			for _, e := range o.events() {
				send(e)
			}
			err := s.feed(o).follow(staying, from, send)
			if errors.Is(err, errMoved) { // another thread is read from its start
				if o, err = s.open(staying, v); err == nil {
					continue
				}
			}
			if err != nil {
				s.logFailure(r, err)
				send(failure(err))
			}
			break
		}
		if place.going.Err() != nil {
			send(place.goodbye())
		}
	})
	return nil
}

// logFailure logs what went wrong on a connection whose status was sent long ago.
func (s *Surface) logFailure(r *http.Request, err error) {
	edge.LogFailure(r.Context(), s.log, r, edge.ProblemOf(err).Status, err)
}
