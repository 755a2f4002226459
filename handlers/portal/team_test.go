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

// Where the server sends mail, it mails invitations, and says how that stands; a link is still to be had, and is the same.
func TestMailingInvitations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.owner("Acme")
	if a := anna.post("/team/invitations", "email", "ben@example.com", "role", "owner", "way", "mail"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("no way to send mail: %d", a.status)
	} else {
		want(t, a.body, "This server mails no invitations", `value="ben@example.com"`)
	}
	without(t, anna.page("/team"), "Mail the invitation", "Not opened yet")
	w.ledger.Mails()
	w.account.PublicURL = w.server.URL
	want(t, anna.page("/team"), "Mail the invitation", "Make a link instead")

	made := anna.post("/team/invitations", "email", "ben@example.com", "role", "member", "way", "mail")
	if made.status != http.StatusSeeOther || !strings.HasPrefix(made.to(), "/team?mailed=") {
		t.Fatalf("%d to %q\n%s", made.status, made.to(), tidy(made.body))
	}
	id := strings.TrimPrefix(made.to(), "/team?mailed=")
	card := "/team/invitations/" + id
	page := anna.page(made.to())
	want(t, page, "The invitation is on its way to ben@example.com.", "mail on its way", `hx-get="`+card+`"`, "Send again")
	without(t, page, "token=")
	set := func(status, problem string) {
		t.Helper()
		if _, err := w.ledger.DB().ExecContext(t.Context(), `UPDATE deliveries SET status = ?, attempts = 1, last_error = ?, updated_at = now()`, status, problem); err != nil {
			t.Fatal(err)
		}
	}
	set("queued", "connection refused")
	want(t, anna.page(card), "not mailed yet", "The mail has not gone out yet: connection refused. It is tried again for a day.")
	without(t, anna.page(card), "hx-get")
	want(t, anna.page(made.to()), "The invitation to ben@example.com has not gone out yet.")
	set("dead", "550 no such <b>mailbox</b>.")
	want(t, anna.page(made.to()), "The invitation could not be mailed to ben@example.com.", "The mail did not go out: 550 no such &lt;b&gt;mailbox&lt;/b&gt;. Send it again")
	set("done", "")
	want(t, anna.page(made.to()), "The invitation was mailed to ben@example.com.", "mailed just now")

	link := linkIn(t, anna.post(card+"/renew", "way", "link").body)
	if a := anna.post(card+"/renew", "way", "mail"); a.status != http.StatusSeeOther || a.to() != made.to() {
		t.Fatalf("%d to %q", a.status, a.to())
	}
	want(t, anna.page(card), "mail on its way")
	if again := linkIn(t, anna.post(card+"/renew", "way", "link").body); again != link {
		t.Errorf("%q was %q", again, link)
	}
	set("done", "")
	anna.post(card+"/renew", "way", "mail")
	set("done", "")
	if a := anna.post(card+"/renew", "way", "mail"); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("too often: %d", a.status)
	} else {
		want(t, a.body, "They were mailed several times within the hour", "ben@example.com")
	}

	eve := w.owner("Evil")
	without(t, eve.page(card), "ben@example.com")
	without(t, eve.page(made.to()), "Not opened yet", "was mailed")
	_, token, _ := strings.Cut(link, "token=")
	ben := w.browser()
	if a := ben.post("/join", "token", token, "name", "Ben", "password", password); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	if gone := anna.get(card); gone.status != http.StatusOK || gone.body != "" {
		t.Errorf("one that was used: %d %s", gone.status, gone.body)
	}
	if a := ben.get(card); a.status != http.StatusForbidden {
		t.Errorf("a member: %d", a.status)
	}
	without(t, anna.page(made.to()), "is on its way", "was mailed")
	people, err := w.account.Users(t.Context(), anna.user.OrgID)
	if err != nil || len(people) != 2 {
		t.Fatal(people, err)
	}
	for _, u := range people {
		if u.ID == anna.user.ID {
			continue
		}
		back := anna.post("/team/"+string(u.ID)+"/password", "way", "mail")
		if back.status != http.StatusTooManyRequests { // he was mailed enough
			t.Errorf("another mail to the same address: %d", back.status)
		}
		if _, err := w.ledger.DB().ExecContext(t.Context(), `DELETE FROM deliveries`); err != nil {
			t.Fatal(err)
		}
		back = anna.post("/team/"+string(u.ID)+"/password", "way", "mail")
		want(t, anna.page(back.to()), "The link to choose another password is on its way to ben@example.com.")
	}
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
