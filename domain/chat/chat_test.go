package chat_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

func TestMain(m *testing.M) { ledgertest.Main(m) }

// world is a service on a database of the test's own, with one organisation in it.
type world struct {
	ledgertest.Fixture
	*chat.Service
	ledger *ledger.Ledger
}

func newWorld(t *testing.T) world {
	t.Helper()
	l := ledgertest.New(t)
	log := slog.New(slog.DiscardHandler)
	return world{ledgertest.Seed(t, l), chat.New(l, relay.New(l, log), log), l}
}

func (w world) widget(t *testing.T) domain.Widget {
	t.Helper()
	wid, err := w.ledger.WidgetByKey(t.Context(), w.Key)
	if err != nil {
		t.Fatal(err)
	}
	return wid
}

func (w world) arrive(t *testing.T, a chat.Arrival) (chat.Visitor, string, bool) {
	t.Helper()
	v, token, resumed, err := w.Arrive(t.Context(), w.widget(t), a)
	if err != nil {
		t.Fatal(err)
	}
	return v, token, resumed
}

func wantCode(t *testing.T, what string, err error, code domain.Code) {
	t.Helper()
	if err == nil || domain.CodeOf(err) != code {
		t.Errorf("%s: %v, want code %s", what, err, code)
	}
}

func TestWidgetIsOnlyForPagesThatMayEmbedIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Service.Widget(t.Context(), "wid_0000000000000000000000", "https://site.example", false)
	wantCode(t, "unknown key", err, domain.CodeUnknownWidget)
	ledgertest.Set(t, w.ledger, "widgets", w.Fixture.Widget, "allowed_origins", "{}")
	_, err = w.Service.Widget(t.Context(), w.Key, "https://site.example", false)
	wantCode(t, "empty list", err, domain.CodeOriginNotAllowed)
	if _, err = w.Service.Widget(t.Context(), w.Key, "https://chat.example", true); err != nil {
		t.Errorf("our own page: %v", err)
	}
	ledgertest.Set(t, w.ledger, "widgets", w.Fixture.Widget, "enabled", false)
	_, err = w.Service.Widget(t.Context(), w.Key, "https://chat.example", true)
	wantCode(t, "switched off", err, domain.CodeWidgetDisabled)
}

func TestReturningVisitorFindsTheirThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, token, resumed := w.arrive(t, chat.Arrival{Page: domain.Page{URL: "https://site.example/a", Title: "A"}})
	if resumed || v.Thread.ID != "" {
		t.Fatalf("a first visit resumed %v with thread %q", resumed, v.Thread.ID)
	}
	if _, _, err := w.Say(t.Context(), &v, "1", " hello "); err != nil {
		t.Fatal(err)
	}
	again, same, resumed := w.arrive(t, chat.Arrival{Token: token, Locale: "de"})
	if !resumed || same != token || again.Thread.ID != v.Thread.ID || again.Thread.LastSeq != 1 {
		t.Fatalf("came back to %+v, resumed %v", again.Thread, resumed)
	}
	s, err := w.LastVisit(t.Context(), w.Org, v.Contact.ID)
	if err != nil || s.Page.URL != "https://site.example/a" || s.Locale != "de" {
		t.Fatalf("the last visit is %+v, %v", s, err)
	}
	if _, fresh, resumed := w.arrive(t, chat.Arrival{Token: "made up"}); resumed || fresh == token {
		t.Error("a token that was never given resumed something")
	}
	ms, err := w.History(t.Context(), &again, 0, 10)
	if err != nil || len(ms) != 1 || ms[0].Content != "hello" {
		t.Fatal(ms, err)
	}
}

func TestTokensAreGoodForTheirWidgetWhileTheyLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, token, _ := w.arrive(t, chat.Arrival{})
	other := ledgertest.Seed(t, w.ledger)
	wid, err := w.ledger.WidgetByKey(t.Context(), other.Key)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Visitor(t.Context(), wid, token)
	wantCode(t, "another organisation's widget", err, domain.CodeSessionExpired)
	_, err = w.Visitor(t.Context(), w.widget(t), "")
	wantCode(t, "no token", err, domain.CodeUnauthorized)
	ledgertest.Set(t, w.ledger, "sessions", v.Session.ID, "expires_at", time.Now().Add(-time.Second))
	_, err = w.Visitor(t.Context(), w.widget(t), token)
	wantCode(t, "an expired token", err, domain.CodeSessionExpired)
}

func TestSayRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, _, _ := w.arrive(t, chat.Arrival{})
	for _, tt := range []struct {
		name, id, content string
		code              domain.Code
	}{
		{"nothing", "1", "", domain.CodeEmptyContent},
		{"blank", "1", " \n\t\u00a0", domain.CodeEmptyContent},
		{"NULs alone", "1", "\x00\x00", domain.CodeEmptyContent},
		{"too much", "1", strings.Repeat("é", 4001), domain.CodeTooLong},
		{"no client id", "", "hello", domain.CodeBadField},
		{"a long client id", strings.Repeat("x", 65), "hello", domain.CodeBadField},
		{"a NUL in the client id", "a\x00", "hello", domain.CodeBadField},
	} {
		_, _, err := w.Say(t.Context(), &v, tt.id, tt.content)
		wantCode(t, tt.name, err, tt.code)
	}
	if _, _, err := w.Say(t.Context(), &v, strings.Repeat("é", 64), strings.Repeat("é", 4000)); err != nil {
		t.Error(err)
	}
	ledgertest.Set(t, w.ledger, "widgets", w.Fixture.Widget, "require_identity", true)
	stranger, _, _ := w.arrive(t, chat.Arrival{})
	_, _, err := w.Say(t.Context(), &stranger, "1", "hello")
	wantCode(t, "a stranger where identity is required", err, domain.CodeIdentityInvalid)
	wantCode(t, "their wish for a person", w.AskForPerson(t.Context(), &stranger), domain.CodeIdentityInvalid)
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.ledger.SetIdentitySecret(t.Context(), w.Org, w.Fixture.Widget, "hush", time.Time{}); err != nil {
		t.Fatal(err)
	}
	ledgertest.Set(t, w.ledger, "widgets", w.Fixture.Widget, "require_identity", true)
	now := time.Now().Unix()
	signed := func(user, name string) *chat.Identity {
		return &chat.Identity{UserID: user, Name: name, Timestamp: now, Signature: domain.SignIdentity("hush", user, now)}
	}
	forged := signed("u1", "Mallory")
	forged.UserID = "u2"
	_, _, _, err := w.Arrive(t.Context(), w.widget(t), chat.Arrival{Identity: forged})
	wantCode(t, "a forged identity", err, domain.CodeIdentityInvalid)

	v, token, _ := w.arrive(t, chat.Arrival{})
	stub := v.Contact.ID
	if err := w.Identify(t.Context(), &v, *signed("u1", "Mia")); err != nil {
		t.Fatal(err)
	}
	if v.Contact.ID != stub || v.Contact.Name != "Mia" || v.Contact.Stub || !v.Session.Identified {
		t.Fatalf("the stub became %+v", v.Contact)
	}
	if _, _, err := w.Say(t.Context(), &v, "1", "hello"); err != nil {
		t.Fatal(err)
	}
	elsewhere, _, _ := w.arrive(t, chat.Arrival{Identity: signed("u1", "")})
	if elsewhere.Contact.ID != stub || elsewhere.Contact.Name != "Mia" || elsewhere.Thread.ID != v.Thread.ID {
		t.Fatalf("on another device they are %+v in thread %s", elsewhere.Contact, elsewhere.Thread.ID)
	}
	back, _, resumed := w.arrive(t, chat.Arrival{Token: token})
	if !resumed || !back.Session.Identified {
		t.Error("the identity did not stay with the session")
	}
}

func TestInboxPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const threads = 7
	for i := range threads {
		v, _, _ := w.arrive(t, chat.Arrival{})
		if err := w.Introduces(t.Context(), &v, chat.Form{Name: fmt.Sprintf("Mia %d%%", i)}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.Say(t.Context(), &v, "1", fmt.Sprintf("question %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, resumed := w.arrive(t, chat.Arrival{}); resumed { // somebody who says nothing is in nobody's inbox
		t.Fatal()
	}
	var names []string
	q := chat.InboxQuery{Limit: 3}
	for {
		cs, next, err := w.Inbox(t.Context(), w.Org, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cs {
			names = append(names, c.ContactName)
		}
		if q.Cursor = next; next == "" {
			break
		}
	}
	if got, want := fmt.Sprint(names), "[Mia 6% Mia 5% Mia 4% Mia 3% Mia 2% Mia 1% Mia 0%]"; got != want {
		t.Fatalf("paged through %s, want %s", got, want)
	}
	for query, want := range map[string]int{"question 3": 1, "QUESTION": threads, "5%": 1, "%": threads, "_": 0, "nobody": 0} {
		cs, _, err := w.Inbox(t.Context(), w.Org, chat.InboxQuery{Query: query})
		if err != nil || len(cs) != want {
			t.Errorf("searching %q found %d, %v; want %d", query, len(cs), err, want)
		}
	}
	for name, q := range map[string]chat.InboxQuery{
		"waiting": {Handling: []domain.Handling{domain.HandlingWaiting}}, "mine": {Assignee: w.User.ID}, "another channel": {Channel: "sms"},
	} {
		if cs, _, err := w.Inbox(t.Context(), w.Org, q); err != nil || len(cs) != 0 {
			t.Errorf("%s: %d, %v", name, len(cs), err)
		}
	}
	_, _, err := w.Inbox(t.Context(), w.Org, chat.InboxQuery{Cursor: "nonsense"})
	wantCode(t, "a made-up cursor", err, domain.CodeBadField)
	tally, err := w.Tally(t.Context(), w.User)
	if err != nil || tally.Handling[domain.HandlingAgent] != threads || tally.Mine != 0 {
		t.Fatalf("%+v %v", tally, err)
	}
}

func TestTeamStaysInItsOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, _, _ := w.arrive(t, chat.Arrival{})
	if _, _, err := w.Say(t.Context(), &v, "1", "hello"); err != nil {
		t.Fatal(err)
	}
	rival := ledgertest.Seed(t, w.ledger).User
	id := v.Thread.ID
	tries := map[string]func() error{
		"reply":        func() error { _, _, err := w.Reply(t.Context(), rival, id, "1", "hi"); return err },
		"note":         func() error { _, _, err := w.AddNote(t.Context(), rival, id, "hm"); return err },
		"take over":    func() error { _, err := w.TakeOver(t.Context(), rival, id); return err },
		"hand back":    func() error { _, err := w.HandBack(t.Context(), rival, id); return err },
		"release":      func() error { _, err := w.Release(t.Context(), rival, id); return err },
		"close":        func() error { _, err := w.Close(t.Context(), rival, id); return err },
		"read":         func() error { return w.Read(t.Context(), rival, id, 1) },
		"write":        func() error { return w.Writes(t.Context(), rival, id, true) },
		"labels":       func() error { return w.Revise(t.Context(), rival, id, labelled("x")) },
		"conversation": func() error { _, err := w.Conversation(t.Context(), rival.OrgID, id); return err },
		"messages":     func() error { _, err := w.Messages(t.Context(), rival.OrgID, id, 0, 10); return err },
		"timeline":     func() error { _, err := w.Timeline(t.Context(), rival.OrgID, id); return err },
		"contact":      func() error { _, err := w.Service.Contact(t.Context(), rival.OrgID, v.Contact.ID); return err },
		"visit":        func() error { _, err := w.LastVisit(t.Context(), rival.OrgID, v.Contact.ID); return err },
	}
	for name, try := range tries {
		if err := try(); domain.KindOf(err) != domain.NotFound {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	th, err := w.ledger.Thread(t.Context(), w.Org, id)
	if err != nil || th.LastSeq != 1 || th.Epoch != 1 || th.Notes != 0 || len(th.Labels) != 0 {
		t.Fatalf("a rival changed the thread: %+v %v", th, err)
	}
}

func TestTeamWorksAThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, _, _ := w.arrive(t, chat.Arrival{})
	if _, _, err := w.Say(t.Context(), &v, "1", "hello"); err != nil {
		t.Fatal(err)
	}
	m, duplicate, err := w.Reply(t.Context(), w.User, v.Thread.ID, "r1", "hi")
	if err != nil || duplicate || m.Seq != 2 {
		t.Fatal(m, duplicate, err)
	}
	again, duplicate, err := w.Reply(t.Context(), w.User, v.Thread.ID, "r1", "hi")
	if err != nil || !duplicate || again.ID != m.ID {
		t.Fatal(again, duplicate, err)
	}
	if err := w.Revise(t.Context(), w.User, v.Thread.ID, labelled("vip", "a,b")); err != nil {
		t.Fatal(err)
	}
	c, err := w.Conversation(t.Context(), w.Org, v.Thread.ID)
	if err != nil || c.Handling != domain.HandlingHuman || c.AssigneeName != "Anna" || c.LastContent != "hi" || fmt.Sprint(c.Labels) != "[vip a,b]" || c.Unread() != 0 {
		t.Fatalf("%+v %v", c, err)
	}
	if th, err := w.Close(t.Context(), w.User, v.Thread.ID); err != nil || th.Handling != domain.HandlingClosed {
		t.Fatal(th, err)
	}
	if err := w.Rate(t.Context(), &v, 6, ""); domain.CodeOf(err) != domain.CodeBadField {
		t.Error(err)
	}
	if err := w.Rate(t.Context(), &v, 5, "kind"); err != nil {
		t.Error(err)
	}
	if err := w.Saw(t.Context(), &v, 2); err != nil {
		t.Error(err)
	}
}

func TestAskingForAPersonFirstIsSeenByTheTeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, _, _ := w.arrive(t, chat.Arrival{})
	if err := w.AskForPerson(t.Context(), &v); err != nil {
		t.Fatal(err)
	}
	cs, _, err := w.Inbox(t.Context(), w.Org, chat.InboxQuery{Handling: []domain.Handling{domain.HandlingWaiting}})
	if err != nil || len(cs) != 1 || cs[0].Begun() {
		t.Fatal(cs, err)
	}
	tally, err := w.Tally(t.Context(), w.User)
	if err != nil || tally.Handling[domain.HandlingWaiting] != 1 {
		t.Fatal(tally, err)
	}
}

func TestWhoWantsAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said := func() domain.ThreadID {
		v, _, _ := w.arrive(t, chat.Arrival{})
		if _, _, err := w.Say(t.Context(), &v, "1", "hello"); err != nil {
			t.Fatal(err)
		}
		return v.Thread.ID
	}
	asked := said() // its agent has a turn to come
	ledgertest.Set(t, w.ledger, "agents", w.Fixture.Agent, "enabled", false)
	left := said() // nobody will answer this one
	list := func(q chat.InboxQuery) (ids []domain.ThreadID) {
		cs, _, err := w.Inbox(t.Context(), w.Org, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cs {
			ids = append(ids, c.ID)
			if c.Unanswered != (c.ID == left) {
				t.Errorf("thread %s: unanswered %v", c.ID, c.Unanswered)
			}
		}
		return ids
	}
	if got := list(chat.InboxQuery{Waiting: true}); fmt.Sprint(got) != fmt.Sprint([]domain.ThreadID{left}) {
		t.Errorf("waiting: %v", got)
	}
	if got := list(chat.InboxQuery{Served: true}); fmt.Sprint(got) != fmt.Sprint([]domain.ThreadID{asked}) {
		t.Errorf("served: %v", got)
	}
	tally, err := w.Tally(t.Context(), w.User)
	if err != nil || tally.Waiting != 1 || tally.Served != 1 {
		t.Fatalf("%+v %v", tally, err)
	}
	if n, err := w.Unseen(t.Context(), w.Org); n != 1 || err != nil {
		t.Fatalf("%d unseen, %v", n, err)
	}
	if _, _, err := w.Reply(t.Context(), w.User, left, "r", "hi"); err != nil {
		t.Fatal(err)
	}
	if got := list(chat.InboxQuery{Waiting: true}); len(got) != 0 {
		t.Errorf("after the reply still waiting: %v", got)
	}
}

func labelled(labels ...string) func(domain.Thread, string) (chat.Move, error) {
	return func(domain.Thread, string) (chat.Move, error) { return chat.Move{Labels: labels}, nil }
}
