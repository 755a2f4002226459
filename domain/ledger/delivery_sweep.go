package ledger

import (
	"context"
	"errors"
)

// ours is a delivery that takes words to a contact or the team, and that nobody needs in order to know what the other side has: by the
// external ids Chatwoot's reports of replies are told from a person's lines, whenever they come, and visitors are mailed no reply twice.
const ours = `x.transport <> 'webhook' AND x.status IN ('done', 'dead') AND x.external_id = ''`

// oldest has the index followed where most of the table is old, so that what is left is not read when the old are gone.
const oldest = ` ORDER BY x.updated_at`

// SweepDeliveries forgets what webhooks were told more than 30 days ago, whatever else arrived more than 90 days ago, and what was given up
// a year ago: until then somebody may send it after all.
func (l *Ledger) SweepDeliveries(ctx context.Context) error {
	return errors.Join(
		l.forget(ctx, "deliveries", "x.transport = 'webhook' AND x.status IN ('done', 'dead') AND x.updated_at < now() - interval '30 days'"+oldest),
		l.forget(ctx, "deliveries", ours+" AND x.status = 'done' AND x.updated_at < now() - interval '90 days'"+oldest),
		l.forget(ctx, "deliveries", ours+" AND x.status = 'dead' AND x.updated_at < now() - interval '365 days'"+oldest))
}
