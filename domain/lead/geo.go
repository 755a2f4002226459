package lead

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/parley-chat/parley/domain"
)

// Geo finds out where an address is.
type Geo interface {
	// Locate returns where the address roughly is, or an empty place if the provider does not know. It honours ctx. It is only
	// asked for addresses that Public lets through, and fails when the provider cannot be used at present.
	Locate(ctx context.Context, a netip.Addr) (domain.Place, error)
}

const (
	geoTimeout   = 2 * time.Second // for one provider's answer
	geoFailures  = 5               // in a row that open a provider's circuit
	geoOpenFor   = time.Minute     // before a provider is tried again; what ip-api.com counts by, too
	maxPlaceName = 100             // bytes
)

// errBusy says that a provider wants to be left alone for now: its circuit opens at once.
var errBusy = errors.New("asks for fewer requests")

// ErrResting says that every provider is being left alone for now.
var ErrResting = errors.New("every geo provider is left alone at present")

// Chain asks one provider after the other until one knows. Each has two seconds, and is left alone for a minute after five failures
// in a row, or one word that it is asked too much.
type Chain struct {
	links []link
}

type link struct {
	name    string
	geo     Geo
	circuit circuitbreaker.CircuitBreaker[any]
}

// Provider is a Geo by name, for the log.
type Provider struct {
	Name string
	Geo  Geo
}

// NewChain makes a chain of providers, in the order in which they are asked.
func NewChain(log *slog.Logger, providers ...Provider) *Chain {
	c := &Chain{}
	for _, p := range providers {
		c.links = append(c.links, link{p.Name, p.Geo, circuitbreaker.NewBuilder[any]().
			WithFailureThreshold(geoFailures).WithSuccessThreshold(1).WithDelay(geoOpenFor).
			OnOpen(func(circuitbreaker.StateChangedEvent) {
				log.Warn("a geo provider does not answer and is left alone for a while", "provider", p.Name, "for", geoOpenFor)
			}).Build()})
	}
	return c
}

// Locate asks the providers in turn. It is empty when those that answered do not know, and fails when none answered.
func (c *Chain) Locate(ctx context.Context, a netip.Addr) (domain.Place, error) {
	var failed []error
	answered := false
	for _, l := range c.links {
		if ctx.Err() != nil {
			return domain.Place{}, ctx.Err()
		}
		if !l.circuit.TryAcquirePermit() {
			continue
		}
		place, err := l.ask(ctx, a)
		if err == nil && place.Known() {
			return place, nil
		}
		if err == nil {
			answered = true
		} else {
			failed = append(failed, fmt.Errorf("%s: %w", l.name, err))
		}
	}
	switch {
	case answered:
		return domain.Place{}, nil
	case len(failed) == 0:
		return domain.Place{}, ErrResting
	}
	return domain.Place{}, errors.Join(failed...)
}

func (l link) ask(ctx context.Context, a netip.Addr) (domain.Place, error) {
	ctx, cancel := context.WithTimeout(ctx, geoTimeout)
	defer cancel()
	place, err := l.geo.Locate(ctx, a)
	switch {
	case errors.Is(err, errBusy):
		l.circuit.Open()
	case err != nil:
		l.circuit.RecordFailure()
	default:
		l.circuit.RecordSuccess()
	}
	return tidy(place), err
}

// tidy keeps of what a provider says what makes sense: names cut to size, a code that is one, a time zone that exists, coordinates
// on this planet.
func tidy(p domain.Place) domain.Place {
	p.City, p.Region, p.Country = Cut(p.City, maxPlaceName), Cut(p.Region, maxPlaceName), Cut(p.Country, maxPlaceName)
	if p.CountryCode = strings.ToUpper(strings.TrimSpace(p.CountryCode)); len(p.CountryCode) != 2 || strings.Trim(p.CountryCode, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		p.CountryCode = ""
	}
	if _, err := time.LoadLocation(p.Timezone); err != nil || p.Timezone == "Local" {
		p.Timezone = ""
	}
	if !degrees(p.Latitude, 90) || !degrees(p.Longitude, 180) || *p.Latitude == 0 && *p.Longitude == 0 { // the sea off Africa: nobody knew
		p.Latitude, p.Longitude = nil, nil
	}
	if p.City+p.Region+p.Country+p.CountryCode+p.Timezone == "" {
		return domain.Place{}
	}
	return p
}

func degrees(v *float64, most float64) bool {
	return v != nil && !math.IsNaN(*v) && math.Abs(*v) <= most
}
