package api

import (
	"context"
	"net/http"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// Widget is an embeddable chat as the API shows it.
type Widget struct {
	ID                  string     `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Key                 string     `json:"key" doc:"Public: it goes into the page." example:"wid_4Qm0sT7vXcB2nLr9KdPw1a"`
	Name                string     `json:"name" example:"Shop"`
	Enabled             bool       `json:"enabled" doc:"A disabled widget is not shown and refuses everyone." example:"true"`
	AgentID             *string    `json:"agent_id" nullable:"true" format:"uuid" doc:"The agent that answers; null: people only." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	WebchatEnabled      bool       `json:"webchat_enabled" doc:"Off: messages are taken, but no agent is asked." example:"true"`
	AllowedOrigins      []string   `json:"allowed_origins" doc:"Which pages may embed it: https://site.example, https://*.site.example, or * for all. Empty: none." example:"https://shop.example"`
	DailyMessageCap     int        `json:"daily_message_cap" doc:"A contact's messages per thread and UTC day; 0: no cap." example:"500"`
	Rate                Rate       `json:"rate"`
	RequireIdentity     bool       `json:"require_identity" doc:"Only visitors that the site vouches for may write." example:"false"`
	IdentitySecret      string     `json:"identity_secret,omitempty" doc:"Signs identities. Only in the answer that creates the widget." example:"3f1c…"`
	PreviousUntil       *Time      `json:"previous_secret_until" nullable:"true" doc:"Until when identities signed with the secret before the last rotation are accepted too; null: they are not."`
	HandoffAfterSeconds int        `json:"handoff_after_seconds" doc:"Whoever waits for a person that long is told what happens next, and the owners are mailed. An agent that takes longer is left to it, and people are asked beside it." example:"60"`
	WaitingText         string     `json:"waiting_text" doc:"What they are told; empty: our words in their language." example:""`
	FallbackText        string     `json:"fallback_text" doc:"What the contact reads when the agent failed for good." example:"Sorry, I could not answer that just now."`
	Appearance          Appearance `json:"appearance"`

	AttachmentsEnabled bool `json:"attachments_enabled" doc:"Visitors may send files." example:"true"`

	Hours       HoursChoice       `json:"hours" doc:"When people are there; null: nothing is promised."`
	OfflineForm bool              `json:"offline_form" doc:"While nobody is there to answer, a visitor without a conversation gets a form instead." example:"false"`
	Texts       map[string]string `json:"texts" doc:"Wording of your own, by the widget's names for its texts."`

	CreatedAt Time `json:"created_at"`
	UpdatedAt Time `json:"updated_at"`
}

// Hours are when people are there.
type Hours struct {
	Timezone string                 `json:"timezone" doc:"IANA." example:"Europe/Berlin"`
	Week     map[string][][2]string `json:"week" doc:"By mon, tue, wed, thu, fri, sat, sun: spans from 09:00 to 17:00, at most 4 a day. A day without is a day off."`
}

// Rate bounds a contact's messages in a thread.
type Rate struct {
	Messages      int `json:"messages" example:"20"`
	WindowSeconds int `json:"window_seconds" example:"60"`
}

// Appearance is how a widget looks and what it asks.
type Appearance struct {
	Title           string   `json:"title" example:"Acme"`
	Greeting        string   `json:"greeting" example:"Hi! How can we help?"`
	PrimaryColor    string   `json:"primary_color" example:"#0f766e"`
	TextColor       string   `json:"text_color" doc:"On the primary colour." example:"#ffffff"`
	Position        string   `json:"position" enum:"bottom_right,bottom_left" example:"bottom_right"`
	Locale          string   `json:"locale" doc:"BCP 47; empty: the browser's." example:"en"`
	ContactInfoMode string   `json:"contact_info_mode" enum:"none,optional,required" doc:"Whether it asks who somebody is before they write." example:"optional"`
	Collect         []string `json:"collect" enum:"name,email,phone" doc:"What it asks for." example:"name,email"`
}

func showWidget(w domain.Widget) Widget {
	if w.AllowedOrigins == nil {
		w.AllowedOrigins = []string{}
	}
	if w.Appearance.Collect == nil {
		w.Appearance.Collect = []string{}
	}
	if w.Texts == nil {
		w.Texts = map[string]string{}
	}
	return Widget{
		ID: string(w.ID), Key: w.Key, Name: w.Name, Enabled: w.Enabled, AgentID: orNull(w.AgentID), WebchatEnabled: w.WebchatEnabled,
		AllowedOrigins: w.AllowedOrigins, DailyMessageCap: w.DailyCap, Rate: Rate{w.RateMessages, w.RateWindowSecs},
		RequireIdentity: w.RequireIdentity, HandoffAfterSeconds: w.HandoffAfterSeconds, WaitingText: w.WaitingText,
		FallbackText: w.FallbackText, Appearance: Appearance(w.Appearance), PreviousUntil: previousUntil(w),
		AttachmentsEnabled: w.AttachmentsEnabled, Hours: HoursChoice{true, (*Hours)(w.Hours)}, OfflineForm: w.OfflineForm, Texts: w.Texts,
		CreatedAt: Time(w.CreatedAt), UpdatedAt: Time(w.UpdatedAt),
	}
}

func previousUntil(w domain.Widget) *Time {
	if !w.SecretOverlaps(time.Now()) {
		return nil
	}
	return timeOrNull(w.PreviousUntil)
}

// WidgetFields is what can be set of a widget.
type WidgetFields struct {
	Name                *string           `json:"name,omitempty" example:"Shop"`
	Enabled             *bool             `json:"enabled,omitempty" doc:"A disabled widget is not shown and refuses everyone." example:"true"`
	AgentID             Choice            `json:"agent_id,omitzero" doc:"The agent that answers; null: people only."`
	WebchatEnabled      *bool             `json:"webchat_enabled,omitempty" doc:"Off: messages are taken, but no agent is asked." example:"true"`
	AllowedOrigins      *[]string         `json:"allowed_origins,omitempty" doc:"Which pages may embed it: https://site.example, https://*.site.example, or * for all. Empty: none." example:"https://shop.example"`
	DailyMessageCap     *int              `json:"daily_message_cap,omitempty" minimum:"0" doc:"A contact's messages per thread and UTC day; 0: no cap." example:"500"`
	Rate                *RateFields       `json:"rate,omitempty"`
	RequireIdentity     *bool             `json:"require_identity,omitempty" doc:"Only visitors that the site vouches for may write." example:"false"`
	HandoffAfterSeconds *int              `json:"handoff_after_seconds,omitempty" minimum:"1" maximum:"86400" doc:"Whoever waits for a person that long is told what happens next." example:"60"`
	WaitingText         *string           `json:"waiting_text,omitempty" doc:"What they are told; empty: our words in their language." example:"We are back tomorrow at nine."`
	FallbackText        *string           `json:"fallback_text,omitempty" doc:"What the contact reads when the agent failed for good." example:"Sorry, I could not answer that just now."`
	Appearance          *AppearanceFields `json:"appearance,omitempty"`

	AttachmentsEnabled *bool `json:"attachments_enabled,omitempty" doc:"Visitors may send files." example:"true"`

	Hours       HoursChoice        `json:"hours,omitzero" doc:"When people are there; null: nothing is promised. It is replaced as a whole."`
	OfflineForm *bool              `json:"offline_form,omitempty" doc:"While nobody is there to answer, a visitor without a conversation gets a form instead." example:"true"`
	Texts       *map[string]string `json:"texts,omitempty" doc:"Wording of your own, by the widget's names for its texts. It is replaced as a whole."`
}

// RateFields is what can be set of a Rate.
type RateFields struct {
	Messages      *int `json:"messages,omitempty" minimum:"1" example:"20"`
	WindowSeconds *int `json:"window_seconds,omitempty" minimum:"1" example:"60"`
}

// AppearanceFields is what can be set of how a widget looks and what it asks.
type AppearanceFields struct {
	Title           *string   `json:"title,omitempty" example:"Acme"`
	Greeting        *string   `json:"greeting,omitempty" example:"Hi! How can we help?"`
	PrimaryColor    *string   `json:"primary_color,omitempty" doc:"As #rrggbb." example:"#0f766e"`
	TextColor       *string   `json:"text_color,omitempty" doc:"As #rrggbb, on the primary colour." example:"#ffffff"`
	Position        *string   `json:"position,omitempty" enum:"bottom_right,bottom_left" example:"bottom_right"`
	Locale          *string   `json:"locale,omitempty" doc:"BCP 47; empty: the browser's." example:"en"`
	ContactInfoMode *string   `json:"contact_info_mode,omitempty" enum:"none,optional,required" doc:"Whether it asks who somebody is before they write." example:"optional"`
	Collect         *[]string `json:"collect,omitempty" enum:"name,email,phone" doc:"What it asks for." example:"name,email"`
}

// over lays what is given over a widget's values.
func (f WidgetFields) over(in account.WidgetInput) (account.WidgetInput, error) {
	if f.AgentID.Given {
		id, err := parseField[domain.AgentID]("agent_id", f.AgentID.ID)
		if err != nil {
			return in, err
		}
		in.AgentID = id
	}
	lay(&in.Name, f.Name)
	lay(&in.Enabled, f.Enabled)
	lay(&in.WebchatEnabled, f.WebchatEnabled)
	lay(&in.AllowedOrigins, f.AllowedOrigins)
	lay(&in.DailyCap, f.DailyMessageCap)
	lay(&in.RequireIdentity, f.RequireIdentity)
	lay(&in.FallbackText, f.FallbackText)
	lay(&in.HandoffAfterSeconds, f.HandoffAfterSeconds)
	lay(&in.WaitingText, f.WaitingText)
	lay(&in.AttachmentsEnabled, f.AttachmentsEnabled)
	lay(&in.OfflineForm, f.OfflineForm)
	lay(&in.Texts, f.Texts)
	if f.Hours.Given {
		in.Hours = (*domain.Hours)(f.Hours.Hours)
	}
	if r := f.Rate; r != nil {
		lay(&in.RateMessages, r.Messages)
		lay(&in.RateWindowSecs, r.WindowSeconds)
	}
	if p := f.Appearance; p != nil {
		lay(&in.Appearance.Title, p.Title)
		lay(&in.Appearance.Greeting, p.Greeting)
		lay(&in.Appearance.PrimaryColor, p.PrimaryColor)
		lay(&in.Appearance.TextColor, p.TextColor)
		lay(&in.Appearance.Position, p.Position)
		lay(&in.Appearance.Locale, p.Locale)
		lay(&in.Appearance.ContactInfoMode, p.ContactInfoMode)
		lay(&in.Appearance.Collect, p.Collect)
	}
	return in, nil
}

// WidgetCreate is the body that makes a widget.
type WidgetCreate struct{ WidgetFields }

// IdentitySecret is a widget's new secret.
type IdentitySecret struct {
	IdentitySecret string `json:"identity_secret" doc:"Signs identities from now on; it is not shown again." example:"3f1c…"`
	PreviousUntil  Time   `json:"previous_secret_until" doc:"Until when identities signed with the secret before are accepted too."`
}

func widgetInput(w domain.Widget) account.WidgetInput {
	return account.WidgetInput{
		Name: w.Name, Enabled: w.Enabled, AgentID: w.AgentID, WebchatEnabled: w.WebchatEnabled, AllowedOrigins: w.AllowedOrigins,
		DailyCap: w.DailyCap, RateMessages: w.RateMessages, RateWindowSecs: w.RateWindowSecs, RequireIdentity: w.RequireIdentity,
		HandoffAfterSeconds: w.HandoffAfterSeconds, WaitingText: w.WaitingText, FallbackText: w.FallbackText, Appearance: w.Appearance, AttachmentsEnabled: w.AttachmentsEnabled,
		Hours: w.Hours, OfflineForm: w.OfflineForm, Texts: w.Texts,
	}
}

type createWidgetRequest struct {
	Body WidgetCreate `example:"{\"name\":\"Shop\",\"allowed_origins\":[\"https://shop.example\"],\"appearance\":{\"title\":\"Acme\",\"greeting\":\"Hi! How can we help?\"}}"`
}

type updateWidgetRequest struct {
	Path
	Match
	Body WidgetFields `example:"{\"webchat_enabled\":false,\"rate\":{\"messages\":10}}"`
}

func (a *API) widgetOperations() {
	const tag = tagWidgets
	add(a, operation(http.MethodGet, "/widgets", "list-widgets", tag, "List widgets", "All widgets of the organisation, the oldest first."), a.listWidgets)
	add(a, creates(ownerOperation(http.MethodPost, "/widgets", "create-widget", tag, "Create a widget",
		"The answer is the only one that shows `identity_secret`.")), a.createWidget)
	add(a, operation(http.MethodGet, "/widgets/{id}", "get-widget", tag, "Read a widget", ""), a.getWidget)
	add(a, changes(ownerOperation(http.MethodPatch, "/widgets/{id}", "update-widget", tag, "Change a widget",
		"Only the fields given change, also within `rate` and `appearance`.")), a.updateWidget)
	add(a, ownerOperation(http.MethodDelete, "/widgets/{id}", "delete-widget", tag, "Delete a widget", "Its sessions end; its threads stay."), a.deleteWidget)
	add(a, ownerOperation(http.MethodPost, "/widgets/{id}/rotate-secret", "rotate-widget-secret", tag, "Change a widget's identity secret",
		"Signatures made with the one before are accepted for 24 more hours, so that a site can change over; the one before that ends at once."), a.rotateWidgetSecret)
	add(a, ownerOperation(http.MethodDelete, "/widgets/{id}/previous-secret", "end-widget-previous-secret", tag, "End a widget's previous identity secret",
		"Signatures made with the secret before the last rotation are refused from now on."), a.endPreviousSecret)
	d := a.Account.DefaultWidget()
	a.expect("WidgetCreate", []string{"name"}, map[string]any{"enabled": d.Enabled, "webchat_enabled": d.WebchatEnabled,
		"daily_message_cap": d.DailyCap, "require_identity": d.RequireIdentity, "handoff_after_seconds": d.HandoffAfterSeconds, "waiting_text": d.WaitingText, "fallback_text": d.FallbackText, "attachments_enabled": d.AttachmentsEnabled,
		"offline_form": d.OfflineForm})
}

func (a *API) listWidgets(ctx context.Context, in *struct{ Paging }) (*Answer[List[Widget]], error) {
	all, err := a.Account.Widgets(ctx, callerOf(ctx).scope())
	if err != nil {
		return nil, err
	}
	widgets, next, err := page(all, func(w domain.Widget) domain.WidgetID { return w.ID }, in.Paging)
	return list(widgets, showWidget, next), err
}

func (a *API) createWidget(ctx context.Context, in *createWidgetRequest) (*Tagged[Widget], error) {
	input, err := in.Body.over(a.Account.DefaultWidget())
	if err != nil {
		return nil, err
	}
	made, err := a.Account.CreateWidget(ctx, callerOf(ctx).scope(), input)
	if err != nil {
		return nil, err
	}
	secret := made.IdentitySecret
	if input.DailyCap == 0 { // of a new widget, account takes that for "not said"
		if made, err = a.Account.UpdateWidget(ctx, made.OrgID, made.ID, input); err != nil {
			return nil, err
		}
	}
	shown := showWidget(made)
	tag := tagOf(shown) // of what the next one to read it sees
	shown.IdentitySecret = secret
	return &Tagged[Widget]{tag, shown}, nil
}

func (a *API) getWidget(ctx context.Context, in *struct{ Path }) (*Tagged[Widget], error) {
	w, err := a.widget(ctx, in.ID)
	return tagged(showWidget(w)), err
}

func (a *API) updateWidget(ctx context.Context, in *updateWidgetRequest) (*Tagged[Widget], error) {
	id, err := domain.ParseID[domain.WidgetID](in.ID)
	if err != nil {
		return nil, err
	}
	changed, err := a.Account.ChangeWidget(ctx, callerOf(ctx).scope(), id, func(now domain.Widget) (account.WidgetInput, error) {
		if err := in.check(showWidget(now)); err != nil {
			return account.WidgetInput{}, err
		}
		return in.Body.over(widgetInput(now))
	})
	return tagged(showWidget(changed)), err
}

func (a *API) deleteWidget(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.WidgetID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.DeleteWidget(ctx, callerOf(ctx).scope(), id)
}

func (a *API) rotateWidgetSecret(ctx context.Context, in *struct{ Path }) (*Answer[IdentitySecret], error) {
	id, err := domain.ParseID[domain.WidgetID](in.ID)
	if err != nil {
		return nil, err
	}
	secret, until, err := a.Account.RotateIdentitySecret(ctx, callerOf(ctx).scope(), id)
	return &Answer[IdentitySecret]{IdentitySecret{secret, Time(until)}}, err
}

func (a *API) endPreviousSecret(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.WidgetID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.EndPreviousSecret(ctx, callerOf(ctx).scope(), id)
}

// widget reads the widget that a path names.
func (a *API) widget(ctx context.Context, path string) (domain.Widget, error) {
	id, err := domain.ParseID[domain.WidgetID](path)
	if err != nil {
		return domain.Widget{}, err
	}
	return a.Account.Widget(ctx, callerOf(ctx).scope(), id)
}
