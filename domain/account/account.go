// Package account is what an organisation sets up outside any thread: its people and their sign-ins, agents, widgets, knowledge,
// webhooks and API keys. It holds the rules these must keep. It must never speak in a thread, call an agent, or know how it is shown.
package account

import (
	"runtime"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Service is the way to everything an organisation sets up. Use New.
type Service struct {
	ledger  *ledger.Ledger
	hashing chan struct{} // holds one token for each password hash in progress
	sites   chan struct{} // wakes whoever reads sites

	PublicURL string // scheme and host that links in mails lead to; empty: nothing with a link is mailed
}

// New makes a service on a ledger. It starts nothing and need not be closed.
func New(l *ledger.Ledger) *Service {
	return &Service{ledger: l, hashing: make(chan struct{}, runtime.GOMAXPROCS(0)), sites: make(chan struct{}, 1)}
}

// now is the present as the ledger can keep it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func notFound(what string) *domain.Error { return domain.NotFoundf("there is no such %s", what) }

// found names what a NotFound is about.
func found(err error, what string) error {
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return notFound(what)
	}
	return err
}
