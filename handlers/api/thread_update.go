package api

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
)

// ThreadUpdate is what can be changed of a thread.
type ThreadUpdate struct {
	Status     string          `json:"status,omitempty" enum:"open,closed" example:"open"`
	Handling   domain.Handling `json:"handling,omitempty" enum:"agent,waiting,human,closed" example:"human"`
	Assignee   Choice          `json:"assignee,omitzero" doc:"The id of the person who is to have it; null: nobody in particular."`
	AssigneeID Choice          `json:"assignee_id,omitzero" doc:"The same as assignee, under the name it has in answers."`
	Labels     *[]string       `json:"labels,omitempty" doc:"At most 50, of 1 to 50 characters each." example:"billing,vip"`
}

// move is what a ThreadUpdate does to who handles the thread.
type move uint8

const (
	stay move = iota
	handBack
	takeOver // by the assignee, or by the program itself
	release
	resolve
)

// plan decides what the update means for a thread as it stands. It fails with Invalid if its fields contradict each other.
func (u ThreadUpdate) plan(now domain.Thread) (move, error) {
	to, assignee, err := u.target()
	if err != nil {
		return stay, err
	}
	switch to {
	case domain.HandlingAgent:
		return handBack, nil
	case domain.HandlingWaiting:
		return release, nil
	case domain.HandlingClosed:
		return resolve, nil
	case domain.HandlingHuman:
		if now.Handling == domain.HandlingHuman && !assignee.Given {
			return stay, nil // somebody has it
		}
		return takeOver, nil
	}
	switch {
	case u.Status == statusOpen && now.Handling == domain.HandlingClosed:
		return handBack, nil
	case assignee.Given && now.Handling == domain.HandlingHuman: // null
		return release, nil
	}
	return stay, nil
}

// target is the handling that the fields ask for together, empty if they do not say.
func (u ThreadUpdate) target() (to domain.Handling, assignee Choice, err error) {
	to, assignee = u.Handling, u.assignee()
	switch {
	case u.Status == statusClosed && to != "" && to != domain.HandlingClosed:
		return "", assignee, domain.InvalidField("handling", "must be closed, or left out, with status closed")
	case u.Status == statusOpen && to == domain.HandlingClosed:
		return "", assignee, domain.InvalidField("handling", "must not be closed with status open")
	case u.Status == statusClosed:
		to = domain.HandlingClosed
	}
	if assignee.ID == "" {
		return to, assignee, nil
	}
	if to != "" && to != domain.HandlingHuman {
		return "", assignee, domain.InvalidField("assignee", "can only be given with handling human")
	}
	return domain.HandlingHuman, assignee, nil
}

func (u ThreadUpdate) assignee() Choice {
	if u.Assignee.Given {
		return u.Assignee
	}
	return u.AssigneeID
}

// labels are the ones to set, in order and each once; nil: leave them.
func (u ThreadUpdate) labels() ([]string, error) {
	if u.Labels == nil {
		return nil, nil
	}
	labels := make([]string, 0, len(*u.Labels))
	for _, label := range *u.Labels {
		label = strings.TrimSpace(label)
		if n := utf8.RuneCountInString(label); n < 1 || n > 50 || strings.ContainsFunc(label, unicode.IsControl) {
			return nil, domain.InvalidField("labels", "must have 1 to 50 characters each")
		}
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	if len(labels) > 50 {
		return nil, domain.InvalidField("labels", "must be at most 50")
	}
	return labels, nil
}

// updateThread does all of the update or none of it.
func (a *API) updateThread(ctx context.Context, in *updateThreadRequest) (*Tagged[Thread], error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.thread(ctx, id); err != nil { // what is wrong with the fields is nobody's business whose thread it is not
		return nil, err
	}
	labels, err := in.Body.labels()
	if err != nil {
		return nil, err
	}
	who := callerOf(ctx).program()
	taker := who
	if id := in.Body.assignee().ID; id != "" {
		if taker, err = a.colleague(ctx, id); err != nil {
			return nil, err
		}
	}
	err = a.Chat.Revise(ctx, who, id, func(now domain.Thread, contactName string) (chat.Move, error) {
		if err := in.check(showThread(ledger.Conversation{Thread: now, ContactName: contactName})); err != nil {
			return chat.Move{}, err
		}
		to := chat.Move{Labels: labels}
		m, err := in.Body.plan(now)
		switch m {
		case handBack:
			to.HandBack = who
		case release:
			to.Release = who
		case resolve:
			to.Close = who
		case takeOver:
			to.TakeOver = taker
		}
		return to, err
	})
	if err != nil {
		return nil, err
	}
	return a.thread(ctx, id)
}

// colleague is the person of the organisation that an assignee names.
func (a *API) colleague(ctx context.Context, id string) (domain.User, error) {
	users, err := a.Account.Users(ctx, callerOf(ctx).scope())
	if err != nil {
		return domain.User{}, err
	}
	at := slices.IndexFunc(users, func(u domain.User) bool { return u.ID == domain.UserID(id) })
	if at < 0 {
		return domain.User{}, domain.InvalidField("assignee", "is nobody of this organisation")
	}
	return users[at], nil
}
