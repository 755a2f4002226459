package api

import (
	"context"
	"net/http"

	"github.com/parley-chat/parley/domain"
)

// Settings is what holds for the whole organisation.
type Settings struct {
	RecordContent string `json:"record_content" enum:"off,metadata,full" doc:"What the flight recorder keeps of models' prompts and responses: nothing, how long they were, every word. It counts for turns that begin from now on." example:"metadata"`
	RecordDays    int    `json:"record_days" minimum:"0" maximum:"3650" doc:"How many days the details of a turn's steps are kept; 0: for ever." example:"90"`
}

// SettingsUpdate is what can be changed of them.
type SettingsUpdate struct {
	RecordContent *domain.RecordContent `json:"record_content,omitempty" enum:"off,metadata,full" doc:"What the flight recorder keeps of models' prompts and responses." example:"full"`
	RecordDays    *int                  `json:"record_days,omitempty" minimum:"0" maximum:"3650" doc:"How many days the details of a turn's steps are kept; 0: for ever." example:"30"`
}

type updateSettingsRequest struct {
	Match
	Body SettingsUpdate `example:"{\"record_content\":\"full\",\"record_days\":30}"`
}

func (a *API) settingsOperations() {
	const tag = tagThreads
	add(a, operation(http.MethodGet, "/settings", "get-settings", tag, "Read the organisation's settings", "What the flight recorder keeps, and for how long."), a.getSettings)
	add(a, changes(ownerOperation(http.MethodPatch, "/settings", "update-settings", tag, "Change the organisation's settings", "Only the fields given change.")), a.updateSettings)
}

func showSettings(r domain.Recording) Settings { return Settings{string(r.Content), r.Days} }

func (a *API) getSettings(ctx context.Context, _ *struct{}) (*Tagged[Settings], error) {
	r, err := a.Account.Recording(ctx, callerOf(ctx).scope())
	return tagged(showSettings(r)), err
}

func (a *API) updateSettings(ctx context.Context, in *updateSettingsRequest) (*Tagged[Settings], error) {
	changed, err := a.Account.ChangeRecording(ctx, callerOf(ctx).scope(), func(now domain.Recording) (domain.Recording, error) {
		err := in.check(showSettings(now))
		lay(&now.Content, in.Body.RecordContent)
		lay(&now.Days, in.Body.RecordDays)
		return now, err
	})
	return tagged(showSettings(changed)), err
}
