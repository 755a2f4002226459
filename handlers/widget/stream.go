package widget

import (
	"context"
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
	kept := false
	defer func() {
		if !kept {
			place.leave()
		}
	}()
	o, err := s.open(r.Context(), v)
	if err != nil {
		return err
	}
	l := &listener{s: s, path: r.URL.Path, speak: s.speak(r), place: place}
	from := o.cursor(after, r.URL.Query().Get("thread"))
	if l.out = s.streams.Take(w, r, func() { place.ask(nil) }); l.out != nil {
		kept = true
		l.begin(o, from)
		return nil
	}
	s.streams.Serve(w, r, func(ctx context.Context, out *edge.Stream) {
		staying, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(place.going(), stop)()
		l.follow(staying, o, from, func(e dialect.Event) bool {
			return l.send(e, func(id string, data []byte) bool { return out.SendPaced(ctx, "", id, data) })
		})
	})
	return nil
}

// logFailure logs what went wrong on a connection whose status was sent long ago.
func (s *Surface) logFailure(r *http.Request, err error) {
	edge.LogFailure(r.Context(), s.log, r, edge.ProblemOf(err).Status, err)
}
