package portal_test

import (
	"net/http"
	"testing"

	"github.com/parley-chat/parley/domain"
)

func TestModelFormKeepsItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	want(t, b.page("/agents/new"), "Language model", "HTTP service")
	want(t, b.page("/agents/new?kind=openai"), `name="config.base_url"`, `name="config.api_key"`, `type="password"`, `value="1024"`, `step="any"`)
	want(t, b.page("/agents/new?kind=http"), `name="config.url"`, `name="config.secret"`)

	fields := []string{"kind", "openai", "name", "Mo", "enabled", "on", "send_mode", "autonomous", "settle_ms", "0", "max_attempts", "3",
		"config.base_url", "http://127.0.0.1:11434/v1", "config.model", "tiny", "config.temperature", "0.3", "config.input_cost_per_mtok", "0.15"}
	made := b.post("/agents", append(fields, "config.api_key", "sk-hush-hush")...)
	if made.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", made.status, tidy(made.body))
	}
	page := b.page(made.to())
	want(t, page, `value="tiny"`, `value="0.3"`, `value="0.15"`, "set; leave empty to keep it", "Forget the one on file")
	without(t, page, "hush", "&lt;nil&gt;", `value="********"`)

	for _, s := range []struct {
		fields []string
		key    string
	}{
		{[]string{"config.api_key", ""}, "sk-hush-hush"},
		{[]string{"config.api_key", "sk-new-key"}, "sk-new-key"},
		{[]string{"config.api_key", "", "forget.config.api_key", "on"}, ""},
	} {
		if a := b.post(made.to(), append(fields, s.fields...)...); a.status != http.StatusSeeOther {
			t.Fatalf("%d\n%s", a.status, tidy(a.body))
		}
		if got := w.agentNamed(b, "Mo").Secrets[domain.APIKeySecret]; got != s.key {
			t.Errorf("after %v the key is %q, want %q", s.fields, got, s.key)
		}
	}
	bad := b.post("/agents", "kind", "openai", "name", "Mo", "send_mode", "autonomous", "settle_ms", "0", "max_attempts", "3",
		"config.base_url", "ftp://x", "config.api_key", "sk-typed-just-now", "config.temperature", "hot")
	if bad.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d", bad.status)
	}
	want(t, bad.body, "Base address must start with http:// or https://", "Model is needed", "Temperature must be a number")
	without(t, bad.body, "typed-just-now")
}

func TestBudgetForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	want(t, b.page("/agents/budget"), `name="daily_budget_usd"`, "Nothing was spent today.")
	if a := b.post("/agents/budget", "daily_budget_usd", "12.5", "session_budget_usd", ""); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	got, err := w.account.Budgets(t.Context(), b.user.OrgID)
	if err != nil || got.DailyUSD == nil || *got.DailyUSD != 12.5 || got.SessionUSD != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	want(t, b.page("/agents/budget"), `value="12.5"`, "Saved.")
	bad := b.post("/agents/budget", "daily_budget_usd", "lots", "session_budget_usd", "-2")
	if bad.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d", bad.status)
	}
	want(t, bad.body, "All agents, a day must be between 0 and 1000000", "One visitor’s session must", `value="lots"`)
}
