package relay

import (
	"context"

	"github.com/parley-chat/parley/domain/ledger"
)

// Backplane carries hints between the nodes of one installation. All nodes must have the same. It may lose what it carries, and hand
// a node its own payloads back.
type Backplane interface {
	// Send hands payloads of less than 8000 bytes each to whoever listens.
	Send(ctx context.Context, payloads []string) error
	// Listen hands what is sent to handle until ctx ends, and comes back from every outage. It calls resync each time it has begun to
	// listen: what was sent before is gone, so whoever cares must look for themselves. Neither may block.
	Listen(ctx context.Context, resync func(), handle func(payload string)) error
}

// channel is the one Postgres channel all nodes of a database share.
const channel = "parley"

// postgres is the backplane that is always there: LISTEN and NOTIFY of the ledger's own database.
type postgres struct{ ledger *ledger.Ledger }

func (p postgres) Send(ctx context.Context, payloads []string) error {
	return p.ledger.Notify(ctx, channel, payloads)
}

func (p postgres) Listen(ctx context.Context, resync func(), handle func(payload string)) error {
	return p.ledger.Listen(ctx, channel, resync, handle)
}
