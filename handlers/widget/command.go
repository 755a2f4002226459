package widget

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/handlers/edge"
)

// obey does what a visitor asks, by whatever transport it came. The event is the answer; nil means that there is nothing to say.
func (s *Surface) obey(ctx context.Context, v *chat.Visitor, c dialect.Command) (dialect.Event, error) {
	switch c := c.(type) {
	case dialect.Message:
		ack, err := s.say(ctx, v, c)
		if err != nil {
			return nil, err
		}
		return ack, nil
	case dialect.Typing:
		s.chat.Types(v, c.On)
		return nil, nil
	case dialect.Read:
		return nil, s.chat.Saw(ctx, v, c.Seq)
	case dialect.Identify:
		return nil, s.chat.Identify(ctx, v, chat.Identity(c.Identity))
	case dialect.Page:
		return nil, s.chat.Moves(ctx, v, domain.Page{URL: c.URL, Title: c.Title})
	case dialect.Handoff:
		return nil, s.chat.AskForPerson(ctx, v)
	case dialect.Rating:
		return nil, s.chat.Rate(ctx, v, c.Score, c.Comment)
	case dialect.Ping:
		return dialect.Pong(c), nil
	}
	return nil, &domain.Error{Kind: domain.Internal, Msg: "a command nobody obeys"}
}

// say stores a line. The ack is the ledger's word that it is there for good.
func (s *Surface) say(ctx context.Context, v *chat.Visitor, c dialect.Message) (dialect.Ack, error) {
	files, err := chat.AttachmentIDs(c.Attachments)
	if err != nil {
		return dialect.Ack{}, err
	}
	m, duplicate, err := s.chat.Say(ctx, v, c.ClientID, c.Content, files...)
	if err != nil {
		return dialect.Ack{}, err
	}
	return dialect.Ack{ClientID: c.ClientID, ID: m.ID, Seq: m.Seq, Duplicate: duplicate, CreatedAt: m.CreatedAt}, nil
}

// failure says in the protocol's words why a command led to nothing.
func failure(err error) dialect.Failure {
	p := edge.ProblemOf(err)
	f := dialect.Failure{Code: p.Code, Message: cmp.Or(p.Detail, p.Title)}
	if e, ok := errors.AsType[*domain.Error](err); ok {
		f.RetryAfter = e.RetryAfter
	}
	if refused, ok := errors.AsType[*dialect.Refused](err); ok {
		f.ClientID, f.Name = refused.ClientID, refused.Name
	}
	return f
}

// command is the handler of a command whose frame would be of the given type. What a socket would answer is the body.
func (s *Surface) command(kind string) func(http.ResponseWriter, *http.Request, *chat.Visitor) error {
	return func(w http.ResponseWriter, r *http.Request, v *chat.Visitor) error {
		var body json.RawMessage
		if err := edge.Decode(w, r, &body); err != nil {
			return err
		}
		c, err := s.speak(r).DecodeBody(kind, body)
		if err != nil {
			return err
		}
		switch c.(type) {
		case dialect.Message, dialect.Rating: // each is a row
			if err := s.flow.take(address(r), v.Widget.Key); err != nil {
				return err
			}
		}
		answer, err := s.obey(r.Context(), v, c)
		if err != nil {
			return err
		}
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		status := http.StatusOK
		if ack, ok := answer.(dialect.Ack); ok && !ack.Duplicate {
			status = http.StatusCreated
		}
		return edge.WriteJSON(w, status, json.RawMessage(s.speak(r).Encode(answer)))
	}
}

// form stores what a visitor says of themselves before or instead of a conversation.
func (s *Surface) form(w http.ResponseWriter, r *http.Request, v *chat.Visitor) error {
	var in struct {
		ClientID string `json:"client_id"`
		Fields   struct {
			Name    string `json:"name"`
			Email   string `json:"email"`
			Phone   string `json:"phone"`
			Message string `json:"message"`
		} `json:"fields"`
	}
	if err := edge.Decode(w, r, &in); err != nil {
		return err
	}
	if err := s.flow.take(address(r), v.Widget.Key); err != nil {
		return err
	}
	f := in.Fields
	if err := s.chat.Introduces(r.Context(), v, chat.Form{ClientID: in.ClientID, Name: f.Name, Email: f.Email, Phone: f.Phone, Message: f.Message}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
