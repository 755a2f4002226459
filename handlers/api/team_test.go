package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

func TestTheTeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := "/users/" + string(w.acme.User.ID)
	if a := w.acme.get(t, me).want(t, http.StatusOK); a.str("email") != w.acme.User.Email || a.str("role") != "owner" {
		t.Errorf("%s", a.raw)
	}
	made := w.acme.post(t, "/invitations", map[string]any{"email": "Ben@acme.example"}).want(t, http.StatusCreated)
	if made.str("email") != "ben@acme.example" || made.str("role") != "member" {
		t.Errorf("%s", made.raw)
	}
	link, err := url.Parse(made.str("link"))
	if err != nil || link.Host == "" || link.Path != "/join" {
		t.Fatalf("the link is %q", made.str("link"))
	}
	if a := w.acme.get(t, "/invitations").want(t, http.StatusOK); strings.Contains(string(a.raw), "\"link\"") || !strings.Contains(string(a.raw), "ben@acme.example") {
		t.Errorf("%s", a.raw)
	}
	if _, err := w.account.Accept(t.Context(), link.Query().Get("token"), "Ben", "a good long sentence"); err != nil {
		t.Fatal(err)
	}
	w.acme.post(t, "/invitations", map[string]any{"email": "ben@acme.example"}).problem(t, http.StatusConflict, "conflict")
	w.acme.post(t, "/invitations", map[string]any{"email": "ben"}).badField(t, "email")
	_, ben, err := w.account.SignIn(t.Context(), "ben@acme.example", "a good long sentence")
	if err != nil {
		t.Fatal(err)
	}
	his := "/users/" + string(ben.ID)
	once(t, walk(t, w.acme.client, "/users", "id", 1, func(int) {}), 2)

	w.acme.do(t, http.MethodPatch, Prefix+me, map[string]any{"role": "member"}).problem(t, http.StatusConflict, "conflict")
	w.acme.do(t, http.MethodDelete, Prefix+me, nil).problem(t, http.StatusConflict, "conflict")
	w.acme.do(t, http.MethodPatch, Prefix+his, map[string]any{"role": "king"}).badField(t, "role")
	if a := w.acme.do(t, http.MethodPatch, Prefix+his, map[string]any{"role": "owner"}).want(t, http.StatusOK); a.str("role") != "owner" {
		t.Errorf("%s", a.raw)
	}
	again := w.acme.post(t, his+"/password-link", nil).want(t, http.StatusCreated)
	if again.str("user_id") != string(ben.ID) || again.str("link") == "" {
		t.Errorf("%s", again.raw)
	}

	if _, err := w.ledger.Append(t.Context(), ledger.Append{OrgID: w.acme.Org, ThreadID: w.acme.Thread, Change: ledger.TakeOver{User: ben}}); err != nil {
		t.Fatal(err)
	}
	w.acme.do(t, http.MethodDelete, Prefix+his, nil).want(t, http.StatusNoContent)
	if a := w.acme.get(t, "/threads/"+string(w.acme.Thread)).want(t, http.StatusOK); a.str("handling") != string(domain.HandlingWaiting) {
		t.Errorf("what he had: %s", a.raw)
	}
	w.acme.get(t, his).problem(t, http.StatusNotFound, "not_found")
}

// A program that asks for it has invitations mailed, and learns how that stands; one that does not sends the link itself.
func TestInvitationsThatAreMailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ben := map[string]any{"email": "ben@acme.example", "mail": true}
	me := "/users/" + string(w.acme.User.ID) + "/password-link"
	w.acme.post(t, "/invitations", ben).problem(t, http.StatusConflict, "conflict")
	w.acme.post(t, me, map[string]any{"mail": true}).problem(t, http.StatusConflict, "conflict")
	w.ledger.Mails()
	w.account.PublicURL = "https://chat.acme.example"
	w.acme.post(t, "/invitations", map[string]any{"email": "cleo@acme.example"}).want(t, http.StatusCreated).check(t, map[string]any{"mail_status": nil, "delivery_id": nil})
	w.acme.post(t, me, nil).want(t, http.StatusCreated).check(t, map[string]any{"mail_status": nil, "delivery_id": nil})
	made := w.acme.post(t, "/invitations", ben).want(t, http.StatusCreated).check(t, map[string]any{"mail_status": "queued", "mail_error": ""})
	if made.str("link") == "" {
		t.Errorf("%s", made.raw)
	}
	delivery := "/deliveries/" + made.str("delivery_id")
	w.acme.get(t, delivery).want(t, http.StatusOK).check(t, map[string]any{"target": "ben@acme.example", "transport": "mail", "status": "queued"})
	w.acme.post(t, me, map[string]any{"mail": true}).want(t, http.StatusCreated).check(t, map[string]any{"mail_status": "queued"})
	if _, err := w.ledger.NewRaw(`UPDATE deliveries SET status = 'dead', last_error = 'connection refused' WHERE org_id = ? AND target = 'ben@acme.example'`, w.acme.Org).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := w.acme.get(t, "/invitations").want(t, http.StatusOK); !strings.Contains(string(a.raw), `"mail_error":"connection refused"`) {
		t.Errorf("%s", a.raw)
	}
	w.rival.post(t, delivery+"/resend", nil).problem(t, http.StatusNotFound, "not_found")
	w.acme.post(t, delivery+"/resend", nil).want(t, http.StatusOK).check(t, map[string]any{"status": "queued"})
	if _, err := w.ledger.NewRaw(`UPDATE deliveries SET status = 'done' WHERE status = 'queued'`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.acme.post(t, delivery+"/resend", nil).problem(t, http.StatusConflict, "conflict") // there is a limit to how often it is mailed
	for range ledger.InvitationMailsToOne - 1 {
		w.acme.post(t, "/invitations", ben).want(t, http.StatusCreated)
		if _, err := w.ledger.NewRaw(`UPDATE deliveries SET status = 'done' WHERE status = 'queued'`).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.acme.post(t, "/invitations", ben).problem(t, http.StatusTooManyRequests, "rate_limited")
}
