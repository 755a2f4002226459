package relay

import "time"

// SweepEvery sets how long a lost hint may go unnoticed. Call it before Run.
func (r *Relay) SweepEvery(d time.Duration) { r.sweeps = d }
