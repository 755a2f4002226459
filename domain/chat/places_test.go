package chat_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// atlas is a provider that remembers what it was asked. Gates hold its answers back.
type atlas struct {
	mu    sync.Mutex
	asked []netip.Addr
	place domain.Place
	err   error
	gate  chan struct{} // nil: open
}

func (a *atlas) Locate(ctx context.Context, at netip.Addr) (domain.Place, error) {
	a.mu.Lock()
	a.asked = append(a.asked, at)
	place, err := a.place, a.err
	a.mu.Unlock()
	if a.gate != nil {
		select {
		case <-a.gate:
		case <-ctx.Done():
			return domain.Place{}, ctx.Err()
		}
	}
	return place, err
}

func (a *atlas) times() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

// located starts looking for places, as a node does that has just started.
func (w world) located(t *testing.T, file, remote lead.Geo, log *slog.Logger) (stop func()) {
	t.Helper()
	w.Places = chat.NewPlaces(w.ledger, file, remote, log)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	places := w.Places
	go func() { done <- places.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func (w world) comes(t *testing.T, from string) chat.Visitor {
	t.Helper()
	v, _, _ := w.arrive(t, chat.Arrival{Address: netip.MustParseAddr(from)})
	return v
}

// placed waits until a visitor's place is known.
func (w world) placed(t *testing.T, v chat.Visitor) string {
	t.Helper()
	for late := time.After(20 * time.Second); ; {
		c, err := w.ledger.Contact(t.Context(), w.Org, v.Contact.ID)
		if err != nil {
			t.Fatal(err)
		}
		if p := lead.Known(c.Profile).Geo; p.Known() {
			return p.String()
		}
		select {
		case <-late:
			t.Fatal("nobody found out where the visitor is")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

var utrecht = domain.Place{City: "Utrecht", Country: "Netherlands", CountryCode: "NL", Timezone: "Europe/Amsterdam"}

// TestPlacesAreRemembered: one question a network, however many come from it, whatever node or process asks.
func TestPlacesAreRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	log := slog.New(slog.DiscardHandler)
	first := &atlas{place: utrecht, gate: make(chan struct{})}
	stop := w.located(t, nil, first, log)
	var all []chat.Visitor
	for _, from := range []string{"8.8.8.8", "8.8.8.8", "8.8.8.9", "::ffff:8.8.8.10"} {
		all = append(all, w.comes(t, from)) // while the provider has not answered: nobody waits for it
	}
	close(first.gate)
	for _, v := range all {
		if got := w.placed(t, v); got != "Utrecht, Netherlands" {
			t.Errorf("placed in %q", got)
		}
	}
	if first.times() != 1 {
		t.Errorf("one network, asked %d times", first.times())
	}
	w.placed(t, w.comes(t, "2a00:1450::1"))
	w.placed(t, w.comes(t, "2a00:1450::ffff:1"))
	w.placed(t, w.comes(t, "2a00:1450:0:1::1"))
	if first.times() != 3 {
		t.Errorf("two networks more, asked %d times", first.times())
	}
	stop()

	second := &atlas{err: errors.New("must not be asked")}
	stop = w.located(t, nil, second, log)
	w.placed(t, w.comes(t, "8.8.8.200"))
	w.placed(t, w.comes(t, "2a00:1450::2"))
	stop()
	if second.times() != 0 {
		t.Errorf("after a restart, asked %d times", second.times())
	}
	var kept string
	if err := w.ledger.NewRaw(`SELECT string_agg(network, ' ' ORDER BY network) FROM places WHERE expires_at BETWEEN now() + interval '29 days' AND now() + interval '31 days'`).
		Scan(t.Context(), &kept); err != nil || kept != "2a00:1450:0:1::/64 2a00:1450::/64 8.8.8.0/24" {
		t.Errorf("kept %q, %v", kept, err)
	}
	if _, err := w.ledger.NewRaw(`UPDATE places SET expires_at = now() - interval '1 second'`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := &atlas{place: domain.Place{City: "Ghent"}}
	w.located(t, nil, third, log)
	if got := w.placed(t, w.comes(t, "8.8.8.8")); got != "Ghent" || third.times() != 1 {
		t.Errorf("after its time: %q, asked %d times", got, third.times())
	}
	if err := w.ledger.SweepPlaces(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := w.ledger.NewRaw(`SELECT count(*) FROM places`).Scan(t.Context(), &left); err != nil || left != 1 {
		t.Errorf("%d places left, %v", left, err)
	}
}

// TestNobodyHearsOfPrivateAddresses: what is sent out is public addresses only.
func TestNobodyHearsOfPrivateAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	remote, file := &atlas{}, &atlas{}
	w.located(t, file, remote, slog.New(slog.DiscardHandler))
	for _, from := range []string{"127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.1.1", "fe80::1", "fd00::1", "203.0.113.7", "192.0.2.1",
		"198.51.100.1", "2001:db8::1", "100.64.0.1", "::ffff:10.0.0.1", "0.0.0.0", "::"} {
		w.comes(t, from)
	}
	w.arrive(t, chat.Arrival{})
	w.comes(t, "9.9.9.9")
	for late := time.After(20 * time.Second); remote.times() == 0; {
		select {
		case <-late:
			t.Fatal("nobody was asked of a public address")
		case <-time.After(10 * time.Millisecond):
		}
	}
	for _, a := range []*atlas{remote, file} {
		if len(a.asked) != 1 || a.asked[0] != netip.MustParseAddr("9.9.9.9") {
			t.Errorf("asked of %v", a.asked)
		}
	}
}

// TestAFileOfOnesOwnComesFirst: it is asked each time and nothing of it is remembered; only where it does not know others are asked.
func TestAFileOfOnesOwnComesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file, remote := &atlas{place: utrecht}, &atlas{place: domain.Place{City: "Ghent"}}
	w.located(t, file, remote, slog.New(slog.DiscardHandler))
	for range 2 {
		if got := w.placed(t, w.comes(t, "8.8.8.8")); got != "Utrecht, Netherlands" {
			t.Errorf("placed in %q", got)
		}
	}
	if file.times() != 2 || remote.times() != 0 {
		t.Errorf("the file was asked %d times, the other one %d", file.times(), remote.times())
	}
	file.mu.Lock()
	file.err = errors.New("gone")
	file.mu.Unlock()
	if got := w.placed(t, w.comes(t, "8.8.8.8")); got != "Ghent" || remote.times() != 1 {
		t.Errorf("placed in %q", got)
	}
}

// TestThatNobodyKnowsIsRemembered, but not for as long; and that nobody could be asked only for a moment.
func TestThatNobodyKnowsIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var logged bytes.Buffer
	remote, broken := &atlas{}, &atlas{err: errors.New("broken")}
	stop := w.located(t, nil, remote, slog.New(slog.NewTextHandler(&logged, nil)))
	w.comes(t, "8.8.8.8")
	w.comes(t, "8.8.8.8")
	kept := func() (networks string) {
		if err := w.ledger.NewRaw(`SELECT coalesce(string_agg(network, ' '), '') FROM places WHERE place = '{}'
AND expires_at BETWEEN now() + interval '23 hours' AND now() + interval '25 hours'`).Scan(t.Context(), &networks); err != nil {
			t.Fatal(err)
		}
		return networks
	}
	for late := time.After(20 * time.Second); kept() != "8.8.8.0/24"; {
		select {
		case <-late:
			t.Fatal("it was not remembered that nobody knows")
		case <-time.After(10 * time.Millisecond):
		}
	}
	stop()
	stop = w.located(t, nil, broken, slog.New(slog.NewTextHandler(&logged, nil)))
	w.comes(t, "8.8.8.8")
	w.comes(t, "9.9.9.9")
	for late := time.After(20 * time.Second); broken.times() == 0; {
		select {
		case <-late:
			t.Fatal("nobody was asked")
		case <-time.After(10 * time.Millisecond):
		}
	}
	stop()
	if remote.times() != 1 || broken.times() != 1 || broken.asked[0] != netip.MustParseAddr("9.9.9.9") || kept() != "8.8.8.0/24" {
		t.Errorf("asked %d and %v, remembered %q", remote.times(), broken.asked, kept())
	}
	if log := logged.String(); strings.Contains(log, "9.9.9.9") || !strings.Contains(log, "broken") {
		t.Errorf("logged %s", log)
	}
}

// TestArrivalsNeverWait: with every worker stuck and the queue full, others come in all the same, and stopping is not held up.
func TestArrivalsNeverWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stuck := &atlas{gate: make(chan struct{})}
		places := chat.NewPlaces(nil, stuck, nil, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- places.Run(ctx) }()
		for range 2000 {
			places.Find(domain.Session{}, netip.MustParseAddr("8.8.8.8"))
		}
		synctest.Wait()
		if n := stuck.times(); n != 4 {
			t.Errorf("%d at once", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestAPlaceFollowsWhoeverTheVisitorTurnsOutToBe: the stub may be gone when its place is found.
func TestAPlaceFollowsWhoeverTheVisitorTurnsOutToBe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	known := domain.Contact{ID: domain.ContactID("0193a000-0000-7000-8000-000000000001"), OrgID: w.Org, ExternalID: "u1", Profile: []byte(`{"geo":{"city":"Ghent"}}`), CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if _, err := w.ledger.NewInsert().Model(&known).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, _, _ := w.arrive(t, chat.Arrival{})
	other := ledgertest.Seed(t, w.ledger)
	ledgertest.Set(t, w.ledger, "sessions", v.Session.ID, "contact_id", known.ID)
	if err := w.ledger.SetSessionPlace(t.Context(), other.Org, v.Session.ID, domain.Place{City: "Elsewhere"}); err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.SetSessionPlace(t.Context(), w.Org, v.Session.ID, utrecht); err != nil {
		t.Fatal(err)
	}
	c, err := w.ledger.Contact(t.Context(), w.Org, known.ID)
	if err != nil || lead.Known(c.Profile).Geo.City != "Utrecht" {
		t.Errorf("%s, %v", c.Profile, err)
	}
}
