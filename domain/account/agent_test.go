package account_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
)

func ada() account.AgentInput {
	return account.AgentInput{
		Name: " Ada ", Kind: domain.AgentBuiltin, Enabled: true, SendMode: domain.Autonomous, SettleMS: 800, MaxAttempts: 3,
		Config: json.RawMessage(`{"greeting":"Hello!"}`),
	}
}

func external() account.AgentInput {
	in := ada()
	in.Name, in.Kind = "Outside", domain.AgentWebSocket
	in.Config = json.RawMessage(`{"url":"wss://agent.example/chat","headers":{"Authorization":"Bearer hunter2"}}`)
	return in
}

func TestAgentLife(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	a, err := s.CreateAgent(t.Context(), s.org, ada())
	if err != nil {
		t.Fatal(err)
	}
	if a.Name != "Ada" || !a.Enabled || a.SendMode != domain.Autonomous || a.SettleMS != 800 || a.MaxAttempts != 3 || a.CreatedAt.IsZero() || a.UpdatedAt.IsZero() {
		t.Errorf("made %+v", a)
	}
	stored, err := s.Agent(t.Context(), s.org, a.ID)
	if err != nil || string(stored.DisplayConfig()) != string(a.DisplayConfig()) || stored.Name != a.Name || !stored.CreatedAt.Equal(a.CreatedAt) {
		t.Errorf("stored %+v, %v; want %+v", stored, err, a)
	}

	in := ada()
	in.Name, in.Enabled, in.SendMode, in.SettleMS, in.MaxAttempts, in.Config = "Bea", false, domain.Suggest, 0, 1, nil
	changed, err := s.UpdateAgent(t.Context(), s.org, a.ID, in)
	if err != nil {
		t.Fatal(err)
	}
	stored = must[domain.Agent](t)(s.Agent(t.Context(), s.org, a.ID))
	if stored.Name != "Bea" || stored.Enabled || stored.SendMode != domain.Suggest || stored.SettleMS != 0 || stored.MaxAttempts != 1 {
		t.Errorf("stored %+v", stored)
	}
	if c, err := domain.ParseBuiltinConfig(stored.Config); err != nil || c.Greeting != "Hello!" {
		t.Errorf("a change without a config left %s, %v", stored.Config, err)
	}
	if !stored.CreatedAt.Equal(a.CreatedAt) || !stored.UpdatedAt.After(a.UpdatedAt) || !stored.UpdatedAt.Equal(changed.UpdatedAt) {
		t.Errorf("created %v, updated %v", stored.CreatedAt, stored.UpdatedAt)
	}

	second := must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, external()))
	if as, err := s.Agents(t.Context(), s.org); err != nil || len(as) != 2 || as[0].ID != a.ID || as[1].ID != second.ID {
		t.Errorf("agents %+v, %v; want the older first", as, err)
	}
	if err := s.DeleteAgent(t.Context(), s.org, a.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.Agent(t.Context(), s.org, a.ID)
	wantKind(t, err, domain.NotFound)
	wantKind(t, s.DeleteAgent(t.Context(), s.org, a.ID), domain.NotFound)
}

func TestAgentSecretsAreSealedAndKept(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	a, err := s.CreateAgent(t.Context(), s.org, external())
	if err != nil {
		t.Fatal(err)
	}
	row := scan[string](t, s.ledger, `SELECT agents::text || encode(secrets, 'escape') FROM agents`)
	if strings.Contains(row, "hunter2") || strings.Contains(row, "Authorization") {
		t.Errorf("the row has the secret: %s", row)
	}
	if sealed := scan[[]byte](t, s.ledger, `SELECT secrets FROM agents`); len(sealed) < 30 || bytes.Contains(sealed, []byte("hunter2")) {
		t.Errorf("the secrets are stored as %q", sealed)
	}
	header := func() string {
		t.Helper()
		return must[domain.Agent](t)(s.Agent(t.Context(), s.org, a.ID)).Headers()["Authorization"]
	}
	if header() != "Bearer hunter2" {
		t.Errorf("the header comes back as %q", header())
	}
	tests := []struct{ name, config, want string }{
		{"no config", ``, "Bearer hunter2"},
		{"config without headers", `{"timeout_seconds":5}`, "Bearer hunter2"},
		{"masked, as it was shown", string(a.DisplayConfig()), "Bearer hunter2"},
		{"blank", `{"headers":{"Authorization":""}}`, "Bearer hunter2"},
		{"another", `{"headers":{"Authorization":"Bearer swordfish"}}`, "Bearer swordfish"},
		{"none", `{"headers":{}}`, ""},
	}
	for _, tt := range tests {
		in := external()
		in.Config = json.RawMessage(tt.config)
		if tt.config == "" {
			in.Config = nil
		}
		if _, err := s.UpdateAgent(t.Context(), s.org, a.ID, in); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if header() != tt.want {
			t.Errorf("%s: the header is %q, want %q", tt.name, header(), tt.want)
		}
	}
	if _, err := s.UpdateAgent(t.Context(), s.org, a.ID, external()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateAgent(t.Context(), s.org, a.ID, ada()); err != nil {
		t.Fatal(err)
	}
	if scan[int](t, s.ledger, `SELECT count(*) FROM agents WHERE secrets IS NOT NULL`) != 0 {
		t.Error("another kind kept the secrets")
	}
}

func TestAgentSecretsFitTheirAgentOnly(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, external()))
	thief := must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, external()))
	exec(t, s.ledger, `UPDATE agents SET secrets = (SELECT secrets FROM agents WHERE id <> ?0) WHERE id = ?0`, thief.ID)
	_, err := s.Agent(t.Context(), s.org, thief.ID)
	wantKind(t, err, domain.Internal)
	if _, err := s.Agents(t.Context(), s.org); err == nil {
		t.Error("listed with foreign secrets")
	}
	if err := s.DeleteAgent(t.Context(), s.org, thief.ID); err != nil {
		t.Errorf("cannot be deleted: %v", err)
	}
}

func TestAgentRules(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	stored := must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, external()))
	tests := []struct {
		name   string
		spoil  func(*account.AgentInput)
		fields []string
	}{
		{"no name", func(in *account.AgentInput) { in.Name = "  " }, []string{"name"}},
		{"unknown kind", func(in *account.AgentInput) { in.Kind = "oracle" }, []string{"kind"}},
		{"unknown mode", func(in *account.AgentInput) { in.SendMode = "shout" }, []string{"send_mode"}},
		{"settle", func(in *account.AgentInput) { in.SettleMS = -1 }, []string{"settle_ms"}},
		{"attempts", func(in *account.AgentInput) { in.MaxAttempts = 0 }, []string{"max_attempts"}},
		{"no URL", func(in *account.AgentInput) { in.Config = json.RawMessage(`{"url":""}`) }, []string{"config.url"}},
		{"no object", func(in *account.AgentInput) { in.Config = json.RawMessage(`[]`) }, []string{"config"}},
		{"several", func(in *account.AgentInput) { in.Name, in.SettleMS = "", 99999 }, []string{"name", "settle_ms"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := external()
			tt.spoil(&in)
			if tt.name != "no object" { // over nothing, the URL would be missing too
				_, err := s.CreateAgent(t.Context(), s.org, in)
				wantProblems(t, err, tt.fields...)
			}
			a, err := s.UpdateAgent(t.Context(), s.org, stored.ID, in)
			if wantProblems(t, err, tt.fields...); a.ID != "" {
				t.Errorf("a failed change answers %+v", a)
			}
		})
	}
	if n := scan[int](t, s.ledger, `SELECT count(*) FROM agents WHERE name = 'Outside' AND updated_at = ?`, stored.UpdatedAt); n != 1 {
		t.Error("a refused change was stored")
	}
}

func TestAgentsOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	a := must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, ada()))
	other := newOrg(t, s.ledger, "other")
	_, err := s.Agent(t.Context(), other, a.ID)
	wantKind(t, err, domain.NotFound)
	_, err = s.UpdateAgent(t.Context(), other, a.ID, ada())
	wantKind(t, err, domain.NotFound)
	wantKind(t, s.DeleteAgent(t.Context(), other, a.ID), domain.NotFound)
	if as, err := s.Agents(t.Context(), other); err != nil || as == nil || len(as) != 0 {
		t.Errorf("the other organisation sees %v, %v", as, err)
	}
	if uses, err := s.AgentUses(t.Context(), other); err != nil || len(uses) != 0 {
		t.Errorf("the other organisation sees %v, %v", uses, err)
	}
	if _, err := s.Agent(t.Context(), s.org, a.ID); err != nil {
		t.Errorf("the agent is gone: %v", err)
	}
}

func TestAgentUses(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	busy := must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, ada()))
	idle := must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, ada()))
	for _, name := range []string{"shop", "Blog"} {
		in := s.DefaultWidget()
		in.Name, in.AgentID = name, busy.ID
		must[domain.Widget](t)(s.CreateWidget(t.Context(), s.org, in))
	}
	at := time.Now().Truncate(time.Second).Add(-time.Hour)
	turn := func(after time.Duration, status, problem string) {
		thread, dispatch := ledger.NewID[domain.ThreadID](), ledger.NewID[domain.DispatchID]()
		exec(t, s.ledger, `INSERT INTO threads (id, org_id, channel, correlation_key, handling) VALUES (?0, ?1, 'webchat', ?0::text, 'agent')`, thread, s.org)
		exec(t, s.ledger, `INSERT INTO dispatches (id, org_id, thread_id, status, from_seq, to_seq, first_at, due_at, created_at, updated_at)
VALUES (?, ?, ?, 'done', 1, 1, now(), now(), now(), now())`, dispatch, s.org, thread)
		exec(t, s.ledger, `INSERT INTO turns (id, org_id, dispatch_id, thread_id, agent_id, attempt, token, epoch, to_seq, waited_ms, status, error, started_at, finished_at)
VALUES (?, ?, ?, ?, ?, 1, 1, 1, 1, 1, ?, ?, ?, ?)`, ledger.NewID[domain.TurnID](), s.org, dispatch, thread, busy.ID, status, problem, at.Add(after), at.Add(after+time.Second))
	}
	turn(0, "done", "")
	turn(1*time.Minute, "failed", "it was silent")
	turn(2*time.Minute, "failed", "it hung up")
	turn(3*time.Minute, "done", "")
	turn(4*time.Minute, "lost", "its worker went silent") // not the agent's fault
	turn(5*time.Minute, "suppressed", "")

	uses, err := s.AgentUses(t.Context(), s.org)
	if err != nil || len(uses) != 2 {
		t.Fatalf("uses %v, %v", uses, err)
	}
	u := uses[busy.ID]
	if strings.Join(u.Widgets, ",") != "Blog,shop" || !u.LastSuccessAt.Equal(at.Add(3*time.Minute+time.Second)) ||
		!u.LastErrorAt.Equal(at.Add(2*time.Minute+time.Second)) || u.LastError != "it hung up" {
		t.Errorf("the busy one: %+v", u)
	}
	if u := uses[idle.ID]; len(u.Widgets) != 0 || !u.LastSuccessAt.IsZero() || !u.LastErrorAt.IsZero() || u.LastError != "" {
		t.Errorf("the idle one: %+v", u)
	}

	// A success that a thousand failures lie behind is not looked for among the turns.
	exec(t, s.ledger, `INSERT INTO agent_health (agent_id, org_id, last_success_at) VALUES (?, ?, ?)`, idle.ID, s.org, at)
	if uses, err = s.AgentUses(t.Context(), s.org); err != nil || !uses[idle.ID].LastSuccessAt.Equal(at) || !uses[busy.ID].LastSuccessAt.Equal(u.LastSuccessAt) {
		t.Errorf("with its health: %+v, %v", uses, err)
	}
}
