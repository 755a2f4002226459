package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
)

// keptTexts remembers which texts of found passages this node has stored today, so that finding one again costs no statement. Replays read
// the texts. The zero value is ready.
type keptTexts struct {
	mu    sync.Mutex
	today string
	known map[keptText]bool
}

type keptText struct {
	org    domain.OrgID
	digest string
}

// keptMost bounds what a node remembers; it then starts afresh.
const keptMost = 20_000

// keep stores the texts that a turn has found. If that fails, a replay lacks them; the turn is none the worse.
func (k *keptTexts) keep(ctx context.Context, d *Dispatcher, org domain.OrgID, found *agent.Retrieval) {
	texts := found.Texts()
	today := time.Now().UTC().Format(time.DateOnly)
	k.mu.Lock()
	if k.today != today || len(k.known) > keptMost {
		k.today, k.known = today, map[keptText]bool{}
	}
	for digest := range texts {
		if k.known[keptText{org, digest}] {
			delete(texts, digest)
		}
	}
	k.mu.Unlock()
	if len(texts) == 0 {
		return
	}
	if err := d.ledger.KeepTexts(context.WithoutCancel(ctx), org, texts); err != nil {
		d.o.Log.WarnContext(ctx, "could not keep the texts of what a turn has found; a replay of it will take the articles as they are", "err", err)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for digest := range texts {
		k.known[keptText{org, digest}] = true
	}
}
