package ledger_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// A timeline read part by part is the timeline, each happening once, and each part but the first begins with a visitor's line.
func TestTimelineInParts(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	for n := range 30 {
		if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread,
			Change: ledger.Line{SessionID: f.Session.ID, ClientID: fmt.Sprint(n), Content: fmt.Sprint("line ", n)}}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := l.Timeline(t.Context(), f.Org, f.Thread)
	if err != nil || len(all) < 60 {
		t.Fatalf("%d, %v", len(all), err)
	}
	var got []domain.TimelineItem
	want := ledger.TimelinePart{Most: 7}
	for parts := 0; ; parts++ {
		part, err := l.TimelinePart(t.Context(), f.Org, f.Thread, want)
		if err != nil || parts > 30 {
			t.Fatal(parts, err)
		}
		if part.Earlier && part.Items[0].Kind != domain.MessageReceived {
			t.Errorf("a part begins with %s", part.Items[0].Kind)
		}
		again, err := l.TimelinePart(t.Context(), f.Org, f.Thread, ledger.TimelinePart{From: part.Begin, Before: want.Before, Most: 400})
		if err != nil || again.Earlier || !reflect.DeepEqual(again.Items, part.Items) {
			t.Errorf("from its own begin on it is another: %d, want %d, %v", len(again.Items), len(part.Items), err)
		}
		got = slices.Concat(part.Items, got)
		if !part.Earlier {
			break
		}
		want.Before = part.Begin
	}
	if !reflect.DeepEqual(got, all) {
		t.Errorf("the parts have %d items, the whole has %d", len(got), len(all))
	}
	if _, err := l.TimelinePart(t.Context(), f.Org, f.Thread, ledger.TimelinePart{Before: "1; DROP", Most: 1}); domain.KindOf(err) != domain.Invalid {
		t.Errorf("a place that is none: %v", err)
	}
	other := ledgertest.Seed(t, l)
	if part, err := l.TimelinePart(t.Context(), other.Org, f.Thread, ledger.TimelinePart{Most: 9}); err != nil || len(part.Items) != 0 {
		t.Errorf("another organisation reads %d, %v", len(part.Items), err)
	}
	if ms, err := l.MessagesOf(t.Context(), other.Org, f.Thread, []domain.MessageID{all[0].MessageID}); err != nil || len(ms) != 0 {
		t.Errorf("another organisation reads %v, %v", ms, err)
	}
}
