package edge

import (
	"context"
	"log/slog"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Patrol looks now and then whether everybody who is connected still may be, until ctx ends. cannot is what the log says of a look that
// failed; an outage of the database passes by itself.
func Patrol(ctx context.Context, every time.Duration, log *slog.Logger, cannot string, look func(context.Context) error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := look(ctx); err != nil && ctx.Err() == nil && domain.KindOf(err) != domain.Unavailable {
			log.ErrorContext(ctx, cannot, "err", err)
		}
	}
}
