package portal_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

var joinLink = regexp.MustCompile(`http://[^"<]+(/join\?token=[^"<]+)`)

// linkIn is the link a team page shows, as a path.
func linkIn(t *testing.T, page string) string {
	t.Helper()
	m := joinLink.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no link\n%s", tidy(page))
	}
	return html.UnescapeString(m[1])
}

func TestInvitingAColleague(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.owner("Acme")
	want(t, anna.page("/team"), "acme@example.com", "Owner", "Invite somebody")
	wrong := anna.post("/team/invitations", "email", "ben@", "role", "member")
	if wrong.status != http.StatusUnprocessableEntity {
		t.Fatal(wrong.status)
	}
	want(t, wrong.body, `value="ben@"`, "is not an e-mail address")
	made := anna.post("/team/invitations", "email", "ben@example.com", "role", "member")
	if made.status != http.StatusOK {
		t.Fatalf("%d\n%s", made.status, tidy(made.body))
	}
	link := linkIn(t, made.body)
	want(t, made.body, "Copy it now", "joins as a member")
	listed := anna.page("/team")
	want(t, listed, "ben@example.com", "Not opened yet")
	without(t, listed, strings.TrimPrefix(link, "/join?token="))

	ben := w.browser()
	want(t, ben.page(link), "Join", "Acme", "ben@example.com")
	_, token, _ := strings.Cut(link, "token=")
	if a := ben.post("/join", "token", token, "name", "Ben Okafor", "password", "short"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a short password: %d", a.status)
	} else {
		want(t, a.body, `value="Ben Okafor"`, "must have at least 10 characters")
	}
	if a := ben.post("/join", "token", token, "name", "Ben Okafor", "password", password); a.status != http.StatusSeeOther || a.to() != "/inbox" {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	want(t, ben.page("/inbox"), "Ben Okafor")
	for _, path := range []string{"/team", "/settings"} {
		if a := ben.get(path); a.status != http.StatusForbidden {
			t.Errorf("a member at %s: %d", path, a.status)
		}
	}
	want(t, ben.get("/team").body, `action="/signout"`) // the way to sign in as somebody else
	if a := w.browser().get(link); a.status != http.StatusNotFound {
		t.Errorf("a link that was used: %d", a.status)
	} else {
		want(t, a.body, "This link works no longer")
	}
	without(t, anna.page("/team"), "Not opened yet")
	if !strings.Contains(w.log.String(), "token=") {
		return
	}
	t.Error("a token stands in the log")
}

func TestWhatOwnersDoToColleagues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.owner("Acme")
	_, token, _ := strings.Cut(linkIn(t, anna.post("/team/invitations", "email", "ben@example.com", "role", "member").body), "token=")
	ben := w.browser()
	if a := ben.post("/join", "token", token, "name", "Ben", "password", password); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	people, err := w.account.Users(t.Context(), anna.user.OrgID)
	if err != nil || len(people) != 2 {
		t.Fatal(people, err)
	}
	var who domain.User
	for _, u := range people {
		if u.ID != anna.user.ID {
			who = u
		}
	}
	his := "/team/" + string(who.ID)
	for _, path := range []string{"/role", "/password", "/remove"} { // nobody does it to themselves
		if a := anna.post("/team/"+string(anna.user.ID)+path, "role", "member"); a.status == http.StatusSeeOther || a.status == http.StatusOK {
			t.Errorf("to oneself, %s: %d", path, a.status)
		}
		if a := w.owner("Evil"+path[1:]).post(his+path, "role", "owner"); a.status != http.StatusNotFound {
			t.Errorf("to another organisation's, %s: %d", path, a.status)
		}
	}
	if a := anna.post(his+"/role", "role", "owner"); a.status != http.StatusSeeOther {
		t.Errorf("%d\n%s", a.status, tidy(a.body))
	}
	want(t, ben.page("/team"), "ben@example.com")
	if a := anna.post(his+"/role", "role", "member"); a.status != http.StatusSeeOther {
		t.Errorf("%d\n%s", a.status, tidy(a.body))
	}

	back := linkIn(t, anna.post(his+"/password").body)
	want(t, ben.page("/inbox"), "Inbox") // until the link is used
	_, token, _ = strings.Cut(back, "token=")
	elsewhere := w.browser()
	want(t, elsewhere.page(back), "Choose another password", "Ben")
	if a := elsewhere.post("/join", "token", token, "password", "another good sentence"); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	if a := ben.get("/inbox"); a.status != http.StatusSeeOther {
		t.Errorf("where he was signed in before: %d", a.status)
	}

	thread := w.thread(anna, "Hello?")
	w.append(anna, thread, ledger.TakeOver{User: who})
	if a := anna.post(his + "/remove"); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	if a := elsewhere.get("/inbox"); a.status != http.StatusSeeOther {
		t.Errorf("somebody who was removed: %d", a.status)
	}
	if c, err := w.chat.Conversation(t.Context(), anna.user.OrgID, thread); err != nil || c.Handling != domain.HandlingWaiting {
		t.Errorf("what he had: %v %v", c.Handling, err)
	}
	want(t, anna.page("/threads/"+string(thread)+"/timeline"), "Ben has left the team")
}

func TestOnesOwnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	want(t, b.page("/account"), "acme@example.com", `value="Acme Lindqvist"`)
	if a := b.post("/account", "name", "Anna Björk"); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	want(t, b.page("/account"), `value="Anna Björk"`)
	if a := b.post("/account", "name", " "); a.status != http.StatusUnprocessableEntity {
		t.Errorf("no name: %d", a.status)
	}
	if a := b.post("/account/password", "current", "no", "password", "a new good sentence"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	} else {
		want(t, a.body, "Current password is wrong.")
		without(t, a.body, "a new good sentence")
	}
	if a := b.post("/account/password", "current", password, "password", "a new good sentence"); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	want(t, b.page("/account"), "Your password is changed.")
	if a := w.browser().post("/signin", "email", "acme@example.com", "password", "a new good sentence"); a.status != http.StatusSeeOther {
		t.Errorf("with the new one: %d", a.status)
	}
}
