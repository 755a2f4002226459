package portal

import "time"

// LookEvery sets how often Run looks, before it runs.
func (p *Portal) LookEvery(d time.Duration) { p.lookEvery = d }
