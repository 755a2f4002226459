package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

const dayOfUse = 24 * time.Hour

// visited is a fixture whose session was opened so long ago and ends so long from now.
func visited(t *testing.T, l *ledger.Ledger, ago, ends time.Duration) ledgertest.Fixture {
	t.Helper()
	f := ledgertest.Seed(t, l)
	ms := fmt.Sprintf("%012x", time.Now().Add(-ago).UnixMilli())
	id := domain.SessionID(ms[:8] + "-" + ms[8:] + string(f.Session.ID)[13:])
	ledgertest.Set(t, l, "sessions", f.Session.ID, "expires_at", time.Now().Add(ends))
	ledgertest.Set(t, l, "sessions", f.Session.ID, "id", id)
	f.Session.ID = id
	return f
}

func left(t *testing.T, l *ledger.Ledger, table string, id any) (n int) {
	t.Helper()
	if err := l.NewRaw("SELECT count(*) FROM "+table+" WHERE id = ?", id).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// What is left of a visit when its session has ended is what was said and told in it. Where that is nothing, the contact goes too.
func TestEndedVisitsAreForgotten(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	const long = 100 * dayOfUse
	for _, tc := range []struct {
		name             string
		ends             time.Duration
		then             func(ledgertest.Fixture)
		session, contact int // rows left
	}{
		{"opened a widget and left", -dayOfUse, func(ledgertest.Fixture) {}, 0, 0},
		{"was here lately", dayOfUse, func(ledgertest.Fixture) {}, 1, 1},
		{"said something", -dayOfUse, func(f ledgertest.Fixture) { mustAppend(t, l, line(f, "1", "hello")) }, 0, 1},
		{"asked for a person", -dayOfUse, func(f ledgertest.Fixture) {
			mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.AskForPerson{}})
		}, 0, 1},
		{"left a name", -dayOfUse, func(f ledgertest.Fixture) {
			if err := l.SetContactDetails(t.Context(), f.Org, f.Contact, "Anna", "", ""); err != nil {
				t.Fatal(err)
			}
		}, 0, 1},
		{"is on record in a note", -dayOfUse, func(f ledgertest.Fixture) {
			mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TeamNote{User: f.User, Content: "strange"}})
		}, 0, 1},
		{"came back in another browser", -dayOfUse, func(f ledgertest.Fixture) {
			again := domain.Session{ID: ledger.NewID[domain.SessionID](), OrgID: f.Org, WidgetID: f.Widget, ContactID: f.Contact, ExpiresAt: time.Now().Add(dayOfUse)}
			if err := l.CreateSession(t.Context(), again, []byte(again.ID), domain.Contact{ID: f.Contact, OrgID: f.Org, Profile: []byte("{}")}); err != nil {
				t.Fatal(err)
			}
		}, 0, 1},
	} {
		f := visited(t, l, long, tc.ends)
		tc.then(f)
		if err := l.SweepVisits(t.Context()); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if session, contact := left(t, l, "sessions", f.Session.ID), left(t, l, "contacts", f.Contact); session != tc.session || contact != tc.contact {
			t.Errorf("somebody who %s: %d sessions and %d contacts are left, want %d and %d", tc.name, session, contact, tc.session, tc.contact)
		}
		if threads := left(t, l, "threads", f.Thread); threads != tc.contact {
			t.Errorf("somebody who %s: %d threads are left", tc.name, threads)
		}
	}
}

// What a visitor came with stays with whoever said something, though the session that told it is gone.
func TestFirstVisitOutlivesItsSession(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := visited(t, l, 100*dayOfUse, dayOfUse)
	ledgertest.Set(t, l, "contacts", f.Contact, "profile",
		`{"first_page": {"url": "https://shop.example/", "title": "Shop"}, "referrer": "https://search.example/", "attribution": {"utm_source": "news"}}`)
	mustAppend(t, l, line(f, "1", "hello"))
	first := func() string {
		t.Helper()
		c, err := l.KnownContact(t.Context(), f.Org, f.Contact)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(c.FirstPage, string(c.Attribution))
	}
	const want = `{https://shop.example/ Shop https://search.example/}{"utm_source": "news"}`
	if err := l.SetPage(t.Context(), f.Org, f.Session.ID, domain.Page{URL: "https://shop.example/checkout"}); err != nil {
		t.Fatal(err)
	}
	if got := first(); got != want {
		t.Errorf("on the next page: %s, want %s", got, want)
	}
	ledgertest.Set(t, l, "sessions", f.Session.ID, "expires_at", time.Now().Add(-dayOfUse))
	if err := l.SweepVisits(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := first(); got != want || left(t, l, "sessions", f.Session.ID) != 0 {
		t.Errorf("without the session: %s, want %s", got, want)
	}
}

// A program may write to a silent visitor at the very moment at which they are to be forgotten: what it was told is stored, is.
func TestNobodyIsForgottenWithWhatIsSaidMeanwhile(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := visited(t, l, 100*dayOfUse, -dayOfUse)
	swept := make(chan error, 1)
	err := l.InTx(t.Context(), func(tx *ledger.Ledger) error {
		if _, err := tx.NewRaw(`UPDATE threads SET last_message_at = now() WHERE id = ?`, f.Thread).Exec(t.Context()); err != nil {
			return err
		}
		go func() { swept <- l.SweepVisits(t.Context()) }()
		for waits := false; !waits; {
			if err := l.NewRaw(`SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(t.Context(), &waits); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-swept; err != nil {
		t.Fatal(err)
	}
	if left(t, l, "threads", f.Thread) == 0 {
		t.Error("the thread went with what had just been said in it")
	}
}
