package ledgertest

import (
	"context"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Fixture is an organisation with a member of the team, an agent, a widget bound to it, and a visitor who has a thread.
type Fixture struct {
	Org     domain.OrgID
	User    domain.User
	Agent   domain.AgentID
	Widget  domain.WidgetID
	Key     string // the widget's
	Contact domain.ContactID
	Session domain.Session
	Thread  domain.ThreadID
}

// Seed writes a fixture. Its agent waits for no further lines (settle 0), its widget allows every origin and a thousand lines a second.
func Seed(t testing.TB, l *ledger.Ledger) Fixture {
	t.Helper()
	f := Fixture{
		Org: ledger.NewID[domain.OrgID](), Agent: ledger.NewID[domain.AgentID](), Widget: ledger.NewID[domain.WidgetID](),
		Contact: ledger.NewID[domain.ContactID](),
	}
	f.Key = "wid_" + string(f.Widget)[14:18] + string(f.Widget)[19:23] + string(f.Widget)[24:36] + "aa"
	f.User = domain.User{ID: ledger.NewID[domain.UserID](), OrgID: f.Org, Email: string(f.Org) + "@example.com", Name: "Anna", Role: domain.RoleOwner}
	f.Session = domain.Session{ID: ledger.NewID[domain.SessionID](), OrgID: f.Org, WidgetID: f.Widget, ContactID: f.Contact}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := l.NewRaw(sql, args...).Exec(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO organisations (id, name, slug) VALUES (?0, 'Acme', ?0::text)`, f.Org)
	exec(`INSERT INTO users (id, org_id, email, name, role, password_hash) VALUES (?, ?, ?, ?, ?, 'none')`,
		f.User.ID, f.Org, f.User.Email, f.User.Name, f.User.Role)
	exec(`INSERT INTO agents (id, org_id, name, kind, enabled, send_mode, settle_ms, max_attempts) VALUES (?, ?, 'Ada', 'builtin', true, 'autonomous', 0, 3)`,
		f.Agent, f.Org)
	exec(`INSERT INTO widgets (id, org_id, key, name, enabled, agent_id, webchat_enabled, allowed_origins, daily_cap, rate_messages, rate_window_secs, fallback_text)
VALUES (?, ?, ?, 'Shop', true, ?, true, '{*}', 0, 1000, 1, 'A person will take a look.')`, f.Widget, f.Org, f.Key, f.Agent)
	exec(`INSERT INTO contacts (id, org_id, stub) VALUES (?, ?, true)`, f.Contact, f.Org)
	exec(`INSERT INTO sessions (id, org_id, widget_id, contact_id, token_hash, expires_at) VALUES (?0, ?1, ?2, ?3, ?0::text::bytea, now() + interval '1 day')`,
		f.Session.ID, f.Org, f.Widget, f.Contact)
	thread, err := l.EnsureThread(t.Context(), f.Session)
	if err != nil {
		t.Fatal(err)
	}
	f.Thread = thread.ID
	return f
}

// Set changes one row of a table by hand, as in Set(t, l, "widgets", f.Widget, "webchat_enabled", false).
func Set(t testing.TB, l *ledger.Ledger, table string, id any, column string, value any) {
	t.Helper()
	if _, err := l.NewRaw("UPDATE "+table+" SET "+column+" = ? WHERE id = ?", value, id).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}
