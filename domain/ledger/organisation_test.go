package ledger_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestEnsureOrganisationKeepsTheFirst(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	first, made, err := l.EnsureOrganisation(t.Context(), domain.Organisation{ID: ledger.NewID[domain.OrgID](), Name: "First", Slug: "acme", CreatedAt: time.Now()})
	if err != nil || !made {
		t.Fatalf("made %t, %v", made, err)
	}
	second, made, err := l.EnsureOrganisation(t.Context(), domain.Organisation{ID: ledger.NewID[domain.OrgID](), Name: "Second", Slug: "acme", CreatedAt: time.Now()})
	if err != nil || made || second.ID != first.ID || second.Name != "First" {
		t.Errorf("the second time: made %t %+v, %v", made, second, err)
	}
}

func TestCredentialsNeedASealer(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	f := ledgertest.Seed(t, ledgertest.Open(t, dsn))
	l, err := ledger.Open(t.Context(), dsn, ledger.Options{Conns: 2, Lanes: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	a := domain.NewAgent(f.Org, "Bob", domain.AgentBuiltin)
	a.ID, a.Config, a.CreatedAt, a.UpdatedAt = ledger.NewID[domain.AgentID](), []byte(`{}`), time.Now(), time.Now()
	if err := l.CreateAgent(t.Context(), a); err != nil {
		t.Errorf("an agent without secrets: %v", err)
	}
	a.Secrets = map[string]string{"header:Authorization": "Bearer hunter2"}
	if err := l.UpdateAgent(t.Context(), a); err == nil {
		t.Error("a secret was stored without a sealer")
	}
	if err := l.SetIdentitySecret(t.Context(), f.Org, f.Widget, "secret", time.Time{}); err == nil {
		t.Error("an identity secret was stored without a sealer")
	}
	if w, err := l.WidgetByKey(t.Context(), f.Key); err != nil || w.IdentitySecret != "" {
		t.Errorf("a widget without a secret: %+v, %v", w, err)
	}
}
