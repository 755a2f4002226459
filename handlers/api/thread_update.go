package api

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
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

// updateThread checks all of the update before it does any of it.
func (a *API) updateThread(ctx context.Context, in *updateThreadRequest) (*Answer[Thread], error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	now, err := a.Chat.Conversation(ctx, callerOf(ctx).scope(), id)
	if err != nil {
		return nil, err
	}
	m, err := in.Body.plan(now.Thread)
	if err != nil {
		return nil, err
	}
	labels, err := in.Body.labels()
	if err != nil {
		return nil, err
	}
	if err := a.move(ctx, id, m, in.Body.assignee().ID); err != nil {
		return nil, err
	}
	if labels != nil {
		if err := a.Chat.SetLabels(ctx, callerOf(ctx).program(), id, labels); err != nil {
			return nil, err
		}
	}
	return a.thread(ctx, id)
}

// move makes it. It fails with Conflict where the thread cannot go there from where it is.
func (a *API) move(ctx context.Context, id domain.ThreadID, m move, assignee string) (err error) {
	who := callerOf(ctx).program()
	switch m {
	case handBack:
		_, err = a.Chat.HandBack(ctx, who, id)
	case release:
		_, err = a.Chat.Release(ctx, who, id)
	case resolve:
		_, err = a.Chat.Close(ctx, who, id)
	case takeOver:
		if assignee != "" {
			if who, err = a.colleague(ctx, assignee); err != nil {
				return err
			}
		}
		_, err = a.Chat.TakeOver(ctx, who, id)
	}
	return err
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
