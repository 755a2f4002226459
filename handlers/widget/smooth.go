package widget

import (
	"context"
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/dialect"
)

// smooth serves clients of smooth-operator. They come without a widget and name one with each session that they open.
func (s *Surface) smooth(w http.ResponseWriter, r *http.Request) error {
	return s.serve(w, r, call{
		dialect: dialect.Smooth{Origin: s.ownOrigin(r)}, guest: guest{address: address(r)}, log: []any{"dialect", "smooth"},
		talk: func(c *socket) talk {
			return &smoothTalk{socket: c, r: outliving(r), visits: map[string]*visit{}, heard: map[domain.ThreadID]*exchange{}}
		},
	})
}

// smoothTalk is a client that opens sessions and asks questions in them. Whoever knows a session's id is its visitor: the id is
// its token.
type smoothTalk struct {
	*socket
	r      *http.Request
	visits map[string]*visit // by session id
	heard  map[domain.ThreadID]*exchange
	known  *chat.Visitor // who this is, as far as a session says; nil: nobody yet
}

// begin looks whose token came with the request, if one did. One that is not good is nobody's.
func (c *smoothTalk) begin(ctx context.Context) error {
	if t := token(c.r); t != "" {
		ctx, cancel := context.WithTimeout(ctx, commandWithin)
		defer cancel()
		if v, err := c.conversant(ctx, t); err == nil {
			c.known = &v
		}
	}
	return nil
}

func (c *smoothTalk) refuse(err *dialect.Refused) error { return err }

func (c *smoothTalk) take(ctx context.Context, cmd dialect.Command) error {
	answer, err := c.does(ctx, cmd)
	if err == nil && answer != nil {
		c.push(ctx, answer)
	}
	return about(cmd, err)
}

func (c *smoothTalk) does(socket context.Context, cmd dialect.Command) (dialect.Event, error) {
	ctx, cancel := context.WithTimeout(socket, commandWithin)
	defer cancel()
	switch cmd := cmd.(type) {
	case dialect.Ping:
		return dialect.Pong(cmd), nil
	case dialect.OpenSession:
		return c.open(ctx, socket, cmd)
	case dialect.ListConversations:
		return c.conversations(ctx, cmd)
	case dialect.RenameConversation:
		return c.rename(ctx, cmd)
	case dialect.Cancel:
		return c.cancel(ctx, socket, cmd)
	case dialect.GetSession:
		v, err := c.find(ctx, cmd.SessionID)
		if err != nil {
			return nil, err
		}
		return c.where(ctx, v, cmd.RequestID, cmd.SessionID)
	case dialect.GetMessages:
		return c.history(ctx, socket, cmd)
	case dialect.Ask:
		return nil, c.ask(ctx, socket, cmd)
	case dialect.ConfirmTool:
		return nil, refused(dialect.SmoothNoPendingConfirmation, "no tool waits for a confirmation")
	case dialect.SubmitInteraction:
		return nil, refused(dialect.SmoothNoPendingInteraction, "no interaction waits for an answer")
	case dialect.VerifyOTP:
		return dialect.OTPUnknown{RequestID: cmd.RequestID}, nil
	}
	return nil, &domain.Error{Kind: domain.Internal, Msg: "a command nobody obeys"}
}

func refused(name, msg string) error {
	return &dialect.Refused{Name: name, Err: &domain.Error{Kind: domain.Conflict, Msg: msg}}
}
