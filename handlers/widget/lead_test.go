package widget_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/widget"
)

// TestLeadProfile: what a browser tells is kept with the contact, cut to size, and the pages in the session.
func TestLeadProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	huge := strings.Repeat("x", 20000)
	a := w.ask("POST", "./session", `{"page":{"url":"https://user:pw@site.example/a","title":"A\u0007","referrer":"https://search.example/?q=chat"},
"attribution":{"utm_source":"news\u0000letter","utm_campaign":"`+huge+`","evil":"x"}}`,
		"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0")
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	v := &visitor{w, a.Session.Token, domain.SessionID(a.Session.ID)}
	s, err := w.ledger.Session(t.Context(), w.Org, v.id)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.ledger.Contact(t.Context(), w.Org, s.ContactID)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Device      map[string]string
		Attribution map[string]string
		FirstPage   domain.Step `json:"first_page"`
		Referrer    string
	}
	if err := json.Unmarshal(c.Profile, &p); err != nil {
		t.Fatal(err)
	}
	if p.Device["browser"] != "Firefox" || p.Device["os"] != "Linux" || p.Device["kind"] != "desktop" {
		t.Errorf("device %v", p.Device)
	}
	if p.FirstPage.URL != "https://site.example/a" || p.FirstPage.Title != "A" || p.Referrer != "https://search.example/?q=chat" {
		t.Errorf("came by %+v from %s", p.FirstPage, p.Referrer)
	}
	if p.Attribution["utm_source"] != "newsletter" || len(p.Attribution["utm_campaign"]) != 200 || p.Attribution["evil"] != "" {
		t.Errorf("attribution %.300v", p.Attribution)
	}
	for i := range domain.MaxTrail + 5 {
		for range 2 { // a reload is not another page
			if a := v.post("./page", fmt.Sprintf(`{"url":"https://site.example/%d","title":"%d"}`, i, i)); a.status != 204 {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
	}
	if s, err = w.ledger.Session(t.Context(), w.Org, v.id); err != nil {
		t.Fatal(err)
	}
	if len(s.Trail) != domain.MaxTrail || s.Trail[0].Title != "5" || s.Trail[domain.MaxTrail-1].Title != "54" || s.Trail[0].At.IsZero() {
		t.Errorf("%d pages, from %+v to %+v", len(s.Trail), s.Trail[0], s.Trail[len(s.Trail)-1])
	}
}
