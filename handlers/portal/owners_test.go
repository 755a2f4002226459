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
	agent, widget := made.to(), "/widgets/"+string(w.widget(b, "").ID)
	wrote := b.post("/knowledge", "title", "Delivery", "content", "Three days.", "language", "english", "classification", "PUBLIC")
	if wrote.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", wrote.status, tidy(wrote.body))
	}
	articles, err := w.account.Articles(t.Context(), b.user.OrgID)
	if err != nil || len(articles) != 1 {
		t.Fatal(articles, err)
	}
	article := "/knowledge/" + string(articles[0].ID)
	for _, path := range []string{agent, widget, article, "/widgets"} {
		without(t, b.page(path), "look-only")
	}
	if _, err := w.ledger.NewRaw("UPDATE users SET role = ?", domain.RoleMember).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/agents", agent, agent + "/delete", agent + "/test", agent + "/probe", "/widgets", widget, widget + "/trigger", "/knowledge", article, article + "/delete", "/knowledge/import", "/knowledge/site", "/agents/budget", "/settings", widget + "/secret", widget + "/secret/end", widget + "/delete"} {
		if a := b.post(path); a.status != http.StatusForbidden {
			t.Errorf("POST %s: %d", path, a.status)
		}
	}
	for _, path := range []string{agent, widget, article, "/widgets"} { // there to look at, and disabled
		want(t, b.page(path), "Owners of Acme change it.", `<fieldset class="look-only" disabled>`)
		without(t, b.page(path), path+"/delete")
	}
	for path, status := range map[string]int{"/agents/budget": http.StatusForbidden, "/agents/new": http.StatusForbidden, "/widgets/new": http.StatusForbidden, "/knowledge/new": http.StatusForbidden, "/knowledge/site": http.StatusForbidden, "/knowledge": http.StatusOK, "/inbox": http.StatusOK, "/agents": http.StatusOK, agent: http.StatusOK, "/widgets": http.StatusOK} {
		if a := b.get(path); a.status != status {
			t.Errorf("GET %s: %d, want %d", path, a.status, status)
		}
	}
}
