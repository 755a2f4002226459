package chat

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger"
)

const (
	placeFor     = 30 * 24 * time.Hour // a known place is remembered
	nowhereFor   = 24 * time.Hour      // that nobody knows
	unheardFor   = time.Minute         // that nobody could be asked, in memory only
	placeWorkers = 4
	placesWait   = 256    // arrivals that may wait; more go without
	placesKept   = 10_000 // networks in memory
)

// Places finds out where visitors are, in the background: nobody waits for it, and what is lost costs no more than a line in the portal.
// Answers of remote services are remembered by network, in memory and in the ledger; a local file is read each time, so that a new one
// counts at once.
type Places struct {
	ledger *ledger.Ledger
	file   lead.Geo // nil: none
	remote lead.Geo // nil: none
	log    *slog.Logger

	queue  chan arrival
	known  *otter.Cache[string, kept]
	flight singleflight.Group
}

type arrival struct {
	org     domain.OrgID
	session domain.SessionID
	address netip.Addr
}

type kept struct {
	place domain.Place
	until time.Time
}

// NewPlaces asks file first and then, if that does not know, remote. Either may be nil. Run must run.
func NewPlaces(l *ledger.Ledger, file, remote lead.Geo, log *slog.Logger) *Places {
	return &Places{ledger: l, file: file, remote: remote, log: log, queue: make(chan arrival, placesWait),
		known: otter.Must(&otter.Options[string, kept]{MaximumSize: placesKept})}
}

// Find asks for a visitor's place to be found some time soon. It never blocks. A nil Places finds none.
func (p *Places) Find(s domain.Session, a netip.Addr) {
	if p == nil || p.file == nil && p.remote == nil {
		return
	}
	a, ok := lead.Public(a)
	if !ok {
		return
	}
	select {
	case p.queue <- arrival{s.OrgID, s.ID, a}:
	default:
		p.log.Debug("too many arrivals at once, nobody looks where this one is", "session", s.ID)
	}
}

// Run finds places until ctx ends, and returns once nobody is asked any more.
func (p *Places) Run(ctx context.Context) error {
	var workers errgroup.Group
	for range placeWorkers {
		workers.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case a := <-p.queue:
					if err := p.note(ctx, a); err != nil && ctx.Err() == nil {
						p.log.WarnContext(ctx, "could not find out where a visitor is", "session", a.session, "err", err)
					}
				}
			}
		})
	}
	return workers.Wait()
}

func (p *Places) note(ctx context.Context, a arrival) error {
	place, err := p.where(ctx, a)
	if err != nil || !place.Known() {
		return err
	}
	return p.ledger.SetSessionPlace(ctx, a.org, a.session, place)
}

func (p *Places) where(ctx context.Context, a arrival) (domain.Place, error) {
	if p.file != nil {
		place, err := p.file.Locate(ctx, a.address)
		if err == nil && place.Known() || p.remote == nil {
			return place, unlessResting(err)
		}
	}
	network := lead.Network(a.address).String()
	if k, ok := p.known.GetIfPresent(network); ok && time.Now().Before(k.until) {
		return k.place, nil
	}
	found, err, _ := p.flight.Do(network, func() (any, error) { return p.ask(ctx, a, network) })
	if err != nil {
		return domain.Place{}, err
	}
	return found.(domain.Place), nil
}

// ask looks into the ledger, then asks the services and remembers what they say.
func (p *Places) ask(ctx context.Context, a arrival, network string) (domain.Place, error) {
	place, until, err := p.ledger.Place(ctx, a.org, network)
	if err == nil {
		p.known.Set(network, kept{place, until})
		return place, nil
	}
	if domain.KindOf(err) != domain.NotFound {
		return place, err
	}
	place, err = p.remote.Locate(ctx, a.address)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			p.known.Set(network, kept{domain.Place{}, time.Now().Add(unheardFor)})
		}
		return domain.Place{}, unlessResting(err)
	case place.Known():
		until = time.Now().Add(placeFor)
	default:
		until = time.Now().Add(nowhereFor)
	}
	p.known.Set(network, kept{place, until})
	return place, p.ledger.KeepPlace(ctx, a.org, network, place, until)
}

// unlessResting returns err, but nil for lead.ErrResting: the log has the reason since the circuit opened.
func unlessResting(err error) error {
	if errors.Is(err, lead.ErrResting) {
		return nil
	}
	return err
}
