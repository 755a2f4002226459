package ledger_test

import (
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// What the team has not seen counts where a person has the thread or it wants one, and is counted no further than asked.
func TestUnseen(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, other := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	mustAppend(t, l, line(other, "1", "hello"))
	set := func(column string, value any) { ledgertest.Set(t, l, "threads", f.Thread, column, value) }
	want := func(what string, n, most int) {
		t.Helper()
		if got, err := l.Unseen(t.Context(), f.Org, most); got != n || err != nil {
			t.Errorf("%s: %d unseen, %v; want %d", what, got, err, n)
		}
	}
	want("nothing said", 0, 9)
	mustAppend(t, l, line(f, "1", "hello"))
	want("the agent's to answer", 0, 9)
	for _, h := range []domain.Handling{domain.HandlingHuman, domain.HandlingWaiting} {
		set("handling", h)
		want(string(h), 1, 9)
	}
	set("team_read", 1)
	want("seen", 0, 9)
	set("team_read", 0)
	set("handling", domain.HandlingClosed)
	want("closed", 0, 9)
	set("handling", domain.HandlingAgent)
	if _, err := l.NewRaw(`DELETE FROM dispatches WHERE thread_id = ?`, f.Thread).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	want("the agent's, who will not answer", 1, 9)
	set("answered", 1)
	want("answered", 0, 9)

	for range 3 {
		s := stranger(t, l, f)
		thread := threadOf(t, l, s)
		says(t, l, s, thread.ID, "1")
		ledgertest.Set(t, l, "threads", thread.ID, "handling", domain.HandlingHuman)
	}
	want("three more", 3, 9)
	want("more than asked for", 2, 2)
}
