package portal_test

import (
	"net/http"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// Members work the inbox. They see how the chat is set up, but neither money nor secrets nor anything's end is theirs to decide.
func TestMembersDecideNothingThatOnlyOwnersMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	made := b.post("/agents", "kind", "builtin", "name", "Ada", "enabled", "on", "send_mode", "autonomous", "settle_ms", "0", "max_attempts", "3")
	if made.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", made.status, tidy(made.body))
	}
	agent, widget := made.to(), "/widgets/01a21e43-f7a0-7953-905d-3ffff93bc1c6"
	if _, err := w.ledger.NewRaw("UPDATE users SET role = ?", domain.RoleMember).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/agents", agent, agent + "/delete", "/agents/budget", "/settings", widget + "/secret", widget + "/secret/end", widget + "/delete"} {
		if a := b.post(path); a.status != http.StatusForbidden {
			t.Errorf("POST %s: %d", path, a.status)
		}
	}
	for path, status := range map[string]int{"/agents/budget": http.StatusForbidden, "/inbox": http.StatusOK, "/agents": http.StatusOK, agent: http.StatusOK, "/widgets": http.StatusOK} {
		if a := b.get(path); a.status != status {
			t.Errorf("GET %s: %d, want %d", path, a.status, status)
		}
	}
}
