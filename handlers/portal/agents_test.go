package portal_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

func TestAgentFormMakesAndChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	want(t, b.page("/agents/new"), "Built-in", "WebSocket service")
	want(t, b.page("/agents/new?kind=websocket"), `name="config.url"`, `value="800"`, `name="config.max_responses"`)
	if a := b.get("/agents/new?kind=psychic"); a.status != http.StatusNotFound {
		t.Errorf("an unknown kind: %d", a.status)
	}

	made := b.post("/agents", "kind", "websocket", "name", "Order desk", "enabled", "on", "send_mode", "suggest", "settle_ms", "300", "max_attempts", "2",
		"config.url", "ws://127.0.0.1:9100/chat", "config.timeout_seconds", "12", "config.headers", "Authorization: Bearer hush\nX-Tenant: acme")
	if made.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", made.status, tidy(made.body))
	}
	page := b.page(made.to())
	want(t, page, "The agent is ready.", `value="Order desk"`, `value="ws://127.0.0.1:9100/chat"`, `value="12"`, `value="300"`, "Authorization: ********")
	without(t, page, "hush")
	without(t, b.page(made.to()), "The agent is ready.")

	moved := b.post(made.to(), "kind", "websocket", "name", "Order desk", "send_mode", "suggest", "settle_ms", "300", "max_attempts", "2",
		"config.url", "wss://agent.example/", "config.headers", "Authorization: ********")
	if moved.status != http.StatusUnprocessableEntity {
		t.Fatalf("a secret that follows to another server: %d", moved.status)
	}
	want(t, moved.body, "must be given again, because the address is now another server")
	saved := b.post(made.to(), "kind", "websocket", "name", "Order desk 2", "send_mode", "autonomous", "settle_ms", "0", "max_attempts", "3",
		"config.url", "ws://127.0.0.1:9100/other", "config.headers", "Authorization: ********")
	if saved.status != http.StatusSeeOther || saved.to() != made.to() {
		t.Fatalf("%d to %q\n%s", saved.status, saved.to(), tidy(saved.body))
	}
	a := w.agentNamed(b, "Order desk 2")
	if a.Enabled || a.SendMode != domain.Autonomous || a.SettleMS != 0 || a.Headers()["Authorization"] != "Bearer hush" || len(a.Headers()) != 1 {
		t.Errorf("%+v", a)
	}
	want(t, b.page("/agents"), "Order desk 2", "not bound to a widget", "Off")
}

func (w *world) agentNamed(b *browser, name string) domain.Agent {
	w.t.Helper()
	agents, err := w.account.Agents(w.t.Context(), b.user.OrgID)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range agents {
		if a.Name == name {
			return a
		}
	}
	w.t.Fatalf("no agent %q among %v", name, agents)
	return domain.Agent{}
}

func TestAgentFormComesBackWithItsProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	existing, err := w.account.CreateAgent(t.Context(), b.user.OrgID, account.AgentInput{
		Name: "Desk", Kind: domain.AgentWebSocket, SendMode: domain.Autonomous, MaxAttempts: 3, Config: json.RawMessage(`{"url":"ws://desk.example/"}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/agents", "/agents/" + string(existing.ID)} {
		a := b.post(path, "kind", "websocket", "name", "", "enabled", "on", "send_mode", "suggest", "settle_ms", "soon", "max_attempts", "99",
			"config.url", "https://<b>", "config.max_responses", "many")
		if a.status != http.StatusUnprocessableEntity {
			t.Fatalf("POST %s: %d", path, a.status)
		}
		want(t, a.body, "Nothing was saved yet.", "Name is needed", "Wait for more lines must", "Attempts must", "Address must", "Answers at most must",
			`value="https://&lt;b&gt;"`, `value="soon"`, `aria-invalid="true"`)
		without(t, a.body, "https://<b>")
	}
	if a := w.agentNamed(b, "Desk"); a.Enabled || a.MaxAttempts != 3 {
		t.Errorf("a form that failed changed %+v", a)
	}
	if a := b.post("/agents", "kind", "psychic", "name", "Eve"); a.status != http.StatusNotFound {
		t.Errorf("an unknown kind: %d", a.status)
	}
}

func TestAgentTestShowsHowItWent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	path := "/agents/" + string(w.agent(b, "Ada").ID)
	whole := b.post(path + "/test")
	want(t, whole.body, "<html", "It answers.", "3 ms", "40 ms", "Hello there")
	part := b.htmx(path + "/test")
	want(t, part.body, "It answers.")
	without(t, part.body, "<html")
	w.tried = domain.AgentTest{Error: "connection refused"}
	want(t, b.htmx(path+"/test").body, "It does not answer.", "Connection refused.")
}

func TestAgentIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	agent := w.agent(b, "Ada")
	w.widget(b, agent.ID)
	path := "/agents/" + string(agent.ID)
	want(t, b.page(path), "It answers in Shop.", "Yes, delete Ada")
	if a := b.post(path + "/delete"); a.status != http.StatusSeeOther || a.to() != "/agents" {
		t.Fatalf("%d to %q", a.status, a.to())
	}
	want(t, b.page("/agents"), "The agent is deleted.", "No agent yet")
	want(t, b.page("/widgets"), "No agent is bound")
	if a := b.get(path); a.status != http.StatusNotFound {
		t.Errorf("%d", a.status)
	}
}

// Servers of tools are plain fields of the form; what is secret comes back masked and stays, and what is wrong is said beside its field.
func TestAgentHasServersOfTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	fields := func(more ...string) []string {
		return append([]string{"kind", "openai", "name", "Ada", "enabled", "on", "send_mode", "autonomous", "settle_ms", "800", "max_attempts", "3",
			"config.base_url", "https://api.example/v1", "config.model", "tiny"}, more...)
	}
	a := b.post("/agents", fields("config.mcp_servers.0.name", "My Shop", "config.mcp_servers.0.url", "https://tools.example/mcp", "config.mcp_servers.0.headers", "Authorization: Bearer hush")...)
	if a.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", a.status, a.body)
	}
	want(t, a.body, "lower-case letters", "My Shop")
	a = b.post("/agents", fields("config.mcp_servers.0.name", "shop", "config.mcp_servers.0.url", "https://tools.example/mcp",
		"config.mcp_servers.0.allow", "find_order\nfind_shop", "config.mcp_servers.0.headers", "Authorization: Bearer hush", "config.mcp_servers.0.classification", "PUBLIC", "config.mcp_servers.0.timeout_seconds", "")...)
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	page := b.page(a.to())
	want(t, page, "find_order\nfind_shop", "Authorization: ********", `name="config.mcp_servers.1.name"`)
	if strings.Contains(page, "hush") {
		t.Error("the page shows the key")
	}
	saved := b.post(a.to(), fields("config.mcp_servers.0.name", "shop", "config.mcp_servers.0.url", "https://tools.example/mcp", "config.mcp_servers.0.allow", "find_order",
		"config.mcp_servers.0.headers", "Authorization: ********", "config.mcp_servers.1.name", "", "config.mcp_servers.1.url", "")...)
	if saved.status != http.StatusSeeOther {
		t.Fatalf("%d %s", saved.status, saved.body)
	}
	agents, err := w.account.Agents(t.Context(), b.user.OrgID)
	if err != nil || len(agents) != 1 || agents[0].ServerHeaders("shop")["Authorization"] != "Bearer hush" || strings.Contains(string(agents[0].Config), "find_shop") {
		t.Errorf("%+v, %v", agents, err)
	}
}
