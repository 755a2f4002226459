package widget

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/handlers/edge"
)

const maxSeq = 1 << 53 // what every client can count to

// history answers with a page of what was said, oldest first.
func (s *Surface) history(w http.ResponseWriter, r *http.Request, v *chat.Visitor) error {
	before, err := number(r, "before_seq", 0, 0, maxSeq)
	if err != nil {
		return err
	}
	limit, err := number(r, "limit", 50, 1, 100)
	if err != nil {
		return err
	}
	ms, err := s.chat.History(r.Context(), v, before, int(limit))
	if err != nil {
		return err
	}
	out := struct {
		Messages []json.RawMessage `json:"messages"`
		LastSeq  int64             `json:"last_seq"`
	}{make([]json.RawMessage, 0, len(ms)), v.Thread.LastSeq}
	for _, m := range ms {
		out.Messages = append(out.Messages, s.speak(r).Encode(dialect.Line{Message: m}))
		out.LastSeq = max(out.LastSeq, m.Seq) // said since the visitor's thread was read
	}
	return edge.WriteJSON(w, http.StatusOK, out)
}

const (
	pollPage    = 200 // messages in one answer
	pollSeconds = 25  // an unanswered poll is held unless the client says otherwise
	pollLongest = 30
)

// poll answers with what was said after a cursor: at once if there is something, else as soon as there is, or with nothing
// when the wait is over. While it waits a change of hands counts as something too.
func (s *Surface) poll(w http.ResponseWriter, r *http.Request, v *chat.Visitor) error {
	after, err := number(r, "after_seq", 0, 0, maxSeq)
	if err != nil {
		return err
	}
	wait, err := number(r, "wait", pollSeconds, 0, pollLongest)
	if err != nil {
		return err
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
	after = o.cursor(after, r.URL.Query().Get("thread"))
	_, ms, err := s.chat.Since(r.Context(), v, after, pollPage)
	if err != nil {
		return err
	}
	p := polled{feed: s.feed(o), speak: s.speak(r), Frames: make([]json.RawMessage, 0, len(ms))}
	for _, m := range ms {
		p.tell(dialect.Line{Message: m})
	}
	known := r.URL.Query().Get("standing")
	if p.remembers = r.URL.Query().Has("standing"); p.remembers && known != p.feed.told() {
		p.tell(stands(o.standing, o.there)...)
	}
	if len(p.Frames) == 0 && wait > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(wait)*time.Second)
		defer cancel()
		defer context.AfterFunc(place.going(), cancel)()
		err = p.feed.follow(ctx, after, p.hear)
		if errors.Is(err, errMoved) { // the next poll is for another thread, from its start
			if o, err = s.open(r.Context(), v); err == nil {
				p.tell(o.events()[0])
			}
		}
	}
	if err != nil {
		return err
	}
	if p.remembers {
		p.Standing = p.feed.told()
	}
	if err := edge.WriteJSON(w, http.StatusOK, p); err != nil {
		return err
	}
	for _, m := range p.lines {
		s.chat.Delivered(m, "poll")
	}
	return nil
}

// polled is the answer to a poll.
type polled struct {
	Frames   []json.RawMessage `json:"frames"`
	Standing string            `json:"standing,omitempty"`

	feed      *feed
	speak     dialect.Parley
	remembers bool // the client says how the thread stood when it was last told
	lines     []domain.Message
}

func (p *polled) tell(es ...dialect.Event) {
	for _, e := range es {
		if line, ok := e.(dialect.Line); ok {
			p.lines = append(p.lines, line.Message)
		}
		p.Frames = append(p.Frames, p.speak.Encode(e))
	}
}

// hear takes what happens while the client waits, until there is something to tell.
func (p *polled) hear(e dialect.Event) (more bool) {
	if _, moved := e.(dialect.Status); moved && p.remembers { // what was read meanwhile would come after it
		p.tell(stands(p.feed.standing, p.feed.there)...)
	} else if lasting(e) {
		p.tell(e)
	}
	return len(p.Frames) == 0
}

// lasting reports whether an event is more than a hint.
func lasting(e dialect.Event) bool {
	switch e.(type) {
	case dialect.Writing, dialect.Delta:
		return false
	}
	return true
}

// number reads a number from the query. It fails with a bad field for what is none or out of bounds.
func number(r *http.Request, name string, def, least, most int64) (int64, error) {
	given := r.URL.Query().Get(name)
	if given == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(given, 10, 64)
	if err != nil || n < least || n > most {
		return 0, domain.InvalidField(name, "must be a whole number from "+strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
	}
	return n, nil
}
