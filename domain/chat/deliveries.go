package chat

import (
	"context"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Deliveries lists what left, is to leave or could not leave by another way than Parley's own, the newest first.
func (s *Service) Deliveries(ctx context.Context, org domain.OrgID, f ledger.DeliveryFilter) ([]ledger.LoggedDelivery, error) {
	return s.ledger.Deliveries(ctx, org, f)
}

// Delivery reads one of them. It fails with NotFound, for another organisation's too.
func (s *Service) Delivery(ctx context.Context, org domain.OrgID, id domain.DeliveryID) (ledger.LoggedDelivery, error) {
	d, err := s.ledger.Delivery(ctx, org, id)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		err = domain.NotFoundf("there is no such delivery")
	}
	return d, err
}

// Resend brings a delivery on its way again that arrived or was given up, under the same id. It fails with NotFound, with Conflict for
// what is on its way anyway or can be told no more as it was erased, for an invitation that has arrived, as there is a limit to how often one
// is mailed, and for a webhook that is switched off.
func (s *Service) Resend(ctx context.Context, org domain.OrgID, id domain.DeliveryID) (ledger.LoggedDelivery, error) {
	d, err := s.Delivery(ctx, org, id)
	if err != nil {
		return d, err
	}
	if d.Transport == ledger.TransportWebhook {
		h, err := s.ledger.Webhook(ctx, org, domain.WebhookID(d.Target))
		if err != nil {
			return d, err
		}
		if !h.Enabled {
			return d, domain.Conflictf("the webhook is switched off: switch it on first")
		}
	}
	if d.TellsInvitation() && d.Status == "done" {
		return d, domain.Conflictf("the invitation has arrived: send it again from the team's page, or invite them again")
	}
	err = s.ledger.ResendDelivery(ctx, org, id)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return d, domain.Conflictf("it cannot be sent again: it is on its way, or what it told is erased")
	}
	if err != nil {
		return d, err
	}
	return s.Delivery(ctx, org, id)
}

// Events lists the entries of an organisation's ledger, the newest first.
func (s *Service) Events(ctx context.Context, org domain.OrgID, f ledger.EventFilter) ([]domain.Event, error) {
	return s.ledger.Events(ctx, org, f)
}

// Activity lists what happened in all of an organisation's threads as people tell it, the newest first.
func (s *Service) Activity(ctx context.Context, org domain.OrgID, f ledger.EventFilter) ([]domain.Activity, error) {
	return s.ledger.Activity(ctx, org, f)
}
