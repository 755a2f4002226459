package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
)

// Thread is one conversation.
type Thread struct {
	ID            string   `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Channel       string   `json:"channel" doc:"How its messages travel." example:"webchat"`
	WidgetID      *string  `json:"widget_id" nullable:"true" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ContactID     *string  `json:"contact_id" nullable:"true" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ContactName   string   `json:"contact_name" doc:"Empty as long as they have not said." example:"Grace Hopper"`
	Status        string   `json:"status" enum:"open,closed" doc:"open is every handling but closed." example:"open"`
	Handling      string   `json:"handling" enum:"agent,waiting,human,closed" doc:"Who answers next: the agent, a person who has yet to come, a person, nobody." example:"agent"`
	AssigneeID    *string  `json:"assignee_id" nullable:"true" format:"uuid" doc:"The person who has it; null with handling human: a program." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	LastSeq       int64    `json:"last_seq" doc:"The number of its newest message." example:"7"`
	LastMessageAt *Time    `json:"last_message_at" nullable:"true"`
	Labels        []string `json:"labels" example:"billing,vip"`
	CreatedAt     Time     `json:"created_at"`
}

const (
	statusOpen   = "open"
	statusClosed = "closed"
)

func showThread(c ledger.Conversation) Thread {
	status := statusOpen
	if c.Handling == domain.HandlingClosed {
		status = statusClosed
	}
	return Thread{
		ID: string(c.ID), Channel: c.Channel, WidgetID: orNull(c.WidgetID), ContactID: orNull(c.ContactID), ContactName: c.ContactName,
		Status: status, Handling: string(c.Handling), AssigneeID: orNull(c.AssigneeID), LastSeq: c.LastSeq,
		LastMessageAt: timeOrNull(c.LastMessageAt), Labels: append([]string{}, c.Labels...), CreatedAt: Time(c.CreatedAt),
	}
}

type listThreadsRequest struct {
	Paging
	Status   string            `query:"status" enum:"open,closed" doc:"open: every handling but closed." example:"open"`
	Handling []domain.Handling `query:"handling" enum:"agent,waiting,human,closed" doc:"Who answers next; several separated by commas." example:"waiting,human"`
	Assignee string            `query:"assignee" maxLength:"36" doc:"The id of the person who has it; none: those that nobody in particular has." example:"none"`
	Channel  string            `query:"channel" maxLength:"64" doc:"How its messages travel." example:"webchat"`
	Contact  string            `query:"contact" format:"uuid" doc:"The contact's id."`
	Query    string            `query:"q" maxLength:"200" doc:"Words in the contact's name, e-mail address, phone number or external id, or in what was said." example:"delivery"`
}

// query is the request in the domain's words. none reports that its filters exclude each other.
func (in *listThreadsRequest) query() (q chat.InboxQuery, none bool, err error) {
	q = chat.InboxQuery{Handling: in.Handling, Channel: in.Channel, Query: in.Query, Cursor: in.Cursor, Limit: in.limit()}
	if in.Status != "" {
		of := []domain.Handling{domain.HandlingClosed}
		if in.Status == statusOpen {
			of = []domain.Handling{domain.HandlingAgent, domain.HandlingWaiting, domain.HandlingHuman}
		}
		if len(q.Handling) == 0 {
			q.Handling = of
		}
		q.Handling = slices.DeleteFunc(q.Handling, func(h domain.Handling) bool { return !slices.Contains(of, h) })
		none = len(q.Handling) == 0
	}
	if strings.ContainsRune(in.Channel, 0) || !utf8.ValidString(in.Channel) {
		return q, none, domain.InvalidField("channel", "is not text")
	}
	if in.Assignee == "none" {
		q.Unassigned, in.Assignee = true, ""
	}
	if q.Assignee, err = parseField[domain.UserID]("assignee", in.Assignee); err != nil {
		return q, none, err
	}
	q.Contact, err = parseField[domain.ContactID]("contact", in.Contact)
	return q, none, err
}

type updateThreadRequest struct {
	Path
	Match
	Body ThreadUpdate `example:"{\"handling\":\"human\",\"labels\":[\"billing\"]}"`
}

func (a *API) threadOperations() {
	const tag = tagThreads
	add(a, operation(http.MethodGet, "/threads", "list-threads", tag, "List threads",
		"The threads in which something was said, the newest line first. Filters narrow each other down."), a.listThreads)
	add(a, operation(http.MethodGet, "/threads/{id}", "get-thread", tag, "Read a thread", ""), a.getThread)
	update := operation(http.MethodPatch, "/threads/{id}", "update-thread", tag, "Change a thread",
		"Hands a thread over, closes or opens it, or replaces its labels. Only the fields given change, and what a thread is already stays. "+
			"`handling` `agent` gives it to its agent, which at once answers what nobody has; `human` gives it to the `assignee`, or to this program, "+
			"and silences the agent; `waiting` lets it wait for a person; `closed` resolves it until the contact writes again. "+
			"`status` `closed` means the same; `open` gives a closed thread back to its agent. An `assignee` alone hands the thread to that person; "+
			"null lets a thread that a person has wait for another.")
	update.Errors = []int{http.StatusConflict}
	add(a, changes(update), a.updateThread)
	retry := operation(http.MethodPost, "/threads/{id}/retry", "retry-thread", tag, "Ask the agent again",
		"Gives a thread whose agent gave up back to it, which answers what nobody has answered. Fails when everything is answered or a person has the thread.")
	retry.Errors = []int{http.StatusConflict}
	add(a, retry, a.retryThread)
	add(a, operation(http.MethodGet, "/threads/{id}/timeline", "get-thread-timeline", tag, "Read a thread's timeline",
		"Everything that happened, in order: messages and what they led to, the agent's turns step by step, replies and why some were not shown, "+
			"deliveries, hand-overs. The oldest first."), a.getTimeline)
}

func (a *API) listThreads(ctx context.Context, in *listThreadsRequest) (*Answer[List[Thread]], error) {
	q, none, err := in.query()
	if err != nil || none {
		return list(nil, showThread, ""), err
	}
	threads, next, err := a.Chat.Inbox(ctx, callerOf(ctx).scope(), q)
	return list(threads, showThread, next), err
}

func (a *API) getThread(ctx context.Context, in *struct{ Path }) (*Tagged[Thread], error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	return a.thread(ctx, id)
}

func (a *API) retryThread(ctx context.Context, in *struct{ Path }) (*Tagged[Thread], error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.Chat.Retry(ctx, callerOf(ctx).program(), id); err != nil {
		return nil, err
	}
	return a.thread(ctx, id)
}

func (a *API) thread(ctx context.Context, id domain.ThreadID) (*Tagged[Thread], error) {
	c, err := a.Chat.Conversation(ctx, callerOf(ctx).scope(), id)
	if err == nil && c.MergedInto != "" {
		return nil, chat.MergedInto(c.MergedInto)
	}
	return tagged(showThread(c)), err
}
