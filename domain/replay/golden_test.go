package replay_test

import (
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/replay"
)

// A golden thread holds all that its replay needs: the recorder's details may be gone, the article too, and the thread may have
// gone on. It goes with its thread.
func TestGoldenOutlivesTheRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.article("Delivery", "Delivery takes three days within the country.")
	_, err := w.replay.Mark(t.Context(), w.Org, w.Thread, nil, "Anna")
	refused(t, err, domain.Invalid, "thread")
	w.says("How long does delivery take?", 1)
	_, err = w.replay.Mark(t.Context(), w.Org, w.Thread, []domain.Expectation{{Seq: 99, Note: "x"}}, "Anna")
	refused(t, err, domain.Invalid, "notes")
	for range 2 { // again, in place of the first
		if _, err := w.replay.Mark(t.Context(), w.Org, w.Thread, []domain.Expectation{{Seq: 1, Note: " says three days "}}, "Anna"); err != nil {
			t.Fatal(err)
		}
	}
	w.article("Delivery", "Delivery takes nine weeks within the country.")
	if _, err := w.ledger.SweepSteps(t.Context(), time.Now().Add(1000*24*time.Hour), 1000); err != nil {
		t.Fatal(err)
	}
	w.sql(`DELETE FROM passage_texts`, nil)
	w.says("Hello", 2)
	r := w.golden(1)[0]
	if outcomes(r) != "same" || r.Turns[0].Note != "says three days" || r.Turns[0].Live != 0 {
		t.Fatalf("%+v", r.Turns)
	}
	gs, last, err := w.replay.Goldens(t.Context(), w.Org)
	if err != nil || len(gs) != 1 || last[gs[0].ID].ID != r.ID {
		t.Fatalf("%+v %+v, %v", gs, last, err)
	}
	if err := w.replay.Unmark(t.Context(), "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11", w.Thread); domain.KindOf(err) != domain.NotFound || err == nil {
		t.Errorf("a stranger could unmark it: %v", err)
	}
	w.sql(`DELETE FROM contacts WHERE id = ?`, nil, w.Contact)
	w.golden(0)
	var left int
	w.sql(`SELECT (SELECT count(*) FROM golden_threads) + (SELECT count(*) FROM replays) + (SELECT count(*) FROM replay_turns)`, &left)
	if left != 0 {
		t.Errorf("%d rows are left of somebody who was erased", left)
	}
}

// golden makes a replay of each golden thread.
func (w *world) golden(n int) []domain.Replay {
	w.Helper()
	rs, err := w.replay.AskGolden(w.Context(), replay.Order{OrgID: w.Org})
	if err != nil || len(rs) != n {
		w.Fatalf("%d golden threads, %v", len(rs), err)
	}
	for i := range rs {
		if rs[i], err = w.replay.Make(w.Context(), rs[i]); err != nil {
			w.Fatal(err)
		}
	}
	return rs
}
