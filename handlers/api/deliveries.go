package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Delivery is something that leaves by another way than Parley's own.
type Delivery struct {
	ID           string          `json:"id" format:"uuid" doc:"What X-Parley-Delivery says." example:"0199b0f2-7c1e-4a54-b1de-2f6f6f1f4c11"`
	Transport    string          `json:"transport" doc:"The way it leaves by: mail, webhook, or a channel's: reply_url, chatwoot." example:"mail"`
	Target       string          `json:"target" doc:"Whereto: an address. Empty: to a channel without one, to what is gone, or it was erased." example:"anna@example.com"`
	WebhookID    *string         `json:"webhook_id" nullable:"true" format:"uuid" doc:"The webhook that is told; null: none." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ChannelID    *string         `json:"channel_id" nullable:"true" format:"uuid" doc:"The channel it goes to; null: none." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ThreadID     *string         `json:"thread_id" nullable:"true" format:"uuid" doc:"What it is about; null: no thread."`
	MessageID    *string         `json:"message_id" nullable:"true" format:"uuid" doc:"The message it takes or tells of; null: none."`
	Kind         *string         `json:"kind" nullable:"true" doc:"What a webhook is told of; null: it is for no webhook." example:"message_received"`
	Status       string          `json:"status" enum:"queued,running,done,dead" doc:"queued: waits for its turn or its next attempt. dead: not tried any more." example:"dead"`
	Attempts     int             `json:"attempts" example:"42"`
	Error        string          `json:"error" doc:"What the last attempt came to; empty: it went well." example:"connection refused"`
	AnswerStatus *int            `json:"answer_status" nullable:"true" doc:"The HTTP status of the last answer; null: there was none." example:"503"`
	Answer       string          `json:"answer" doc:"The first 2 KB of its body." example:"busy"`
	Request      *WebhookRequest `json:"request" nullable:"true" doc:"The body that a webhook is told; null: it is for none."`
	NextAttempt  *Time           `json:"next_attempt_at" nullable:"true" doc:"When it is queued."`
	CreatedAt    Time            `json:"created_at"`
	UpdatedAt    Time            `json:"updated_at"`
}

func showDelivery(d ledger.LoggedDelivery) Delivery {
	shown := Delivery{ID: string(d.ID), Transport: d.Transport, Target: d.Where, ThreadID: orNull(d.ThreadID), MessageID: orNull(d.MessageID), Kind: orNull(d.Kind),
		Status: d.Status, Attempts: d.Attempts, Error: d.LastError, Answer: d.Answer, CreatedAt: Time(d.CreatedAt), UpdatedAt: Time(d.UpdatedAt)}
	switch d.Transport {
	case ledger.TransportWebhook:
		request := WebhookRequest(d.Payload)
		shown.WebhookID, shown.Request = orNull(d.Target), &request
	case ledger.TransportMail:
	default: // a channel's
		shown.ChannelID = orNull(d.Target)
	}
	if d.AnswerStatus != 0 {
		shown.AnswerStatus = &d.AnswerStatus
	}
	if d.Status == "queued" {
		shown.NextAttempt = timeOrNull(d.DueAt)
	}
	return shown
}

type listDeliveriesRequest struct {
	Paging
	Status    []string `query:"status" enum:"queued,running,done,dead" doc:"Only those in one of these states; several separated by commas." example:"dead"`
	Transport string   `query:"transport" maxLength:"64" doc:"Only those that leave by this way." example:"mail"`
	Thread    string   `query:"thread" format:"uuid" doc:"Only those about this thread."`
}

func (a *API) deliveryOperations() {
	const tag = tagDeliveries
	add(a, operation(http.MethodGet, "/deliveries", "list-deliveries", tag, "List deliveries",
		"What left, is to leave or could not leave by mail, to a channel's `reply_url` or to a webhook, the newest first. What webhooks were told is kept for 30 days, "+
			"what else arrived for 90, what was given up for a year; replies posted in Chatwoot and letters with missed replies stay."), a.listDeliveries)
	add(a, operation(http.MethodGet, "/deliveries/{id}", "get-delivery", tag, "Read a delivery", ""), a.getDelivery)
	again := operation(http.MethodPost, "/deliveries/{id}/resend", "resend-delivery", tag, "Deliver it again",
		"Brings on its way again what arrived or was given up, for another day, under the same `X-Parley-Delivery`.")
	add(a, again, a.resendAnyDelivery)
}

func (a *API) listDeliveries(ctx context.Context, in *listDeliveriesRequest) (*Answer[List[Delivery]], error) {
	f := ledger.DeliveryFilter{Statuses: in.Status, Transport: in.Transport, Limit: in.limit() + 1}
	var err error
	if f.Thread, err = parseField[domain.ThreadID]("thread", in.Thread); err != nil {
		return nil, err
	}
	if f.Before, err = in.before(); err != nil {
		return nil, err
	}
	ds, err := a.Chat.Deliveries(ctx, callerOf(ctx).scope(), f)
	ds, next := cut(ds, in.limit(), func(d ledger.LoggedDelivery) int64 { return d.Ord })
	return list(ds, showDelivery, next), err
}

func (a *API) getDelivery(ctx context.Context, in *struct{ Path }) (*Answer[Delivery], error) {
	id, err := domain.ParseID[domain.DeliveryID](in.ID)
	if err != nil {
		return nil, err
	}
	d, err := a.Chat.Delivery(ctx, callerOf(ctx).scope(), id)
	return &Answer[Delivery]{showDelivery(d)}, err
}

func (a *API) resendAnyDelivery(ctx context.Context, in *struct{ Path }) (*Answer[Delivery], error) {
	id, err := domain.ParseID[domain.DeliveryID](in.ID)
	if err != nil {
		return nil, err
	}
	d, err := a.Chat.Resend(ctx, callerOf(ctx).scope(), id)
	return &Answer[Delivery]{showDelivery(d)}, err
}

// before is the cursor of a list whose order is that of a ledger's table: the newest first.
func (p Paging) before() (int64, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(p.Cursor, 10, 64)
	if err != nil || n < 1 {
		return 0, badCursor()
	}
	return n, nil
}

// cut takes the one entry off that was read to see whether there are more, and says where the next page begins.
func cut[D any](ds []D, limit int, ord func(D) int64) (shown []D, next string) {
	if len(ds) <= limit {
		return ds, ""
	}
	return ds[:limit], strconv.FormatInt(ord(ds[limit-1]), 10)
}
