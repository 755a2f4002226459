package ledger

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
)

// Notify sends payloads of less than 8000 bytes each to every listener, in one statement of its own: inside a transaction that
// writes, NOTIFY would serialise commits.
func (l *Ledger) Notify(ctx context.Context, channel string, payloads []string) error {
	_, err := l.hot.Exec(ctx, `SELECT pg_notify($1, p) FROM unnest($2::text[]) AS p`, channel, payloads)
	return classify(err)
}

const (
	listenIdle    = 30 * time.Second // of silence, before the connection must prove that it is alive
	listenPing    = 5 * time.Second
	listenRetry   = 100 * time.Millisecond // doubling to listenRetryTo
	listenRetryTo = 5 * time.Second
)

// Listen hands every payload sent to channel to handle until ctx ends, on a connection of its own that it renews when lost.
// resync is called each time it has begun to listen: what was sent before is gone, so whoever cares must look for themselves.
// Neither may block.
func (l *Ledger) Listen(ctx context.Context, channel string, resync func(), handle func(payload string)) error {
	delay := listenRetry
	for {
		err := l.listen(ctx, channel, func() { delay = listenRetry; resync() }, handle)
		if ctx.Err() != nil {
			return nil
		}
		l.log.WarnContext(ctx, "listening connection lost", "err", err, "retry_in", delay)
		select {
		case <-time.After(delay/2 + rand.N(delay)):
		case <-ctx.Done():
			return nil
		}
		delay = min(2*delay, listenRetryTo)
	}
}

func (l *Ledger) listen(ctx context.Context, channel string, resync func(), handle func(string)) error {
	conn, err := pgx.ConnectConfig(ctx, l.ConnConfig())
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	resync()
	for {
		wait, cancel := context.WithTimeout(ctx, listenIdle)
		n, err := conn.WaitForNotification(wait)
		cancel()
		switch {
		case err == nil:
			handle(n.Payload)
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			ping, cancel := context.WithTimeout(ctx, listenPing)
			err := conn.Ping(ping)
			cancel()
			if err != nil {
				return err
			}
		default:
			return err
		}
	}
}
