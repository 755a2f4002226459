package widget

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/dialect"
)

// mostVisits bounds the sessions that one connection may use.
const mostVisits = 32

// visit is a session in use.
type visit struct {
	*exchange
	id      string
	visitor chat.Visitor
}

// open begins a session in the widget that the client means.
func (c *smoothTalk) open(ctx, socket context.Context, cmd dialect.OpenSession) (dialect.Event, error) {
	if len(c.visits) >= mostVisits || !c.s.mayArrive(c.r) {
		return nil, &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: time.Minute, Msg: "too many sessions, please wait a moment"}
	}
	key, err := c.s.chat.WidgetKeyOf(ctx, cmd.AgentID)
	if err != nil {
		return nil, err
	}
	wid, err := c.s.find(ctx, c.r, key)
	if err != nil {
		return nil, err
	}
	if cmd.IdentityFlawed {
		return nil, &domain.Error{Kind: domain.Forbidden, Code: domain.CodeIdentityInvalid, Msg: "'authContext' needs userId, signature and timestamp"}
	}
	v, id, err := c.s.chat.Converse(ctx, wid, chat.Conversing{
		AskedFor: cmd.AgentID, Resume: cmd.ConversationID, Known: c.known, Identity: (*chat.Identity)(cmd.Identity),
		Name: cmd.UserName, Email: cmd.UserEmail, Address: clientIP(c.r),
	})
	if domain.KindOf(err) == domain.NotFound && err != nil {
		return nil, refused(dialect.SmoothConversationNotFound, fmt.Sprintf("conversation '%s' not found", cmd.ConversationID))
	}
	if err != nil {
		return nil, err
	}
	is, err := c.where(ctx, v, cmd.RequestID, id)
	if err != nil {
		return nil, err
	}
	c.enter(socket, id, v)
	is.Opened = true
	return is, nil
}

// enter follows the thread of a session from now on. Sessions about one conversation share what is heard of it: it is told once.
func (c *smoothTalk) enter(socket context.Context, id string, v chat.Visitor) *visit {
	is := &visit{id: id, visitor: v}
	c.visits[id], c.known = is, &v
	if is.exchange = c.heard[v.Thread.ID]; is.exchange != nil {
		return is
	}
	is.exchange = &exchange{
		c: c.socket, org: v.Session.OrgID, thread: v.Thread.ID, answered: map[int64]bool{}, closing: smoothClosing, unasked: smoothUnasked,
		state: func(ctx context.Context, seq int64) (ledger.AnswerState, error) {
			return c.s.chat.AnswerTo(ctx, &v, seq)
		},
	}
	c.heard[v.Thread.ID] = is.exchange
	is.attend(socket, v.Thread.LastSeq)()
	return is
}

// visit is a session that the client names.
func (c *smoothTalk) visit(ctx, socket context.Context, id string) (*visit, error) {
	if is, ok := c.visits[id]; ok {
		return is, nil
	}
	if len(c.visits) >= mostVisits {
		return nil, &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, Msg: "too many sessions on one connection"}
	}
	v, err := c.find(ctx, id)
	if err != nil {
		return nil, err
	}
	return c.enter(socket, id, v), nil
}

func (c *smoothTalk) find(ctx context.Context, id string) (chat.Visitor, error) {
	v, err := c.conversant(ctx, id)
	if kind := domain.KindOf(err); err != nil && (kind == domain.Unauthenticated || kind == domain.NotFound && domain.CodeOf(err) == "") {
		return v, refused(dialect.SmoothSessionNotFound, fmt.Sprintf("session '%s' not found", id))
	}
	return v, err
}

func (c *smoothTalk) conversant(ctx context.Context, id string) (chat.Visitor, error) {
	return c.s.chat.Conversant(ctx, id, func(key string) (domain.Widget, error) { return c.s.find(ctx, c.r, key) })
}

// idleAfter is how long nothing happens in a session that counts as active.
const idleAfter = 30 * time.Minute

func (c *smoothTalk) where(ctx context.Context, v chat.Visitor, requestID, id string) (dialect.Visit, error) {
	conversation, err := c.s.chat.ConversationID(v.Thread.ID)
	if err != nil {
		return dialect.Visit{}, err
	}
	a, _, err := c.s.chat.Answerer(ctx, v.Widget)
	is := dialect.Visit{
		RequestID: requestID, SessionID: id, Conversation: conversation, AskedFor: cmp.Or(v.Session.AskedFor, v.Widget.Key),
		Agent: cmp.Or(a.ID, domain.AgentID(v.Widget.ID)), AgentName: cmp.Or(a.Name, v.Widget.Appearance.Title, v.Widget.Name),
		Contact: v.Contact.ID, Status: "active",
	}
	switch {
	case v.Thread.Handling == domain.HandlingClosed:
		is.Status = "ended"
	case time.Since(v.Session.CreatedAt) > idleAfter && time.Since(v.Thread.LastMessageAt) > idleAfter:
		is.Status = "idle"
	}
	return is, err
}

func (c *smoothTalk) history(ctx, socket context.Context, cmd dialect.GetMessages) (dialect.Event, error) {
	is, err := c.visit(ctx, socket, cmd.SessionID)
	if err != nil {
		return nil, err
	}
	before, err := c.before(ctx, is, cmd.Cursor)
	if err != nil {
		return nil, err
	}
	out := dialect.History{RequestID: cmd.RequestID}
	if out.Visit, err = c.where(ctx, is.visitor, "", is.id); err != nil {
		return nil, err
	}
	ms, err := c.s.chat.History(ctx, &is.visitor, before, cmd.Limit)
	for i := range ms {
		out.Messages = append(out.Messages, ms[len(ms)-1-i])
	}
	if len(ms) > 0 && ms[0].Seq > 1 {
		out.Next = strconv.FormatInt(ms[0].Seq, 10)
	}
	return out, err
}

// before is the seq below which a page begins: a cursor is that, and a time means what was stored before it.
func (c *smoothTalk) before(ctx context.Context, is *visit, cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	if at, err := time.Parse(time.RFC3339, cursor); err == nil {
		return c.s.chat.SeqAt(ctx, &is.visitor, at)
	}
	before, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || before < 1 || before > maxSeq {
		return 0, domain.InvalidField("'cursor'", "is not one of this conversation")
	}
	return before, nil
}
