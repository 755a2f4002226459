package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

var webhooksText = strings.ReplaceAll(`Addresses of yours that are told what happens in your threads, as a 'POST' with the JSON body '{id, kind, at, thread{id, channel, handling, contact_id}, message?{…}, detail{}}', at least once each, in order within a thread.

'X-Parley-Signature: t=<unix seconds>,v1=<hex>' proves that it comes from here: the HMAC-SHA256 of '<t>.<body>' under the webhook's secret. For 24 hours after a rotation there are two, 'v1=…,v1=…'; one that fits is enough. Refuse a 't' that is minutes old. 'X-Parley-Event' is the kind, 'X-Parley-Delivery' stays the same when something is sent again.

Any 2xx within ten seconds means that you have it. '410' switches the webhook off; anything else is tried again for a day, after 1 s at first and 5 min at most, not before 'Retry-After' has passed. Redirects are not followed. After three days of nothing but failures the webhook is switched off and the owners are mailed.`, "'", "`")

// Webhook is one of them.
type Webhook struct {
	ID             string                `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	URL            string                `json:"url" example:"https://shop.example/parley"`
	Kinds          []domain.TimelineKind `json:"kinds" doc:"What it is told of; empty: everything." example:"[\"message_received\",\"handed_off\"]"`
	Enabled        bool                  `json:"enabled" example:"true"`
	Secret         string                `json:"secret,omitempty" doc:"Signs what it is told. Only in the answer that creates the webhook." example:"whsec_4Qm0…"`
	DisabledReason string                `json:"disabled_reason" doc:"Why Parley has switched it off; empty: it has not." example:""`
	FailingSince   *Time                 `json:"failing_since" nullable:"true" doc:"Nothing but failures since then; null: the last attempt arrived."`
	PreviousUntil  *Time                 `json:"previous_secret_until" nullable:"true" doc:"Until when the secret before the last rotation signs as well; null: there was none."`
	CreatedAt      Time                  `json:"created_at"`
	UpdatedAt      Time                  `json:"updated_at"`
}

func showWebhook(h domain.Webhook) Webhook {
	if h.Kinds == nil {
		h.Kinds = []domain.TimelineKind{}
	}
	return Webhook{ID: string(h.ID), URL: h.URL, Kinds: h.Kinds, Enabled: h.Enabled, Secret: h.Secret, DisabledReason: h.DisabledReason,
		FailingSince: timeOrNull(h.FailingSince), PreviousUntil: timeOrNull(h.PreviousUntil), CreatedAt: Time(h.CreatedAt), UpdatedAt: Time(h.UpdatedAt)}
}

// WebhookFields is what can be set of a webhook.
type WebhookFields struct {
	URL     *string                `json:"url,omitempty" doc:"http:// or https://. Loopback and private addresses may be forbidden by the server's PARLEY_OUTBOUND, link-local ones always are." example:"https://shop.example/parley"`
	Kinds   *[]domain.TimelineKind `json:"kinds,omitempty" doc:"What it is told of; empty: everything." example:"[\"message_received\",\"handed_off\"]"`
	Enabled *bool                  `json:"enabled,omitempty" doc:"Switched off, it is not told what still waits either." example:"true"`
}

func (f WebhookFields) over(in account.WebhookInput) account.WebhookInput {
	lay(&in.URL, f.URL)
	lay(&in.Kinds, f.Kinds)
	lay(&in.Enabled, f.Enabled)
	return in
}

// WebhookCreate is the body that makes a webhook.
type WebhookCreate struct{ WebhookFields }

type createWebhookRequest struct {
	Body WebhookCreate `example:"{\"url\":\"https://shop.example/parley\",\"kinds\":[\"message_received\",\"handed_off\"]}"`
}

type updateWebhookRequest struct {
	Path
	Match
	Body WebhookFields `example:"{\"kinds\":[]}"`
}

// WebhookSecret is a webhook's new secret.
type WebhookSecret struct {
	Secret        string `json:"secret" doc:"Signs from now on; it is not shown again." example:"whsec_4Qm0…"`
	PreviousUntil Time   `json:"previous_secret_until" doc:"Until when the secret before signs as well."`
}

// WebhookDelivery is something that a webhook was told, or is to be told.
type WebhookDelivery struct {
	ID           string         `json:"id" format:"uuid" doc:"What X-Parley-Delivery says." example:"0199b0f2-7c1e-4a54-b1de-2f6f6f1f4c11"`
	Kind         string         `json:"kind" example:"message_received"`
	ThreadID     *string        `json:"thread_id" nullable:"true" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Status       string         `json:"status" enum:"queued,running,done,dead" doc:"queued: waits for its turn or its next attempt. dead: not tried any more." example:"done"`
	Attempts     int            `json:"attempts" example:"1"`
	Error        string         `json:"error" doc:"What the last attempt came to; empty: it went well." example:""`
	AnswerStatus *int           `json:"answer_status" nullable:"true" doc:"The HTTP status of the last answer; null: there was none." example:"200"`
	Answer       string         `json:"answer" doc:"The first 2 KB of its body." example:"ok"`
	Request      WebhookRequest `json:"request" doc:"The body it is told."`
	NextAttempt  *Time          `json:"next_attempt_at" nullable:"true" doc:"When it is queued."`
	CreatedAt    Time           `json:"created_at"`
	UpdatedAt    Time           `json:"updated_at"`
}

// WebhookRequest is the JSON object that a webhook is told.
type WebhookRequest json.RawMessage

func (r WebhookRequest) MarshalJSON() ([]byte, error) { return json.RawMessage(r).MarshalJSON() }
func (WebhookRequest) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Examples: []any{map[string]any{
		"id": "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c12", "kind": "handed_off", "at": "2026-11-21T09:15:02.417Z", "detail": map[string]any{"reason": "asked for a person"},
		"thread": map[string]any{"id": "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11", "channel": "webchat", "handling": "waiting", "contact_id": "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c10"},
	}}}
}

func showWebhookDelivery(d account.WebhookDelivery) WebhookDelivery {
	shown := WebhookDelivery{ID: string(d.ID), Kind: string(d.Kind), ThreadID: orNull(d.ThreadID), Status: d.Status, Attempts: d.Attempts, Error: d.LastError,
		Answer: d.Answer, Request: WebhookRequest(d.Payload), CreatedAt: Time(d.CreatedAt), UpdatedAt: Time(d.UpdatedAt)}
	if d.AnswerStatus != 0 {
		shown.AnswerStatus = &d.AnswerStatus
	}
	if d.Status == "queued" {
		shown.NextAttempt = timeOrNull(d.DueAt)
	}
	return shown
}

type listWebhookDeliveriesRequest struct {
	Path
	Paging
	Status string `query:"status" enum:"queued,running,done,dead" doc:"Only those in this state."`
}

type resendRequest struct {
	Path
	Delivery string `path:"delivery" format:"uuid" doc:"The delivery's id." example:"0199b0f2-7c1e-4a54-b1de-2f6f6f1f4c11"`
}

func (a *API) webhookOperations() {
	const tag = tagWebhooks
	add(a, operation(http.MethodGet, "/webhooks", "list-webhooks", tag, "List webhooks", "All webhooks of the organisation, the oldest first."), a.listWebhooks)
	add(a, creates(ownerOperation(http.MethodPost, "/webhooks", "create-webhook", tag, "Create a webhook",
		"It is told of everything that happens from now on. The answer is the only one that shows `secret`.")), a.createWebhook)
	add(a, operation(http.MethodGet, "/webhooks/{id}", "get-webhook", tag, "Read a webhook", ""), a.getWebhook)
	add(a, changes(ownerOperation(http.MethodPatch, "/webhooks/{id}", "update-webhook", tag, "Change a webhook", "Only the fields given change.")), a.updateWebhook)
	add(a, ownerOperation(http.MethodDelete, "/webhooks/{id}", "delete-webhook", tag, "Delete a webhook", "With its log."), a.deleteWebhook)
	add(a, ownerOperation(http.MethodPost, "/webhooks/{id}/rotate-secret", "rotate-webhook-secret", tag, "Change a webhook's secret",
		"For 24 hours the one before signs as well, so that your side can change over; the one before that ends at once."), a.rotateWebhookSecret)
	add(a, operation(http.MethodGet, "/webhooks/{id}/deliveries", "list-webhook-deliveries", tag, "Read a webhook's log",
		"What it was told and is to be told, the newest first, for 30 days."), a.listWebhookDeliveries)
	add(a, operation(http.MethodPost, "/webhooks/{id}/deliveries/{delivery}/resend", "resend-webhook-delivery", tag, "Tell it again",
		"Sends what arrived or was given up once more, for another day, under the same `X-Parley-Delivery`."), a.resendDelivery)
	a.expect("WebhookCreate", []string{"url"}, map[string]any{"enabled": true, "kinds": []string{}})
	for _, schema := range []string{"WebhookCreate", "WebhookFields"} {
		s := a.huma.OpenAPI().Components.Schemas.Map()[schema].Properties["kinds"]
		for _, k := range domain.WebhookKinds() {
			s.Items.Enum = append(s.Items.Enum, string(k))
		}
		s.Items.PrecomputeMessages()
	}
}

func (a *API) listWebhooks(ctx context.Context, in *struct{ Paging }) (*Answer[List[Webhook]], error) {
	all, err := a.Account.Webhooks(ctx, callerOf(ctx).scope())
	if err != nil {
		return nil, err
	}
	hooks, next, err := page(all, func(h domain.Webhook) domain.WebhookID { return h.ID }, in.Paging)
	return list(hooks, showWebhook, next), err
}

func (a *API) createWebhook(ctx context.Context, in *createWebhookRequest) (*Tagged[Webhook], error) {
	made, err := a.Account.CreateWebhook(ctx, callerOf(ctx).scope(), in.Body.over(account.WebhookInput{Enabled: true}))
	shown := showWebhook(made)
	seen := shown
	seen.Secret = ""
	return &Tagged[Webhook]{tagOf(seen), shown}, err // the tag is of what the next one to read it sees
}

func (a *API) getWebhook(ctx context.Context, in *struct{ Path }) (*Tagged[Webhook], error) {
	h, err := a.webhook(ctx, in.ID)
	return tagged(showWebhook(h)), err
}

func (a *API) updateWebhook(ctx context.Context, in *updateWebhookRequest) (*Tagged[Webhook], error) {
	id, err := domain.ParseID[domain.WebhookID](in.ID)
	if err != nil {
		return nil, err
	}
	changed, err := a.Account.ChangeWebhook(ctx, callerOf(ctx).scope(), id, func(now domain.Webhook) (account.WebhookInput, error) {
		return in.Body.over(account.WebhookInput{URL: now.URL, Kinds: now.Kinds, Enabled: now.Enabled}), in.check(showWebhook(now))
	})
	return tagged(showWebhook(changed)), err
}

func (a *API) deleteWebhook(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	h, err := a.webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.DeleteWebhook(ctx, h.OrgID, h.ID)
}

func (a *API) rotateWebhookSecret(ctx context.Context, in *struct{ Path }) (*Answer[WebhookSecret], error) {
	h, err := a.webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	secret, until, err := a.Account.RotateWebhookSecret(ctx, h.OrgID, h.ID)
	return &Answer[WebhookSecret]{WebhookSecret{secret, Time(until)}}, err
}

func (a *API) listWebhookDeliveries(ctx context.Context, in *listWebhookDeliveriesRequest) (*Answer[List[WebhookDelivery]], error) {
	h, err := a.webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var before domain.DeliveryID
	if in.Cursor != "" {
		if before, err = domain.ParseID[domain.DeliveryID](in.Cursor); err != nil {
			return nil, badCursor()
		}
	}
	var statuses []string
	if in.Status != "" {
		statuses = []string{in.Status}
	}
	limit := in.limit()
	ds, err := a.Account.WebhookDeliveries(ctx, h.OrgID, h.ID, statuses, before, limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(ds) > limit {
		ds = ds[:limit]
		next = string(ds[limit-1].ID)
	}
	return list(ds, showWebhookDelivery, next), nil
}

func (a *API) resendDelivery(ctx context.Context, in *resendRequest) (*Nothing, error) {
	h, err := a.webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	delivery, err := domain.ParseID[domain.DeliveryID](in.Delivery)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.ResendDelivery(ctx, h.OrgID, h.ID, delivery)
}

// webhook reads the webhook that a path names.
func (a *API) webhook(ctx context.Context, path string) (domain.Webhook, error) {
	id, err := domain.ParseID[domain.WebhookID](path)
	if err != nil {
		return domain.Webhook{}, err
	}
	return a.Account.Webhook(ctx, callerOf(ctx).scope(), id)
}
