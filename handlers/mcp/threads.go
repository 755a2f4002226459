package mcp

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/edge"
)

const (
	pageUsual = 20
	pageMost  = 100
	pageBytes = 48 << 10 // of people's words and recorded details in one result; a page ends before it would have more
)

// limitOf is how much a page is to hold at most.
func limitOf(asked int) (int, error) {
	switch {
	case asked < 0:
		return 0, domain.InvalidField("limit", "must be at least 1")
	case asked == 0:
		return pageUsual, nil
	}
	return min(asked, pageMost), nil
}

// ThreadsQuery is what list_threads wants.
type ThreadsQuery struct {
	Handling []string `json:"handling,omitempty" jsonschema:"only threads that are handled so; [\"waiting\"] are those that want a person"`
	Status   string   `json:"status,omitempty" jsonschema:"open: every handling but closed"`
	Assignee string   `json:"assignee,omitempty" jsonschema:"UUID of the person of the team who has it"`
	Channel  string   `json:"channel,omitempty" jsonschema:"how messages travel, such as webchat"`
	Contact  string   `json:"contact,omitempty" jsonschema:"UUID of the contact"`
	Paging
}

// Paging is how every list is asked for.
type Paging struct {
	Cursor string `json:"cursor,omitempty" jsonschema:"the next_cursor of the page before; without one the list begins"`
	Limit  int    `json:"limit,omitempty" jsonschema:"how many to give at most, 1 to 100; 20 if not given"`
}

// SearchQuery is what search_threads wants.
type SearchQuery struct {
	Query string `json:"query" jsonschema:"a word or phrase that stands in a message, or in the contact's name or e-mail address; 1 to 200 characters"`
	Paging
}

// Threads is a page of threads.
type Threads struct {
	Threads    []Thread `json:"threads"`
	NextCursor string   `json:"next_cursor,omitempty" jsonschema:"give it as cursor to get the next page; absent at the end"`
}

// ThreadName names a thread.
type ThreadName struct {
	ThreadID string `json:"thread_id" jsonschema:"UUID of the thread"`
}

// Reading is what read_thread wants.
type Reading struct {
	ThreadName
	AfterSeq *int64 `json:"after_seq,omitempty" jsonschema:"begin after the message with this seq; 0 is the beginning; without it you get the newest messages"`
	Paging
}

// Conversation is a thread with its messages.
type Conversation struct {
	Thread     Thread    `json:"thread"`
	Messages   []Message `json:"messages" jsonschema:"the oldest first"`
	Earlier    int64     `json:"earlier,omitempty" jsonschema:"how many messages there are before these; read them with a lower after_seq"`
	NextCursor string    `json:"next_cursor,omitempty" jsonschema:"give it as cursor to get the messages after these; absent at the end"`
}

func (s *Surface) threadTools(server *mcp.Server) {
	add(s, server, tool{name: "list_threads", title: "List conversations", effect: reads,
		about: "Lists conversations, the newest line first. Filters narrow each other down; without any, all are listed.",
		enums: map[string][]any{"handling": {"agent", "waiting", "human", "closed"}, "status": {"open", "closed"}}}, s.listThreads)
	add(s, server, tool{name: "search_threads", title: "Search conversations", effect: reads,
		about: "Finds conversations in which a word or phrase was written, or whose contact's name or e-mail address has it, the newest line first."}, s.searchThreads)
	add(s, server, tool{name: "read_thread", title: "Read a conversation", effect: reads,
		about: "Reads a conversation as the visitor sees it: who answers it, and its messages, the oldest first. Without after_seq it gives the newest ones. Notes of the team stand in read_timeline."}, s.readThread)
}

// query is the request in the domain's words. none reports that its filters exclude each other.
func (in ThreadsQuery) query() (q chat.InboxQuery, none bool, err error) {
	q = chat.InboxQuery{Channel: in.Channel, Cursor: in.Cursor}
	for _, h := range in.Handling {
		if closed := domain.Handling(h) == domain.HandlingClosed; in.Status == "" || closed == (in.Status == "closed") {
			q.Handling = append(q.Handling, domain.Handling(h))
		}
	}
	none = len(in.Handling) > 0 && len(q.Handling) == 0
	switch {
	case len(in.Handling) > 0:
	case in.Status == "closed":
		q.Handling = []domain.Handling{domain.HandlingClosed}
	case in.Status == "open":
		q.Handling = []domain.Handling{domain.HandlingAgent, domain.HandlingWaiting, domain.HandlingHuman}
	}
	if strings.ContainsRune(in.Channel, 0) || utf8.RuneCountInString(in.Channel) > 64 {
		return q, none, domain.InvalidField("channel", "must be text of at most 64 characters")
	}
	if q.Assignee, err = parseField[domain.UserID]("assignee", in.Assignee); err != nil {
		return q, none, err
	}
	if q.Contact, err = parseField[domain.ContactID]("contact", in.Contact); err != nil {
		return q, none, err
	}
	q.Limit, err = limitOf(in.Limit)
	return q, none, err
}

// parseField reads an id that narrows a list down: what cannot be one is Invalid, not NotFound.
func parseField[T ~string](field, s string) (T, error) {
	if s == "" {
		return "", nil
	}
	id, err := domain.ParseID[T](s)
	if err != nil {
		return "", domain.InvalidField(field, "is not an id: it must be a UUID")
	}
	return id, nil
}

func (s *Surface) listThreads(ctx context.Context, in ThreadsQuery) (Threads, error) {
	q, none, err := in.query()
	if err != nil || none {
		return Threads{Threads: []Thread{}}, err
	}
	return s.inbox(ctx, q)
}

func (s *Surface) searchThreads(ctx context.Context, in SearchQuery) (Threads, error) {
	words := strings.TrimSpace(strings.ReplaceAll(in.Query, "\x00", ""))
	if n := utf8.RuneCountInString(words); n < 1 || n > 200 {
		return Threads{}, domain.InvalidField("query", "must have 1 to 200 characters")
	}
	limit, err := limitOf(in.Limit)
	if err != nil {
		return Threads{}, err
	}
	return s.inbox(ctx, chat.InboxQuery{Query: words, Cursor: in.Cursor, Limit: limit})
}

func (s *Surface) inbox(ctx context.Context, q chat.InboxQuery) (Threads, error) {
	found, next, err := s.Chat.Inbox(ctx, callerOf(ctx).scope(), q)
	shown := Threads{Threads: make([]Thread, len(found)), NextCursor: next}
	for i, c := range found {
		shown.Threads[i] = showThread(c)
	}
	return shown, err
}

// conversation reads the thread that a model names. What has become part of another one says of which.
func (s *Surface) conversation(ctx context.Context, name string) (Thread, error) {
	id, err := domain.ParseID[domain.ThreadID](name)
	if err != nil {
		return Thread{}, noThread(name)
	}
	c, err := s.Chat.Conversation(ctx, callerOf(ctx).scope(), id)
	switch {
	case domain.KindOf(err) == domain.NotFound && err != nil:
		return Thread{}, noThread(name)
	case err == nil && c.MergedInto != "":
		return Thread{}, domain.NotFoundf("this thread has become part of %s", c.MergedInto)
	}
	return showThread(c), err
}

func noThread(name string) error {
	return domain.NotFoundf("there is no thread %.40q: list_threads and search_threads tell the ids there are", name)
}

func (s *Surface) readThread(ctx context.Context, in Reading) (Conversation, error) {
	limit, err := limitOf(in.Limit)
	if err != nil {
		return Conversation{}, err
	}
	t, err := s.conversation(ctx, in.ThreadID)
	if err != nil {
		return Conversation{}, err
	}
	after, err := in.after(t, limit)
	if err != nil {
		return Conversation{}, err
	}
	ms, err := s.Chat.Messages(ctx, callerOf(ctx).scope(), domain.ThreadID(t.ID), after, limit+1)
	if err != nil {
		return Conversation{}, err
	}
	more := len(ms) > limit
	ms = ms[:min(len(ms), limit)]
	fit := fitting(ms, func(m domain.Message) int { return len(m.Content) })
	shown := Conversation{Thread: t, Messages: []Message{}, Earlier: min(after, t.LastSeq)}
	for _, m := range ms[:fit] {
		shown.Messages = append(shown.Messages, showMessage(edge.Origin(s.PublicURL, callerOf(ctx).request), m))
	}
	if more || fit < len(ms) {
		shown.NextCursor = strconv.FormatInt(ms[fit-1].Seq, 10)
	}
	return shown, nil
}

// after is the seq after which to begin: what was asked for, else so that the newest messages come.
func (in Reading) after(t Thread, limit int) (int64, error) {
	switch {
	case in.Cursor != "":
		seq, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || seq < 0 {
			return 0, domain.InvalidField("cursor", "is not one that read_thread has given")
		}
		return seq, nil
	case in.AfterSeq == nil:
		return max(0, t.LastSeq-int64(limit)), nil
	case *in.AfterSeq < 0:
		return 0, domain.InvalidField("after_seq", "must be at least 0")
	}
	return *in.AfterSeq, nil
}

// fitting is how many of the first things make a page: as many as have the bytes of one, but one at least.
func fitting[T any](all []T, size func(T) int) int {
	room := pageBytes
	over := slices.IndexFunc(all, func(one T) bool { room -= size(one); return room < 0 })
	if over < 0 {
		return len(all)
	}
	return max(over, 1)
}
