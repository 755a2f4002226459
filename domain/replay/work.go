package replay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

const (
	lookEvery  = time.Minute      // for replays that another node was asked for or has left behind
	wholeLimit = time.Hour        // for a replay
	storeLimit = 30 * time.Second // for a statement about it
)

// Run makes replays, one at a time, until ctx ends. What it is at then is handed back with the answers it has found.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		c, err := s.ledger.ClaimReplay(ctx, "", s.o.Lease)
		if err == nil {
			s.make(ctx, c)
			continue
		}
		if domain.KindOf(err) != domain.NotFound && ctx.Err() == nil {
			s.o.Log.WarnContext(ctx, "cannot look for replays", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-s.asked:
		case <-tick.C:
		}
	}
	return nil
}

// Make makes one replay here and now, for whoever waits for it, and returns it. If a worker has it already, Make waits for that.
func (s *Service) Make(ctx context.Context, r domain.Replay) (domain.Replay, error) {
	for {
		c, err := s.ledger.ClaimReplay(ctx, r.ID, s.o.Lease)
		switch {
		case err == nil:
			s.make(ctx, c)
		case domain.KindOf(err) != domain.NotFound:
			return r, err
		}
		if ctx.Err() != nil {
			return r, context.Cause(ctx)
		}
		made, err := s.ledger.Replay(ctx, r.OrgID, r.ID)
		if err != nil || made.Status.Over() {
			return made, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

var (
	errLost = errors.New("replay: another worker has it")
	errLong = errors.New("replay: it took too long")
)

// make works through a replay under its lease.
func (s *Service) make(ctx context.Context, c ledger.ReplayClaim) {
	log := s.o.Log.With("replay", c.ID, "thread", c.ThreadID, "agent", c.AgentID)
	whole, end := context.WithCancelCause(ctx)
	defer end(nil)
	timed, cancel := context.WithTimeoutCause(whole, wholeLimit, errLong)
	defer cancel()
	var renewer sync.WaitGroup
	renewer.Go(func() { s.renew(timed, c, end) })
	problem := s.play(timed, c)
	cause := context.Cause(timed)
	end(nil)
	renewer.Wait()

	storing, stop := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer stop()
	var err error
	switch {
	case errors.Is(cause, errLost):
		return
	case ctx.Err() != nil && problem != "":
		err = s.ledger.ReleaseReplay(storing, c)
	case errors.Is(cause, errLong):
		err = s.ledger.EndReplay(storing, c, domain.ReplayFailed, "it took longer than an hour")
	case problem != "":
		log.WarnContext(ctx, "replay failed", "reason", problem)
		err = s.ledger.EndReplay(storing, c, domain.ReplayFailed, problem)
	default:
		err = s.ledger.EndReplay(storing, c, domain.ReplayDone, "")
	}
	if err != nil && domain.KindOf(err) != domain.NotFound {
		log.ErrorContext(ctx, "could not store a replay's end; it goes on when its lease runs out", "err", err)
	}
}

// renew keeps the lease until ctx ends, and ends the work if somebody else has it.
func (s *Service) renew(ctx context.Context, c ledger.ReplayClaim, end context.CancelCauseFunc) {
	tick := time.NewTicker(s.o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.ledger.RenewReplay(ctx, c, s.o.Lease); domain.KindOf(err) == domain.NotFound && err != nil {
			end(errLost)
			return
		} // an outage: the lease may run out meanwhile, and the next answer's storing will tell
	}
}
