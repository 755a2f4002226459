package chat

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// InboxQuery says which conversations to list. Zero fields do not filter.
type InboxQuery struct {
	Handling []domain.Handling
	Waiting  bool // only those that want a person: waiting or unanswered
	Served   bool // only those that an agent is answering
	Assignee domain.UserID
	Channel  string
	Contact  domain.ContactID
	Query    string // in the contact's name, addresses and external id, and in what was said
	Cursor   string // the NextCursor of the page before
	Limit    int    // 1..100; 0 = 50

	Unassigned bool // only those that no person of the organisation has
}

// Inbox lists an organisation's conversations, the newest line first, and the cursor of the next page, empty at the end.
// It fails with Invalid for a cursor that is none.
func (s *Service) Inbox(ctx context.Context, org domain.OrgID, q InboxQuery) (cs []ledger.Conversation, next string, err error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 100)
	f := ledger.ConversationFilter{Handling: q.Handling, Waiting: q.Waiting, Served: q.Served, Assignee: q.Assignee, Channel: q.Channel, Contact: q.Contact, Query: q.Query, Limit: limit + 1, Unassigned: q.Unassigned}
	if f.Before, f.BeforeID, err = parseCursor(q.Cursor); err != nil {
		return nil, "", err
	}
	if cs, err = s.ledger.Conversations(ctx, org, f); err != nil {
		return nil, "", err
	}
	if len(cs) > limit {
		cs = cs[:limit]
		next = cursor(cs[limit-1].LastMessageAt, cs[limit-1].ID)
	}
	return cs, next, nil
}

func cursor(at time.Time, id domain.ThreadID) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%s", at.UnixMicro(), id))
}

func parseCursor(c string) (time.Time, domain.ThreadID, error) {
	if c == "" {
		return time.Time{}, "", nil
	}
	var micros int64
	var id string
	if b, err := base64.RawURLEncoding.DecodeString(c); err == nil {
		if _, err := fmt.Sscanf(string(b), "%d.%s", &micros, &id); err == nil {
			if thread, err := domain.ParseID[domain.ThreadID](id); err == nil {
				return time.UnixMicro(micros).UTC(), thread, nil
			}
		}
	}
	return time.Time{}, "", domain.InvalidField("cursor", "is not one that a list has given")
}

// Tally counts an organisation's conversations for the inbox's tabs.
func (s *Service) Tally(ctx context.Context, who domain.User) (ledger.Tally, error) {
	return s.ledger.Tally(ctx, who.OrgID, who.ID)
}

// UnseenMost is how many conversations Unseen counts at most: more is too much to tell apart.
const UnseenMost = 100

// Unseen counts an organisation's conversations with something nobody of the team has seen, of those that a person has or that want one.
func (s *Service) Unseen(ctx context.Context, org domain.OrgID) (int, error) {
	return s.ledger.Unseen(ctx, org, UnseenMost)
}

// Conversation reads one thread with whom it is with and who answers. Another organisation's is NotFound.
func (s *Service) Conversation(ctx context.Context, org domain.OrgID, id domain.ThreadID) (ledger.Conversation, error) {
	return s.ledger.Conversation(ctx, org, id)
}

// Contact reads whom a thread is with. Another organisation's is NotFound.
func (s *Service) Contact(ctx context.Context, org domain.OrgID, id domain.ContactID) (domain.Contact, error) {
	return s.ledger.Contact(ctx, org, id)
}

// LastVisit reads a contact's latest session: where they were and what their browser told. It fails with NotFound if they never came to a
// page, or if their session has ended and is forgotten.
func (s *Service) LastVisit(ctx context.Context, org domain.OrgID, id domain.ContactID) (domain.Session, error) {
	return s.ledger.LastSession(ctx, org, id)
}

// Messages reads a thread's lines after a cursor, oldest first, at most limit. Another organisation's thread is NotFound.
func (s *Service) Messages(ctx context.Context, org domain.OrgID, id domain.ThreadID, after int64, limit int) ([]domain.Message, error) {
	if err := s.stands(ctx, org, id); err != nil {
		return nil, err
	}
	return s.ledger.MessagesAfter(ctx, org, id, after, limit)
}

// stands fails with NotFound for a thread that is not there, or has become part of another one.
func (s *Service) stands(ctx context.Context, org domain.OrgID, id domain.ThreadID) error {
	t, err := s.ledger.Thread(ctx, org, id)
	if err == nil && t.MergedInto != "" {
		err = MergedInto(t.MergedInto)
	}
	return err
}

// MergedInto is what whoever asks for a thread hears that has become part of another one.
func MergedInto(into domain.ThreadID) error {
	return &domain.Error{Kind: domain.NotFound, MergedInto: into, Msg: "this thread has become part of " + string(into)}
}

// Message reads one line of a thread. It fails with NotFound, for another organisation's too.
func (s *Service) Message(ctx context.Context, org domain.OrgID, thread domain.ThreadID, id domain.MessageID) (domain.Message, error) {
	m, err := s.ledger.Message(ctx, org, thread, id)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return m, domain.NotFoundf("there is no such message")
	}
	return m, err
}

// Timeline reads a thread's flight recorder. Another organisation's thread is NotFound.
func (s *Service) Timeline(ctx context.Context, org domain.OrgID, id domain.ThreadID) ([]domain.TimelineItem, error) {
	if err := s.stands(ctx, org, id); err != nil {
		return nil, err
	}
	return s.ledger.Timeline(ctx, org, id)
}

// Recorded reads a part of a thread's flight recorder, and the lines it tells of. It fails with Invalid if the part begins or ends nowhere.
func (s *Service) Recorded(ctx context.Context, org domain.OrgID, id domain.ThreadID, part ledger.TimelinePart) (ledger.TimelinePart, []domain.Message, error) {
	part, err := s.ledger.TimelinePart(ctx, org, id, part)
	if err != nil {
		return part, nil, err
	}
	var ids []domain.MessageID
	for _, i := range part.Items {
		if i.MessageID != "" && !slices.Contains(ids, i.MessageID) {
			ids = append(ids, i.MessageID)
		}
	}
	ms, err := s.ledger.MessagesOf(ctx, org, id, ids)
	return part, ms, err
}
