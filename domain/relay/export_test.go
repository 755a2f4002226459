package relay

import (
	"time"

	"github.com/parley-chat/parley/domain/ledger"
)

// SweepEvery sets how long a lost hint may go unnoticed. Call it before Run.
func (r *Relay) SweepEvery(d time.Duration) { r.sweeps = d }

// Committed is what the relay hears of appends.
func (r *Relay) Committed(outs []ledger.Outcome) { r.committed(outs) }
