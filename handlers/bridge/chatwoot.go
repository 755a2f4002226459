package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/edge"
)

// Chatwoot takes the webhooks of Chatwoot accounts: what contacts write there is recorded and answered as on any channel, and what
// people write there silences the agent. README.md beside this file tells more.
type Chatwoot struct {
	Chat  *chat.Service
	Quiet func(domain.OrgID, domain.ThreadID) // no agent writes in the thread any more, whatever Chatwoot shows
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
}

const (
	chatwootWait    = 4 * time.Second // for the answer; Chatwoot itself gives up after 5
	chatwootMost    = 30 * time.Second
	chatwootPatient = 3 * time.Second // with a database that is away, because Chatwoot does not come back
	chatwootBody    = 1 << 20
	bodyTime        = 4 * time.Second
)

// Routes adds the address that all accounts share, and each one's own.
func (c *Chatwoot) Routes(r chi.Router) {
	r.Post("/webhook/chatwoot", c.receive)
	r.Post("/webhook/chatwoot/{channel}", c.receive)
}

// told is how every report is answered that can be believed.
type told struct {
	Status  string `json:"status"` // ignored, accepted or processed_sync
	Message string `json:"message"`
	Data    any    `json:"data"`
}

func ignored(format string, args ...any) told {
	return told{"ignored", fmt.Sprintf(format, args...), nil}
}

// refusal is how one is answered that cannot.
type refusal struct {
	status        int
	Message       string `json:"error"`
	Code          string `json:"error_code"`
	Details       string `json:"details"`
	RetryAfterSec int    `json:"-"`
}

func (r *refusal) Error() string { return r.Message }

func (c *Chatwoot) receive(w http.ResponseWriter, r *http.Request) {
	out, err := c.take(w, r)
	if err == nil {
		err = edge.WriteJSON(w, http.StatusOK, out)
	}
	if err == nil {
		return
	}
	bad, ok := errors.AsType[*refusal](err)
	if !ok {
		p := edge.ProblemOf(err)
		edge.LogFailure(r.Context(), c.Log, r, p.Status, err)
		bad = &refusal{status: p.Status, Message: http.StatusText(p.Status), Code: "INTERNAL_ERROR", Details: p.Detail}
		if p.Status == http.StatusServiceUnavailable {
			bad.Code = "UNAVAILABLE"
			edge.RetryAfter(w, err)
		}
	}
	_ = edge.WriteJSON(w, bad.status, bad) // plain strings: cannot fail
}

// take acts on a report and says how to answer it.
func (c *Chatwoot) take(w http.ResponseWriter, r *http.Request) (told, error) {
	lift := edge.BodyWithin(w, bodyTime)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, chatwootBody))
	lift()
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return told{}, &refusal{status: http.StatusRequestEntityTooLarge, Message: "Payload too large", Code: "PAYLOAD_TOO_LARGE", Details: "a report has at most 1 MiB"}
	} else if err != nil {
		return told{}, &refusal{status: http.StatusBadRequest, Message: "Unreadable body", Code: "INVALID_BODY", Details: "the body could not be read"}
	}
	recorded := c.Chat.Acknowledging()
	defer recorded()
	in, err := decodeReport(body)
	if err != nil {
		return told{}, &refusal{status: http.StatusBadRequest, Message: "Invalid JSON", Code: "INVALID_JSON", Details: err.Error()}
	}
	at, found, err := c.place(r, in, body)
	switch {
	case err != nil:
		return told{}, err
	case !found:
		return ignored("No agent mapping for inbox %.64s", orNone(in.inbox())), nil
	}
	ctx := context.WithoutCancel(r.Context()) // Chatwoot does not come back with it: it is recorded, whoever still listens
	if to, ok := in.moves(); ok {
		return c.moved(ctx, r, at, in, to, body)
	}
	return c.message(ctx, r, at, in, recorded)
}

// place is the account that a report comes from. It fails with a 401 when an account has a secret and the report was not signed with
// it, and with a 404 for an address of its own that is nobody's. Without an account of its own in the address, the one that the report
// names is meant; if several organisations have set that up, the one whose secret has signed it, else, without any secret, the first.
func (c *Chatwoot) place(r *http.Request, in report, body []byte) (at ledger.ChatwootPlace, found bool, err error) {
	id, account := domain.ChannelID(""), in.account()
	own := chi.URLParam(r, "channel")
	if own != "" {
		if id, err = domain.ParseID[domain.ChannelID](own); err != nil {
			return at, false, nobody()
		}
		account = ""
	}
	all, err := patiently(r.Context(), func(ctx context.Context) ([]ledger.ChatwootPlace, error) {
		return c.Chat.ChatwootPlaces(ctx, id, account, string(in.Conversation.ID))
	})
	switch {
	case err != nil:
		return at, false, err
	case len(all) == 0 && own != "":
		return at, false, nobody()
	}
	if own == "" && account == "" {
		all = mapping(all, in.inbox())
	}
	for i, p := range all {
		if p.Secret != "" && signed(r.Header, body, p.Secret, c.now()) {
			return p, belongs(p, in), nil
		}
		if p.Secret == "" && !found {
			at, found = all[i], true
		}
	}
	for _, p := range all {
		if p.Secret != "" {
			return at, false, &refusal{status: http.StatusUnauthorized, Message: "Invalid webhook signature", Code: "INVALID_SIGNATURE",
				Details: chatwootSignature + " must be sha256= and the hex HMAC-SHA256 of \"{" + chatwootTimestamp + "}.{body}\", made within the last 300 seconds"}
		}
	}
	return at, found && belongs(at, in), nil
}

// belongs reports whether a report that came to an account's own address is about that account at all.
func belongs(p ledger.ChatwootPlace, in report) bool {
	account := in.account()
	return account == "" || account == p.Config.AccountID
}

// mapping are the accounts that have an inbox.
func mapping(all []ledger.ChatwootPlace, inbox string) (some []ledger.ChatwootPlace) {
	for _, p := range all {
		if _, ok := p.Answerer(inbox); ok {
			some = append(some, p)
		}
	}
	return some
}

func nobody() *refusal {
	return &refusal{status: http.StatusNotFound, Message: "Not found", Code: "NOT_FOUND", Details: "there is no such webhook address"}
}

func (c *Chatwoot) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// message acts on a message, whoever wrote it. It calls recorded where it waits for more than that.
func (c *Chatwoot) message(ctx context.Context, r *http.Request, at ledger.ChatwootPlace, in report, recorded func()) (told, error) {
	agent, mapped := at.Answerer(in.inbox())
	switch {
	case in.Event != "message_created":
		return ignored("Event %.60q is not handled", in.Event), nil
	case in.private():
		return ignored("Private message"), nil
	case in.outgoing() && in.Sender.byTeam() && mapped:
		return c.replied(ctx, at, agent, in)
	case !in.incoming():
		return ignored("Message is not incoming"), nil
	case in.Sender.byTeam() || in.Sender.byBot():
		return ignored("Sender is an agent"), nil
	case !mapped:
		return ignored("No agent mapping for inbox %.64s", orNone(in.inbox())), nil
	}
	line, err := c.line(at, agent, in)
	if err != nil {
		return told{}, err
	}
	line.Payload, line.Wait = in.kept(), wait(r)
	rec, err := patiently(ctx, func(ctx context.Context) (chat.ChatwootRecorded, error) { return c.Chat.ChatwootSaid(ctx, line) })
	if err != nil {
		return told{}, err
	}
	if line.Wait > 0 {
		recorded()
	}
	return c.answer(r.Context(), at.OrgID, rec)
}

// answer waits for what the agent says to a message as long as Chatwoot does.
func (c *Chatwoot) answer(ctx context.Context, org domain.OrgID, rec chat.ChatwootRecorded) (told, error) {
	data := map[string]any{"event_id": rec.Event}
	if rec.Skip != "" {
		data["skip_reason"] = rec.Skip
		return told{"accepted", "Message recorded; no agent is asked: " + string(rec.Skip), data}, nil
	}
	a, err := c.Chat.ChatwootAnswered(ctx, org, rec)
	if err != nil && ctx.Err() == nil { // it is recorded, which is what counts
		c.Log.WarnContext(ctx, "could not wait for the answer to a message of Chatwoot's; it follows there", "err", err)
	}
	if err != nil || a.Total == 0 {
		return told{"accepted", "Message accepted; the response follows", data}, nil
	}
	return told{"processed_sync", "Message processed and response sent", map[string]any{"response_content": a.Content, "total_responses": a.Total}}, nil
}

// replied acts on what somebody has written in Chatwoot: Parley itself, or a person of the team.
func (c *Chatwoot) replied(ctx context.Context, at ledger.ChatwootPlace, agent domain.AgentID, in report) (told, error) {
	line, err := c.line(at, agent, in)
	if err != nil {
		return told{}, err
	}
	line.Author = in.Sender.Name
	if line.Author == "" {
		line.Author = "Chatwoot"
	}
	err = c.silences(ctx, at.OrgID, func(ctx context.Context) (domain.ThreadID, bool, error) { return c.Chat.ChatwootReplied(ctx, line) })
	return ignored("Message is not incoming"), err
}

// silences does what may have stopped an agent that was just about to answer in a thread.
func (c *Chatwoot) silences(ctx context.Context, org domain.OrgID, do func(context.Context) (thread domain.ThreadID, stopped bool, err error)) error {
	type outcome struct {
		thread  domain.ThreadID
		stopped bool
	}
	out, err := patiently(ctx, func(ctx context.Context) (o outcome, err error) {
		o.thread, o.stopped, err = do(ctx)
		return o, err
	})
	if out.stopped {
		c.Quiet(org, out.thread)
	}
	return err
}

// moved acts on a conversation that was resolved, or given back to its bot.
func (c *Chatwoot) moved(ctx context.Context, r *http.Request, at ledger.ChatwootPlace, in report, to domain.Handling, body []byte) (told, error) {
	conversation := string(in.Conversation.ID)
	id := conversation + ":" + in.fact(r.Header, body)
	err := c.silences(ctx, at.OrgID, func(ctx context.Context) (domain.ThreadID, bool, error) {
		return c.Chat.ChatwootMoved(ctx, at, conversation, to, id, in.Sender.Name)
	})
	return ignored("Event %.60q is not a message", in.Event), err
}

// line is what a report says of a message. It fails with a 400 when it does not say of which.
func (c *Chatwoot) line(at ledger.ChatwootPlace, agent domain.AgentID, in report) (chat.Chatwooted, error) {
	if in.ID == "" || in.Conversation.ID == "" || len(in.ID) > 64 || len(in.Conversation.ID) > 64 {
		return chat.Chatwooted{}, &refusal{status: http.StatusBadRequest, Message: "Invalid payload", Code: "INVALID_PAYLOAD", Details: "id and conversation.id are needed"}
	}
	p := in.contact()
	return chat.Chatwooted{Place: at, Agent: agent, Conversation: string(in.Conversation.ID), ExternalID: string(in.ID), Content: in.text(),
		Contact: ledger.Identifiers{ExternalID: short(string(p.ID), 64), Name: short(p.Name, 200), Email: short(p.Email, 254), Phone: short(p.Phone, 40)}}, nil
}

// short is s unless it is longer than anybody's name, address or id.
func short(s string, most int) string {
	if len([]rune(s)) > most {
		return ""
	}
	return s
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// wait is how long the answer may take, in seconds.
func wait(r *http.Request) time.Duration {
	s, err := strconv.ParseFloat(r.URL.Query().Get("wait"), 64)
	if err != nil || s < 0 || s != s {
		return chatwootWait
	}
	return min(time.Duration(min(s, chatwootMost.Seconds())*float64(time.Second)), chatwootMost)
}

// patiently tries again what a database that is away could not do. What it tries is idempotent.
func patiently[T any](ctx context.Context, do func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, chatwootPatient)
	defer cancel()
	for {
		v, err := do(ctx)
		if err == nil || domain.KindOf(err) != domain.Unavailable {
			return v, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return v, err
		}
	}
}
