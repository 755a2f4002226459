package api

import (
	"context"
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Delivery is something that was to leave by another way than Parley's own, and did not arrive.
type Delivery struct {
	ID        string  `json:"id" format:"uuid" example:"0199b0f2-7c1e-4a54-b1de-2f6f6f1f4c11"`
	ThreadID  *string `json:"thread_id" nullable:"true" format:"uuid" doc:"What it is about; null: no thread."`
	Transport string  `json:"transport" doc:"The way it was to leave by." example:"mail"`
	Target    string  `json:"target" doc:"Whereto." example:"anna@example.com"`
	Attempts  int     `json:"attempts" example:"42"`
	Error     string  `json:"error" doc:"What the last attempt came to." example:"connection refused"`
	CreatedAt Time    `json:"created_at"`
	UpdatedAt Time    `json:"updated_at"`
}

func showDelivery(d ledger.Delivery) Delivery {
	return Delivery{ID: string(d.ID), ThreadID: orNull(d.ThreadID), Transport: d.Transport, Target: d.Target, Attempts: d.Attempts,
		Error: d.LastError, CreatedAt: Time(d.CreatedAt), UpdatedAt: Time(d.UpdatedAt)}
}

// DeadDeliveries are the newest ones that are not tried any more.
type DeadDeliveries struct {
	Items []Delivery `json:"items"`
}

const deadDeliveriesShown = 100

func (a *API) deliveryOperations() {
	const tag = tagThreads
	add(a, operation(http.MethodGet, "/deliveries/dead", "list-dead-deliveries", tag, "List what could not be delivered",
		"Mails that did not arrive within a day or were refused for good, the newest hundred."), a.deadDeliveries)
	add(a, ownerOperation(http.MethodPost, "/deliveries/{id}/retry", "retry-delivery", tag, "Deliver it after all",
		"Tries a dead delivery again, for another day."), a.retryDelivery)
}

func (a *API) deadDeliveries(ctx context.Context, _ *struct{}) (*Answer[DeadDeliveries], error) {
	ds, err := a.Chat.DeadDeliveries(ctx, callerOf(ctx).scope(), deadDeliveriesShown)
	out := DeadDeliveries{Items: make([]Delivery, len(ds))}
	for i, d := range ds {
		out.Items[i] = showDelivery(d)
	}
	return &Answer[DeadDeliveries]{out}, err
}

func (a *API) retryDelivery(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.DeliveryID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Chat.RetryDelivery(ctx, callerOf(ctx).scope(), id)
}
