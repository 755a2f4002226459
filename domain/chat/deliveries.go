package chat

import (
	"context"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// DeadDeliveries lists what did not arrive and is not tried any more, the newest first.
func (s *Service) DeadDeliveries(ctx context.Context, org domain.OrgID, limit int) ([]ledger.Delivery, error) {
	return s.ledger.DeadDeliveries(ctx, org, limit)
}

// RetryDelivery tries a dead delivery again. It fails with NotFound, for another organisation's too.
func (s *Service) RetryDelivery(ctx context.Context, org domain.OrgID, id domain.DeliveryID) error {
	return s.ledger.RetryDelivery(ctx, org, id)
}
