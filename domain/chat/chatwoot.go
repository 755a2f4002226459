package chat

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Chatwooted is a line of a conversation in a Chatwoot, whoever wrote it.
type Chatwooted struct {
	Place        ledger.ChatwootPlace
	Agent        domain.AgentID // who answers in its inbox
	Conversation string
	ExternalID   string             // the message's id there
	Contact      ledger.Identifiers // with whom the conversation is; ExternalID is their id there
	Content      string
	Author       string          // of a person of the organisation: their name
	Payload      json.RawMessage // an object: what else there is to a contact's line
	Wait         time.Duration   // how long whoever reports it can wait for the answer
}

// ChatwootRecorded is a contact's line that is in the ledger.
type ChatwootRecorded struct {
	Event     domain.EventID
	Thread    domain.ThreadID
	Seq       int64 // 0 = it said nothing
	At        time.Time
	Wait      time.Duration     // of the first report of it
	Skip      domain.SkipReason // why no agent is asked; empty: one is
	Duplicate bool
}

// ChatwootPlaces finds where a report about a conversation may belong, in whichever organisation.
func (s *Service) ChatwootPlaces(ctx context.Context, channel domain.ChannelID, account, conversation string) ([]ledger.ChatwootPlace, error) {
	return s.ledger.ChatwootPlaces(ctx, channel, account, conversation)
}

// Acknowledging says that somebody waits for nothing but the word that a report is recorded, until done is called: others give way.
func (s *Service) Acknowledging() (done func()) { return s.ledger.Acknowledging() }

// ChatwootSaid records what a contact has written, and has the agent of the inbox asked. It is idempotent in the message's id, on any
// node and however many reports come at once. Where nobody waits for the answer and there is a crowd, it is only kept when ChatwootSaid
// returns: of what is recorded, right after, Event alone is known.
func (s *Service) ChatwootSaid(ctx context.Context, l Chatwooted) (ChatwootRecorded, error) {
	if l.Wait == 0 {
		return s.chatwootKept(ctx, l)
	}
	return s.chatwootRecorded(ctx, l, "")
}

// chatwootRecorded records it as the event it was promised to be, if it was.
func (s *Service) chatwootRecorded(ctx context.Context, l Chatwooted, event domain.EventID) (r ChatwootRecorded, err error) {
	if l.Place, err = s.caughtUp(ctx, l.Place, l.Conversation); err != nil {
		return r, err
	}
	out, err := s.chatwooted(ctx, l, l.received(event))
	if err != nil {
		return ChatwootRecorded{}, err
	}
	r = ChatwootRecorded{Event: out.Event, Thread: out.Thread.ID, At: out.At, Wait: l.Wait, Skip: out.Skip}
	if out.Message != nil {
		r.Seq = out.Message.Seq
	}
	if out.Duplicate {
		return s.reportedBefore(ctx, l.Place.OrgID, out.Event)
	}
	return r, nil
}

// received is that the contact has written it. Without an event it gets an id of its own.
func (l Chatwooted) received(event domain.EventID) ledger.Inbound {
	return ledger.Inbound{Channel: l.Place.Name, Kind: string(domain.MessageReceived), ExternalID: l.ExternalID, Event: event,
		Content: clip(l.Content), Payload: l.payload()}
}

// ChatwootReplied records what a person has written to a contact there, which takes the thread over; stopped says whether an agent was
// just about to answer. What Parley itself has posted there is nobody's word.
func (s *Service) ChatwootReplied(ctx context.Context, l Chatwooted) (thread domain.ThreadID, stopped bool, err error) {
	if l.Place, err = s.caughtUp(ctx, l.Place, l.Conversation); err != nil {
		return "", false, err
	}
	if l.Place.ThreadID != "" {
		if ours, err := s.ledger.Echo(ctx, l.Place.OrgID, l.Place.ThreadID, l.ExternalID, l.Content); err != nil || ours {
			return l.Place.ThreadID, false, err
		}
	}
	var c ledger.Change = ledger.Elsewhere{Channel: l.Place.Name, ExternalID: l.ExternalID, Name: l.Author, Content: clip(l.Content)}
	if strings.TrimSpace(l.Content) == "" {
		c = ledger.TakeOver{User: domain.User{OrgID: l.Place.OrgID, Name: l.Author}}
	}
	out, err := s.chatwooted(ctx, l, c)
	return out.Thread.ID, out.Stopped != "", err
}

// ChatwootMoved notes that a conversation was resolved there, or given back to its agent; stopped is as with ChatwootReplied. One of
// which nothing was said yet is left.
func (s *Service) ChatwootMoved(ctx context.Context, p ledger.ChatwootPlace, conversation string, to domain.Handling, externalID, by string) (thread domain.ThreadID, stopped bool, err error) {
	if p, err = s.caughtUp(ctx, p, conversation); err != nil || p.ThreadID == "" {
		return "", false, err
	}
	out, err := s.ledger.Append(ctx, ledger.Append{OrgID: p.OrgID, ThreadID: p.ThreadID,
		Change: ledger.MovedElsewhere{Channel: p.Name, ExternalID: externalID, Name: by, To: to}})
	if errors.Is(err, ledger.ErrJoined) {
		return "", false, nil
	}
	return p.ThreadID, out.Stopped != "", err
}

// chatwooted appends a change to the thread of the conversation. Where that is there, with its contact and agent, it is all there is to do.
func (s *Service) chatwooted(ctx context.Context, l Chatwooted, c ledger.Change) (ledger.Outcome, error) {
	org, thread := l.Place.OrgID, l.Place.ThreadID
	known := thread != "" && l.Place.ContactID != "" && l.Place.AgentID == l.Agent
	for try := 1; ; try++ {
		if !known || try > 1 {
			var err error
			if thread, err = s.chatwootThread(ctx, l); err != nil && (!errors.Is(err, ledger.ErrJoined) || try == 3) {
				return ledger.Outcome{}, err
			} else if err != nil {
				continue
			}
		}
		out, err := s.ledger.Append(ctx, ledger.Append{OrgID: org, ThreadID: thread, Change: c})
		gone := errors.Is(err, ledger.ErrJoined) || domain.KindOf(err) == domain.NotFound
		if !gone || try == 3 {
			return out, err
		}
		if err := s.ledger.LeaveErased(ctx, org, domain.ChatwootKey(l.Place.ID, l.Conversation)); err != nil {
			return out, err
		}
	}
}

// chatwootThread finds or begins the thread of a conversation.
func (s *Service) chatwootThread(ctx context.Context, l Chatwooted) (domain.ThreadID, error) {
	i := l.Contact
	if i.ExternalID != "" {
		i.ExternalID = "chatwoot:" + string(l.Place.ID) + ":" + i.ExternalID
	}
	return s.ledger.ChatwootThread(ctx, ledger.ChannelThread{OrgID: l.Place.OrgID, Channel: l.Place.Name,
		Key: domain.ChatwootKey(l.Place.ID, l.Conversation), AgentID: l.Agent}, i)
}

// payload is what is kept of a report, and how long it waited, by which a repeat of it goes.
func (l Chatwooted) payload() json.RawMessage {
	wait := `{"wait_ms":` + strconv.FormatInt(l.Wait.Milliseconds(), 10)
	rest, object := strings.CutPrefix(string(l.Payload), "{")
	if !object || rest == "}" || len(l.Payload) > maxPayload {
		return json.RawMessage(wait + "}")
	}
	return json.RawMessage(wait + "," + rest)
}

// reportedBefore is what became of the first report of a line.
func (s *Service) reportedBefore(ctx context.Context, org domain.OrgID, id domain.EventID) (ChatwootRecorded, error) {
	r, err := s.ledger.Report(ctx, org, id)
	var kept struct {
		Wait int64 `json:"wait_ms"`
	}
	_ = json.Unmarshal(r.Payload, &kept) // one that was erased waits for nothing
	return ChatwootRecorded{Event: r.ID, Thread: r.ThreadID, Seq: r.Seq, At: r.At, Wait: time.Duration(kept.Wait) * time.Millisecond, Skip: r.Skip, Duplicate: true}, err
}

// clip keeps what fits into a line. The rest can be read where it was written.
func clip(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD"))
	if utf8.RuneCountInString(s) <= MaxQuestionChars {
		return s
	}
	return string([]rune(s)[:MaxQuestionChars-1]) + "…"
}

// ChatwootAnswer is what the agent had said to a line when whoever reported it could wait no longer.
type ChatwootAnswer struct {
	Content string
	Total   int // messages; 0 = the answer was not complete by then
}

// ChatwootAnswered waits for the answer to a line, as long as the first report of it did: every repeat is told what that one was.
func (s *Service) ChatwootAnswered(ctx context.Context, org domain.OrgID, r ChatwootRecorded) (ChatwootAnswer, error) {
	if r.Seq == 0 || r.Wait <= 0 || r.Skip != "" {
		return ChatwootAnswer{}, nil
	}
	until := r.At.Add(r.Wait)
	state, err := s.ledger.AnswerTo(ctx, org, r.Thread, r.Seq)
	if left := min(time.Until(until), r.Wait); err == nil && state.Open && left > 0 {
		state, err = s.settled(ctx, org, r, left)
	}
	if err != nil || state.Open || len(state.Messages) == 0 || state.Messages[len(state.Messages)-1].CreatedAt.After(until) {
		return ChatwootAnswer{}, err
	}
	said := make([]string, len(state.Messages))
	for i, m := range state.Messages {
		said[i] = m.Content
	}
	return ChatwootAnswer{strings.Join(said, "\n\n"), len(said)}, nil
}

// settled waits until no turn runs or is to run for a line, or until its time is over.
func (s *Service) settled(ctx context.Context, org domain.OrgID, r ChatwootRecorded, left time.Duration) (state ledger.AnswerState, err error) {
	waiting, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	state.Open = true
	for u, err := range s.relay.Follow(waiting, org, r.Thread, r.Seq) {
		if err != nil {
			return state, err
		}
		if u.Hint != nil {
			continue
		}
		if state, err = s.ledger.AnswerTo(ctx, org, r.Thread, r.Seq); err != nil || !state.Open {
			return state, err
		}
	}
	return state, ctx.Err()
}
