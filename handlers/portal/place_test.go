package portal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// TestThePanelSaysWhereTheVisitorIs, and what time it is there, by their browser or else by the place.
func TestThePanelSaysWhereTheVisitorIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	v := w.visitor(w.widget(b, w.agent(b, "Ada").ID))
	path := "/threads/" + string(w.says(&v, "Hello?"))
	without(t, b.page(path), "Place")
	if err := w.ledger.SetSessionPlace(t.Context(), b.user.OrgID, v.Session.ID, domain.Place{City: "<b>Pago Pago", Country: "American Samoa", Timezone: "Pacific/Pago_Pago"}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	page := b.page(path)
	want(t, page, "Place", "&lt;b&gt;Pago Pago, American Samoa</dd>", `thread-row-place">&lt;b&gt;Pago Pago, American Samoa`)
	clock := func(zone, page string) {
		t.Helper()
		l, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page, began.In(l).Format("15:")) && !strings.Contains(page, time.Now().In(l).Format("15:")) { // an hour may have ended
			t.Errorf("no time of %s", zone)
		}
	}
	clock("Europe/Lisbon", page)
	ledgertest.Set(t, w.ledger, "sessions", v.Session.ID, "timezone", "")
	clock("Pacific/Pago_Pago", b.page(path))
}

// What a visitor told in a form stands beside the conversation, for as long as it is kept.
func TestFormsStandInTheContactPanel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	v := w.visitor(w.widget(b, ""))
	if err := w.chat.Introduces(t.Context(), &v, chat.Form{ClientID: "1", Name: "Grace <b>", Email: "grace@example.com", Message: "Please call me."}); err != nil {
		t.Fatal(err)
	}
	page := "/threads/" + string(v.Thread.ID)
	want(t, b.page(page), "Filled in", "Grace &lt;b&gt;", "grace@example.com")
	if err := w.account.EraseContact(t.Context(), b.user.OrgID, v.Session.ContactID); err != nil {
		t.Fatal(err)
	}
	without(t, b.page(page), "Filled in", "Grace")
}
