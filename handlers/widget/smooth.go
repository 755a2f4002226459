package widget

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/dialect"
)

// smooth serves clients of smooth-operator. They come without a widget and name one with each session that they open.
func (s *Surface) smooth(w http.ResponseWriter, r *http.Request) error {
	return s.serve(w, r, call{
		dialect: dialect.Smooth{Origin: s.ownOrigin(r)}, guest: guest{address: address(r)}, log: []any{"dialect", "smooth"},
		talk: func(c *socket) talk {
			return &smoothTalk{socket: c, visits: map[string]*visit{}, heard: map[domain.ThreadID]*exchange{}}
		},
	})
}

// mostVisits bounds the sessions that one connection may use.
const mostVisits = 32

// smoothTalk is a client that opens sessions and asks questions in them. Whoever knows a session's id is its visitor: the id is
// its token.
type smoothTalk struct {
	*socket
	visits map[string]*visit // by session id
	heard  map[domain.ThreadID]*exchange
	known  *chat.Visitor // who this is, as far as a session says; nil: nobody yet
}

// visit is a session in use.
type visit struct {
	*exchange
	id      string
	visitor chat.Visitor
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

// ask stores a question and watches over its answer. The same question asked again, after a connection was lost, is answered with
// what came of it; a request id used again for other words is another question.
func (c *smoothTalk) ask(ctx, socket context.Context, cmd dialect.Ask) error {
	is, err := c.visit(ctx, socket, cmd.SessionID)
	if err != nil {
		return err
	}
	if q := is.underWay(); q != nil && q.id == cmd.RequestID {
		c.push(socket, dialect.Accepted{RequestID: q.id})
		return nil
	}
	_, err = is.begin(socket, cmd.RequestID, cmd.Stream, func() (domain.Message, error) {
		if err := c.s.flow.take(c.place.guest.address, is.visitor.Widget.Key); err != nil {
			return domain.Message{}, err
		}
		if err := c.askable(ctx, &is.visitor); err != nil {
			return domain.Message{}, err
		}
		sum := sha256.Sum256([]byte(cmd.RequestID + "\x00" + cmd.Content))
		m, _, err := c.s.chat.Ask(ctx, &is.visitor, hex.EncodeToString(sum[:20]), cmd.Content)
		return m, err
	}, dialect.Accepted{RequestID: cmd.RequestID})
	return err
}

// askable fails when neither an agent can be asked nor a person has the thread or is wanted in it.
func (c *smoothTalk) askable(ctx context.Context, v *chat.Visitor) (err error) {
	if v.Widget, err = c.s.find(ctx, c.r, v.Widget.Key); err != nil {
		return err
	}
	_, askable, err := c.s.chat.Answerer(ctx, v.Widget)
	if err != nil || askable {
		return err
	}
	if under, err := c.s.chat.UnderWay(ctx, v); err != nil || under { // which counts first
		return cmp.Or[error](err, errAnswering)
	}
	standing, _, err := c.s.chat.Since(ctx, v, 0, 0)
	if err != nil || standing.Handling == domain.HandlingHuman || standing.Handling == domain.HandlingWaiting {
		return err
	}
	return refused(dialect.SmoothLLMUnavailable, "no agent is there to answer")
}

// cancel ends the answer under way: to the question with this id or, when none of this connection is, in the session that is named.
func (c *smoothTalk) cancel(ctx, socket context.Context, cmd dialect.Cancel) (dialect.Event, error) {
	for _, is := range c.visits {
		q := is.underWay()
		if q == nil || cmd.RequestID != "" && q.id != cmd.RequestID || cmd.RequestID == "" && cmd.SessionID != "" && is.id != cmd.SessionID {
			continue
		}
		err := c.s.chat.CancelAnswer(ctx, &is.visitor, q.seq)
		is.look(socket, q) // what ends it is told before the next frame is read
		return nil, unlessOver(err)
	}
	if cmd.SessionID == "" {
		return nil, nil
	}
	is, err := c.visit(ctx, socket, cmd.SessionID)
	if err != nil || is.underWay() != nil {
		return nil, nil // somebody else's session, or another question: nothing of the client's to end
	}
	if err := c.s.chat.CancelAnswer(ctx, &is.visitor, 0); err != nil {
		return nil, unlessOver(err)
	}
	return dialect.Cancelled{RequestID: cmd.RequestID}, nil
}

// unlessOver is err, but nil when what was to be ended had ended already.
func unlessOver(err error) error {
	if err != nil && domain.KindOf(err) == domain.Conflict {
		return nil
	}
	return err
}

// smoothClosing says what came of a question.
func smoothClosing(q *question, a ledger.AnswerState) []dialect.Event {
	one := func(e dialect.Event) []dialect.Event { return []dialect.Event{e} }
	agents, others := split(a.Messages)
	escalated := a.Handoff != "" || a.Handling == domain.HandlingHuman || a.Handling == domain.HandlingWaiting
	switch {
	case a.Status == domain.DispatchSkipped && a.Skip == domain.SkipCancelled:
		return one(dialect.Cancelled{RequestID: q.id})
	case a.Status == domain.DispatchDead && len(agents) == 0:
		words := "the agent could not answer"
		if len(others) > 0 {
			words = others[0].Content
		}
		return one(dialect.Failure{ClientID: q.id, Name: dialect.SmoothAgentError, Message: words})
	case len(agents) == 0 && !escalated:
		return one(dialect.Failure{ClientID: q.id, Name: dialect.SmoothLLMUnavailable, Message: "no agent is there to answer"})
	}
	answer := dialect.Answer{RequestID: q.id, Question: q.message, Messages: agents, Escalated: escalated, Reason: a.Handoff}
	_ = json.Unmarshal(a.Usage, &answer.Usage) // it is left out when nobody counted
	if rest := untold(q, a, agents); rest != "" {
		return []dialect.Event{dialect.Token{RequestID: q.id, Content: rest}, answer}
	}
	return one(answer)
}

// smoothUnasked gives what somebody said of their own accord a request of its own.
func smoothUnasked(m domain.Message) []dialect.Event {
	return []dialect.Event{dialect.Answer{RequestID: uuid.NewString(), Messages: []domain.Message{m}}}
}

// split tells an agent's lines from those that were said in its stead.
func split(ms []domain.Message) (agents, others []domain.Message) {
	for _, m := range ms {
		if m.Author.Kind == domain.AuthorAgent {
			agents = append(agents, m)
		} else {
			others = append(others, m)
		}
	}
	return agents, others
}
