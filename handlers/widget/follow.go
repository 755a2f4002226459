package widget

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/handlers/dialect"
)

// opening is where a visitor's thread stands when a transport begins to follow it.
type opening struct {
	visitor  chat.Visitor
	widget   *domain.Widget // as the visitor has it; not to be changed
	standing ledger.Standing
	there    bool // somebody or something is there to answer
}

// open makes sure that the visitor has a thread and reads where it stands.
func (s *Surface) open(ctx context.Context, v *chat.Visitor) (opening, error) {
	for {
		if err := s.chat.Enter(ctx, v); err != nil {
			return opening{}, err
		}
		standing, _, err := s.chat.Since(ctx, v, 0, 0)
		if err != nil {
			return opening{}, err
		}
		if standing.MergedInto != "" { // since the visitor was looked up; what it was joined to is never joined back
			if err := s.chat.Refresh(ctx, v); err != nil {
				return opening{}, err
			}
			continue
		}
		there, err := s.chat.Available(ctx, v.Widget)
		widget := s.widgets.shared(v.Widget)
		v.Widget = *widget
		return opening{*v, widget, standing, there}, err
	}
}

// cursor is where a client goes on from. One that is ahead of the thread, as after a restored backup, goes on at its end and not
// in a future that would swallow what is said until then. One that counts in another thread, as who was away when theirs became
// part of it, begins at the start. An empty thread is whichever it is now.
func (o opening) cursor(after int64, thread string) int64 {
	if thread != "" && !strings.EqualFold(thread, string(o.standing.ID)) {
		return 0
	}
	return min(after, o.standing.LastSeq)
}

// events are what a client hears first.
func (o opening) events() []dialect.Event {
	session := dialect.Session{ID: o.visitor.Session.ID, Handling: o.standing.Handling, LastSeq: o.standing.LastSeq, Now: time.Now()}
	if session.LastSeq > 0 {
		session.Resumed, session.Thread = true, o.standing.ID
	}
	return append([]dialect.Event{session}, stands(o.standing, o.there)...)
}

// stands are how a thread stands, as far as it is the visitor's business.
func stands(st ledger.Standing, there bool) []dialect.Event {
	es := []dialect.Event{status(st, there)}
	if st.TeamRead > 0 {
		es = append(es, dialect.Seen{Seq: st.TeamRead})
	}
	return es
}

// status tells a visitor who answers. A person who has the thread counts as there.
func status(st ledger.Standing, there bool) dialect.Status {
	return dialect.Status{Ask: asks(st), Handling: st.Handling, Available: there || st.Handling == domain.HandlingHuman, Assignee: st.AssigneeName}
}

// asks is what a visitor is asked who has waited for too long.
func asks(st ledger.Standing) []string {
	if st.AskEmail {
		return []string{"email"}
	}
	return nil
}

// feed turns what happens in a visitor's thread into events, for every transport alike.
type feed struct {
	s        *Surface
	org      domain.OrgID
	session  domain.SessionID
	thread   domain.ThreadID
	widget   *domain.Widget
	standing ledger.Standing // as last told
	there    bool
	deltas   bool    // pieces of replies are wanted
	spoken   *spoken // what was said over this very connection; nil: it says nothing

	caughtUp func() // called once all that was there at the start is told, and now and then later; may be nil
}

func (s *Surface) feed(o opening) *feed {
	v := &o.visitor
	return &feed{s: s, org: v.Session.OrgID, session: v.Session.ID, thread: v.Thread.ID, widget: o.widget, standing: o.standing, there: o.there}
}

// told is a word for how the thread stood when that was told last. It is the same on any node.
func (f *feed) told() string {
	h := fnv.New64a()
	fmt.Fprint(h, stands(f.standing, f.there))
	return strconv.FormatUint(h.Sum64(), 36)
}

// errMoved ends the following of a thread that has become part of another one: the visitor's thread is that one now.
var errMoved = errors.New("widget: the thread was joined to another")

// follow hands each event after a cursor to emit, until ctx ends or emit returns false. It fails when the thread cannot be read,
// and with errMoved.
func (f *feed) follow(ctx context.Context, after int64, emit func(dialect.Event) bool) error {
	for u, err := range f.s.relay.Follow(ctx, f.org, f.thread, after) {
		if err != nil {
			return err
		}
		if more, err := f.pass(ctx, u, emit); !more {
			return err
		}
	}
	return nil
}

// attend is follow for who is silent most of the time: see relay.Attend. done gets what follow would return.
func (f *feed) attend(ctx context.Context, after int64, emit func(dialect.Event) bool, done func(error)) {
	var why error
	f.s.relay.Attend(ctx, f.org, f.thread, after, func(u relay.Update) (more bool) {
		why = f.s.guarded([]any{"session", f.session}, func() (err error) {
			more, err = f.pass(ctx, u, emit)
			return err
		})
		return more && why == nil
	}, func(err error) { done(cmp.Or(why, err)) })
}

// pass hands on what follows from one update. more is false when following is over; err is then errMoved, if that is why.
func (f *feed) pass(ctx context.Context, u relay.Update, emit func(dialect.Event) bool) (more bool, err error) {
	if u.Standing != nil && u.Standing.MergedInto != "" {
		return false, errMoved
	}
	for _, e := range f.events(ctx, u) {
		if !emit(e) {
			return false, nil
		}
	}
	if u.Message != nil && f.spoken != nil {
		f.spoken.passed(u.Message.Seq)
	}
	return true, nil
}

func (f *feed) events(ctx context.Context, u relay.Update) []dialect.Event {
	switch {
	case u.Message != nil:
		if f.spoken == nil {
			return []dialect.Event{dialect.Line{Message: *u.Message}}
		}
		if e := f.spoken.event(ctx, u.Message); e != nil {
			return []dialect.Event{e}
		}
	case u.Standing != nil:
		return f.moved(ctx, *u.Standing)
	case u.Hint != nil && u.Hint.Author.Kind != domain.AuthorVisitor:
		switch {
		case u.Hint.Kind == relay.Typing:
			return []dialect.Event{dialect.Writing{On: u.Hint.On, Author: u.Hint.Author}}
		case u.Hint.Kind == relay.Delta && f.deltas:
			return []dialect.Event{dialect.Delta{TurnID: u.Hint.TurnID, Index: u.Hint.Index, Content: u.Hint.Content}}
		}
	}
	return nil
}

// moved tells what of a thread's new standing is the visitor's business.
func (f *feed) moved(ctx context.Context, is ledger.Standing) (es []dialect.Event) {
	was := f.standing
	f.standing = is
	if f.caughtUp != nil {
		f.caughtUp()
	}
	if is.Handling != was.Handling || is.AssigneeID != was.AssigneeID || is.AssigneeName != was.AssigneeName || is.AskEmail != was.AskEmail {
		if there, err := f.s.chat.Available(ctx, *f.widget); err == nil { // else what was true before
			f.there = there
		}
		es = append(es, status(is, f.there))
	}
	if is.TeamRead > was.TeamRead {
		es = append(es, dialect.Seen{Seq: is.TeamRead})
	}
	return es
}
