package widget

import (
	"fmt"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// TestWidgetsAreSharedWhileTheySayTheSame has a widget read again and again, as each who connects does.
func TestWidgetsAreSharedWhileTheySayTheSame(t *testing.T) {
	t.Parallel()
	var ws widgets
	read := func(id, title string, origins ...string) *domain.Widget {
		return ws.shared(domain.Widget{ID: domain.WidgetID(id), AllowedOrigins: origins, Appearance: domain.Appearance{Title: title}})
	}
	one := read("w", "Hi", "https://a.example")
	if again := read("w", "Hi", "https://a.example"); again != one {
		t.Error("the same is kept twice")
	}
	for name, other := range map[string]*domain.Widget{
		"another": read("x", "Hi", "https://a.example"), "with another title": read("w", "Ho", "https://a.example"), "for another page": read("w", "Hi", "https://b.example"),
	} {
		if other == one {
			t.Errorf("a widget %s is taken for the first", name)
		}
	}
	if one.Appearance.Title != "Hi" || one.AllowedOrigins[0] != "https://a.example" {
		t.Errorf("the first has become %+v", one)
	}
	for i := range 2 * mostWidgets {
		read(fmt.Sprint(i), "")
	}
	if len(ws.last) > mostWidgets {
		t.Errorf("%d are kept", len(ws.last))
	}
}

// TestPlacesAreAskedOnce asks whoever holds a place to go, before and after they have said how they want to be told.
func TestPlacesAreAskedOnce(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]bool{"told at once": false, "told when they ask": true} {
		g := newGuests(10)
		p, err := g.enter(guest{}, "s")
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		tell := func() { told++ }
		if !late {
			p.whenAsked(tell)
		}
		before := p.going()
		if before.Err() != nil || told != 0 {
			t.Errorf("%s: gone before they were asked", name)
		}
		p.ask(dismissal("expired"))
		p.ask(dismissal("disabled"))
		if late {
			p.whenAsked(tell)
		}
		if bye := p.goodbye(); told != 1 || before.Err() == nil || p.going().Err() == nil || bye.Reason != "expired" {
			t.Errorf("%s: told %d times, %+v", name, told, bye)
		}
		p.leave()
		if n := g.count(); n != 0 || told != 1 {
			t.Errorf("%s: %d are left, told %d times", name, n, told)
		}
	}
}
