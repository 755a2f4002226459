package portal_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestFirstRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, path := range []string{"/", "/inbox", "/agents", "/signin"} {
		if a := b.get(path); a.status != http.StatusSeeOther || a.to() != "/setup" {
			t.Errorf("GET %s on a fresh installation: %d to %q", path, a.status, a.to())
		}
	}
	want(t, b.page("/setup"), "Set up Parley")

	bad := b.post("/setup", "organisation", "Acme <b>", "name", "Anna", "email", "anna@", "password", "short")
	if bad.status != http.StatusUnprocessableEntity {
		t.Fatalf("a bad setup: %d", bad.status)
	}
	want(t, bad.body, `value="Acme &lt;b&gt;"`, `value="anna@"`, "E-mail is not an e-mail address.", "Password must have at least 10 characters.")
	without(t, bad.body, "short")

	good := b.post("/setup", "organisation", "Acme", "name", "Anna Lindqvist", "email", "Anna@Example.com", "password", password)
	if good.status != http.StatusSeeOther || good.to() != "/inbox" {
		t.Fatalf("a good setup: %d to %q\n%s", good.status, good.to(), good.body)
	}
	want(t, b.page("/inbox"), "Acme", "Anna Lindqvist", "Put the chat on your site", "Four steps to your first conversation")

	second := w.browser()
	if a := second.get("/setup"); a.to() != "/signin" {
		t.Errorf("the setup stays open: %d to %q", a.status, a.to())
	}
	if a := second.post("/setup", "organisation", "Evil", "name", "Eve", "email", "eve@example.com", "password", password); a.to() != "/signin" {
		t.Errorf("a second setup: %d to %q", a.status, a.to())
	}
	if second.cookie("parley_session") != "" {
		t.Error("a second setup signed somebody in")
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owner("Acme")
	for _, c := range []struct{ name, email, password string }{
		{"wrong password", "acme@example.com", "wrong horse battery"},
		{"unknown address", "nobody@example.com", password},
		{"nothing", "", ""},
		{"hostile address", "<script>alert(1)</script>", password},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.browser()
			a := b.post("/signin", "email", c.email, "password", c.password, "next", "/agents")
			if a.status != http.StatusUnprocessableEntity || b.cookie("parley_session") != "" {
				t.Fatalf("%d, cookie %q", a.status, b.cookie("parley_session"))
			}
			want(t, a.body, "The e-mail address or the password is wrong.", `name="next" value="/agents"`)
			without(t, a.body, "<script>alert", password)
		})
	}
}

func TestSignInLeadsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owner("Acme")
	for next, to := range map[string]string{
		"/threads/7?tab=mine": "/threads/7?tab=mine", "": "/inbox", "https://evil.example/": "/inbox", "//evil.example": "/inbox",
		`/\evil.example`: "/inbox", "javascript:alert(1)": "/inbox",
	} {
		if a := w.browser().post("/signin", "email", "acme@example.com", "password", password, "next", next); a.to() != to {
			t.Errorf("next=%q leads to %q, want %q", next, a.to(), to)
		}
	}
	a := w.browser().get("/agents/new?kind=builtin")
	if a.status != http.StatusSeeOther || a.to() != "/signin?next=%2Fagents%2Fnew%3Fkind%3Dbuiltin" {
		t.Errorf("signed out: %d to %q", a.status, a.to())
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owner("Acme")
	for _, proto := range []string{"http", "https"} {
		a := w.browser().send(http.MethodPost, "/signin", form("email", "acme@example.com", "password", password), "X-Forwarded-Proto", proto)
		c := a.header.Get("Set-Cookie")
		for _, attribute := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(c, attribute) {
				t.Errorf("over %s: %q lacks %s", proto, c, attribute)
			}
		}
		if strings.Contains(c, "Secure") != (proto == "https") {
			t.Errorf("over %s: %q", proto, c)
		}
	}
}

// Whoever plants a session in somebody's browser must not share what they sign in to.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owner("Acme")
	eve := w.owner("Evil")
	planted := eve.cookie("parley_session")
	victim := w.browser()
	a := victim.send(http.MethodPost, "/signin", form("email", "acme@example.com", "password", password), "Cookie", "parley_session="+planted)
	if a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	if got := victim.cookie("parley_session"); got == planted || got == "" {
		t.Errorf("the session after sign-in is %q", got)
	}
	if a := eve.get("/inbox"); a.status == http.StatusOK {
		t.Error("the planted session lives on")
	}
	invented := w.browser().get("/inbox", "Cookie", "parley_session=anything-at-all")
	if invented.status != http.StatusSeeOther {
		t.Errorf("an invented session: %d", invented.status)
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	token := b.cookie("parley_session")
	if a := b.post("/signout"); a.status != http.StatusSeeOther || a.to() != "/signin" {
		t.Fatalf("%d to %q", a.status, a.to())
	}
	if b.cookie("parley_session") != "" {
		t.Error("the cookie stays")
	}
	want(t, b.page("/signin"), "You are signed out.")
	without(t, b.page("/signin"), "You are signed out.")
	if a := w.browser().get("/inbox", "Cookie", "parley_session="+token); a.status != http.StatusSeeOther {
		t.Errorf("the token is still good: %d", a.status)
	}
	if a := b.get("/signout"); a.status != http.StatusMethodNotAllowed {
		t.Errorf("a link can sign one out: %d", a.status)
	}
}

func TestSignInIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owner("Acme")
	b := w.browser()
	for range 40 {
		a := b.post("/signin", "email", "acme@example.com", "password", "wrong horse battery")
		if a.status != http.StatusTooManyRequests {
			continue
		}
		if a.header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
		want(t, a.body, "There were too many attempts to sign in from your address; wait a minute.")
		if a := b.post("/signin", "email", "acme@example.com", "password", password); a.status != http.StatusTooManyRequests {
			t.Errorf("the right password is let through: %d, so guessing could go on", a.status)
		}
		return
	}
	t.Error("forty guesses in a row and no end")
}
