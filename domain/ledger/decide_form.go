package ledger

import "github.com/parley-chat/parley/domain"

// Form is what a visitor told of themselves in a form, with a line to the team or without.
type Form struct {
	SessionID domain.SessionID
	ClientID  string            // makes it idempotent; empty: it cannot come twice
	Fields    map[string]string // name, email, phone, message; empty ones left out
}

// key is that of the line, if there is one: sent again, form and line are known as one.
func (c Form) key(id domain.ThreadID) eventKey {
	if c.Fields["message"] == "" || c.ClientID == "" {
		return eventKey{}
	}
	return c.line().key(id)
}

func (c Form) line() Line {
	return Line{SessionID: c.SessionID, ClientID: c.ClientID, Content: c.Fields["message"]}
}

func (c Form) decide(s *state, w *rows) (out Outcome, err error) {
	e := event{eventKey: happened(domain.FormSubmitted), detail: map[string]any{"fields": c.Fields}}
	if c.Fields["message"] != "" {
		if out, err = c.line().decide(s, w); err != nil {
			return Outcome{}, err
		}
		e.message = out.Message.ID
	} else if s.widget.disabled {
		return Outcome{}, s.admit()
	} else if c.ClientID != "" {
		e.external = once(domain.ChannelWebchat, domain.FormSubmitted, string(c.SessionID)+":"+c.ClientID).external
	}
	out.Event = s.note(w, e)
	return out, nil
}

// IsKnown reports whether an append failed because what it would record once is recorded already.
func IsKnown(err error) bool { return isUnique(err) }
