package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

const sentence = "a sentence is easier to keep"

// team is an organisation with an owner, Anna.
func team(t *testing.T) (*account.Service, domain.User, func(sql string, args ...any)) {
	t.Helper()
	return teamOn(t, ledgertest.New(t))
}

func teamOn(t *testing.T, l *ledger.Ledger) (*account.Service, domain.User, func(sql string, args ...any)) {
	t.Helper()
	s := account.New(l)
	anna, err := s.CreateOwner(t.Context(), "acme", account.Owner{Name: "Anna", Email: "anna@acme.example", Password: sentence})
	if err != nil {
		t.Fatal(err)
	}
	return s, anna, func(sql string, args ...any) {
		t.Helper()
		if _, err := l.DB().ExecContext(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInvitationsAreUsedOnce(t *testing.T) {
	t.Parallel()
	s, anna, _ := team(t)
	ctx := t.Context()
	token, made, err := s.Invite(ctx, anna.OrgID, anna.ID, " Ben@Acme.example ", domain.RoleMember, account.ByLink)
	if err != nil || made.Email != "ben@acme.example" || time.Until(made.ExpiresAt) < account.InvitationLifetime-time.Hour {
		t.Fatalf("%+v %v", made, err)
	}
	in, err := s.Invited(ctx, token)
	if err != nil || in.Organisation != "acme" || in.Invitation.Email != made.Email || in.Name != "" {
		t.Fatalf("%+v %v", in, err)
	}
	if _, err := s.Accept(ctx, token, " ", "short"); domain.KindOf(err) != domain.Invalid {
		t.Errorf("neither name nor password: %v", err)
	}
	var joined, refused int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_, err := s.Accept(ctx, token, "Ben", sentence)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				joined++
			case domain.KindOf(err) == domain.NotFound:
				refused++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if joined != 1 || refused != 3 {
		t.Errorf("%d joined, %d were refused", joined, refused)
	}
	_, ben, err := s.SignIn(ctx, "ben@acme.example", sentence)
	if err != nil || ben.OrgID != anna.OrgID || ben.Role != domain.RoleMember || ben.Name != "Ben" {
		t.Errorf("%+v %v", ben, err)
	}
	if left, err := s.Invitations(ctx, anna.OrgID); err != nil || len(left) != 0 {
		t.Errorf("%v %v", left, err)
	}
}

func TestLinksThatWorkNoLonger(t *testing.T) {
	t.Parallel()
	s, anna, exec := team(t)
	ctx := t.Context()
	invite := func(email string) (string, domain.Invitation) {
		t.Helper()
		token, i, err := s.Invite(ctx, anna.OrgID, anna.ID, email, domain.RoleMember, account.ByLink)
		if err != nil {
			t.Fatal(err)
		}
		return token, i
	}
	replaced, _ := invite("ben@acme.example")
	again, made := invite("ben@acme.example")
	renewed, later, err := s.InviteAgain(ctx, anna.OrgID, anna.ID, made.ID, account.ByLink)
	if err != nil {
		t.Fatal(err)
	}
	if renewed != again || later.ID != made.ID || !later.ExpiresAt.After(made.ExpiresAt) {
		t.Errorf("asked again: another link, or no more time: %+v", later)
	}
	withdrawn, w := invite("cleo@acme.example")
	if err := s.Withdraw(ctx, anna.OrgID, w.ID); err != nil {
		t.Fatal(err)
	}
	over, o := invite("dora@acme.example")
	exec(`UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = ?`, string(o.ID))
	for name, token := range map[string]string{"replaced": replaced, "withdrawn": withdrawn, "over": over, "none": "", "made up": strings.Repeat("A", 43)} {
		if _, err := s.Invited(ctx, token); domain.KindOf(err) != domain.NotFound {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Accept(ctx, token, "Eve", sentence); domain.KindOf(err) != domain.NotFound {
			t.Errorf("%s, used: %v", name, err)
		}
	}
	if _, err := s.Accept(ctx, renewed, "Ben", sentence); err != nil {
		t.Errorf("the one that counts: %v", err)
	}
	if _, _, err := s.InviteAgain(ctx, anna.OrgID, anna.ID, made.ID, account.ByLink); domain.KindOf(err) != domain.NotFound {
		t.Errorf("one that was used, again: %v", err)
	}
	if back, _, err := s.InviteAgain(ctx, anna.OrgID, anna.ID, o.ID, account.ByLink); err != nil || back != over {
		t.Errorf("more time for one that was over: %v", err)
	} else if _, err := s.Invited(ctx, over); err != nil {
		t.Errorf("one that was over and has more time: %v", err)
	}
	for _, email := range []string{"ben@acme.example", "ANNA@acme.example"} {
		if _, _, err := s.Invite(ctx, anna.OrgID, anna.ID, email, domain.RoleMember, account.ByLink); domain.KindOf(err) != domain.Conflict {
			t.Errorf("%s has a login: %v", email, err)
		}
	}
	for _, bad := range [][2]string{{"anna", "member"}, {"", "member"}, {"eve@acme.example", "king"}} {
		if _, _, err := s.Invite(ctx, anna.OrgID, anna.ID, bad[0], domain.Role(bad[1]), account.ByLink); domain.KindOf(err) != domain.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Another organisation's people and invitations do not exist.
func TestTeamsAreApart(t *testing.T) {
	t.Parallel()
	s, anna, _ := team(t)
	ctx := t.Context()
	eve, err := s.CreateOwner(ctx, "evil", account.Owner{Name: "Eve", Email: "eve@evil.example", Password: sentence})
	if err != nil {
		t.Fatal(err)
	}
	_, made, err := s.Invite(ctx, anna.OrgID, anna.ID, "ben@acme.example", domain.RoleMember, account.ByLink)
	if err != nil {
		t.Fatal(err)
	}
	_, _, again := s.InviteAgain(ctx, eve.OrgID, eve.ID, made.ID, account.ByLink)
	_, _, back := s.InviteBack(ctx, eve.OrgID, eve.ID, anna.ID, account.ByLink)
	for name, err := range map[string]error{
		"withdraw": s.Withdraw(ctx, eve.OrgID, made.ID), "again": again, "back": back,
		"role": s.SetRole(ctx, eve.OrgID, anna.ID, domain.RoleMember), "remove": s.RemoveUser(ctx, eve.OrgID, anna.ID),
	} {
		if domain.KindOf(err) != domain.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if is, err := s.Invitations(ctx, eve.OrgID); err != nil || len(is) != 0 {
		t.Errorf("%v %v", is, err)
	}
}

func TestAnotherPasswordEndsSignIns(t *testing.T) {
	t.Parallel()
	s, anna, _ := team(t)
	ctx := t.Context()
	in := func(password string) string {
		t.Helper()
		token, _, err := s.SignIn(ctx, anna.Email, password)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	here, there := in(sentence), in(sentence)
	for password, field := range map[string]string{"another sentence": "current", "short": "password"} {
		var e *domain.Error
		if err := s.ChangePassword(ctx, anna, here, "not my password", password); !errors.As(err, &e) || e.Fields[field] == "" {
			t.Errorf("%q: %v", password, err)
		}
	}
	if err := s.ChangePassword(ctx, anna, here, sentence, "another sentence"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PeekMember(ctx, here); err != nil {
		t.Errorf("where it was changed: %v", err)
	}
	if _, err := s.PeekMember(ctx, there); domain.KindOf(err) != domain.Unauthenticated {
		t.Errorf("elsewhere: %v", err)
	}
	token, _, err := s.InviteBack(ctx, anna.OrgID, anna.ID, anna.ID, account.ByLink)
	if err != nil {
		t.Fatal(err)
	}
	in("another sentence") // it goes on until the link is used
	if email, err := s.Accept(ctx, token, "", "a third sentence"); err != nil || email != anna.Email {
		t.Fatal(email, err)
	}
	if _, err := s.PeekMember(ctx, here); domain.KindOf(err) != domain.Unauthenticated {
		t.Errorf("after the link was used: %v", err)
	}
	in("a third sentence")
	if _, err := s.ResetPassword(ctx, "ANNA@acme.example", "a fourth sentence"); err != nil {
		t.Fatal(err)
	}
	in("a fourth sentence")
	if _, err := s.ResetPassword(ctx, "nobody@acme.example", sentence); domain.KindOf(err) != domain.NotFound {
		t.Errorf("of nobody: %v", err)
	}
}

// However many try at once, somebody owns the organisation: otherwise whoever comes next could set it up as theirs.
func TestThereIsAlwaysAnOwner(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	s, anna, _ := teamOn(t, l)
	ctx := t.Context()
	for name, err := range map[string]error{"demoted": s.SetRole(ctx, anna.OrgID, anna.ID, domain.RoleMember), "removed": s.RemoveUser(ctx, anna.OrgID, anna.ID)} {
		if domain.KindOf(err) != domain.Conflict {
			t.Errorf("the last one %s: %v", name, err)
		}
	}
	ben, err := s.CreateOwner(ctx, "acme", account.Owner{Name: "Ben", Email: "ben@acme.example", Password: sentence})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := s.Invite(ctx, anna.OrgID, ben.ID, "cleo@acme.example", domain.RoleOwner, account.ByLink)
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	errs := make([]error, 2)
	gate, err := l.DB().BeginTx(ctx, nil) // until it is open both wait, so that they go on together
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gate.ExecContext(ctx, `SELECT id FROM users FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	for n, do := range []func() error{
		func() error { return s.RemoveUser(ctx, anna.OrgID, ben.ID) },
		func() error { return s.SetRole(ctx, anna.OrgID, anna.ID, domain.RoleMember) },
	} {
		both.Go(func() { errs[n] = do() })
	}
	for waiting, late := 0, time.Now().Add(10*time.Second); waiting < 2 && time.Now().Before(late); {
		if err := l.DB().QueryRowContext(ctx, `SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := gate.Rollback(); err != nil {
		t.Fatal(err)
	}
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("of two who make room for each other: %v", errs)
	}
	if has, err := s.HasOwner(ctx); err != nil || !has {
		t.Error("nobody owns it", err)
	}
	if errs[0] == nil { // whoever is gone invites nobody any more
		if _, err := s.Invited(ctx, token); domain.KindOf(err) != domain.NotFound {
			t.Errorf("an invitation of somebody who is gone: %v", err)
		}
	}
}

// Whoever invites chooses who gets mail from this server: there is a limit to it, also for several at once.
func TestInvitationMailsAreLimited(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	s, anna, exec := teamOn(t, l)
	ctx := t.Context()
	mail := func(email string) error {
		_, _, err := s.Invite(ctx, anna.OrgID, anna.ID, email, domain.RoleMember, account.ByMail)
		return err
	}
	if err := mail("ben@acme.example"); domain.KindOf(err) != domain.Conflict {
		t.Errorf("no way to send mail: %v", err)
	}
	l.Mails()
	if err := mail("ben@acme.example"); domain.KindOf(err) != domain.Conflict {
		t.Errorf("nowhere for a link to lead: %v", err)
	}
	if is, err := s.Invitations(ctx, anna.OrgID); err != nil || len(is) != 0 {
		t.Fatalf("refused, and yet there: %v %v", is, err)
	}
	s.PublicURL = "https://chat.acme.example"
	sent := func() { t.Helper(); exec(`UPDATE deliveries SET status = 'done'`) }
	throttled := func(what string, err error, within time.Duration) {
		t.Helper()
		var e *domain.Error
		if !errors.As(err, &e) || e.Kind != domain.Throttled || e.RetryAfter <= 0 || e.RetryAfter > within {
			t.Errorf("%s: %v", what, err)
		}
	}
	for range ledger.InvitationMailsToOne {
		if err := mail("ben@acme.example"); err != nil {
			t.Fatal(err)
		}
		sent()
	}
	throttled("to one address", mail("ben@acme.example"), time.Hour)
	is, err := s.Invitations(ctx, anna.OrgID)
	if err != nil || len(is) != 1 || is[0].Mail == nil || is[0].Mail.Status != "done" {
		t.Fatalf("%+v %v", is, err)
	}
	_, _, again := s.InviteAgain(ctx, anna.OrgID, anna.ID, is[0].ID, account.ByMail)
	throttled("again to one address", again, time.Hour)
	if err := s.Withdraw(ctx, anna.OrgID, is[0].ID); err != nil { // what was mailed stays mailed
		t.Fatal(err)
	}
	throttled("withdrawn and invited anew", mail("ben@acme.example"), time.Hour)
	if _, _, err := s.Invite(ctx, anna.OrgID, anna.ID, "ben@acme.example", domain.RoleMember, account.ByLink); err != nil {
		t.Errorf("a link instead: %v", err)
	}

	var refused atomic.Int32
	var all sync.WaitGroup
	for n := range ledger.InvitationMailsHourly {
		all.Go(func() {
			switch err := mail(fmt.Sprintf("nr%d@acme.example", n)); {
			case domain.KindOf(err) == domain.Throttled:
				refused.Add(1)
			case err != nil:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if refused.Load() != ledger.InvitationMailsToOne {
		t.Errorf("%d were refused, want %d", refused.Load(), ledger.InvitationMailsToOne)
	}
	eve, err := s.CreateOwner(ctx, "evil", account.Owner{Name: "Eve", Email: "eve@evil.example", Password: sentence})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Invite(ctx, eve.OrgID, eve.ID, "cleo@evil.example", domain.RoleMember, account.ByMail); err != nil {
		t.Errorf("another organisation pays for it: %v", err)
	}
	exec(`UPDATE deliveries SET created_at = created_at - interval '59 minutes'`)
	throttled("too many of an organisation", mail("last@acme.example"), time.Minute)
	exec(`UPDATE deliveries SET created_at = created_at - interval '2 minutes'`)
	if err := mail("last@acme.example"); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

func TestOpenInvitationsAreLimited(t *testing.T) {
	t.Parallel()
	s, anna, exec := team(t)
	ctx := t.Context()
	exec(`INSERT INTO invitations (id, org_id, email, role, token_hash, created_at, expires_at)
SELECT gen_random_uuid(), ?, 'nr' || n || '@acme.example', 'member', n::text::bytea, now(), now() + interval '1 day' FROM generate_series(1, ?) AS n`, string(anna.OrgID), ledger.InvitationsAtOnce)
	if _, _, err := s.Invite(ctx, anna.OrgID, anna.ID, "one@acme.example", domain.RoleMember, account.ByLink); domain.KindOf(err) != domain.Conflict {
		t.Errorf("one more: %v", err)
	}
	_, made, err := s.Invite(ctx, anna.OrgID, anna.ID, "nr7@acme.example", domain.RoleMember, account.ByLink)
	if err != nil {
		t.Errorf("one of them anew: %v", err)
	}
	if err := s.Withdraw(ctx, anna.OrgID, made.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Invite(ctx, anna.OrgID, anna.ID, "one@acme.example", domain.RoleMember, account.ByLink); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}
