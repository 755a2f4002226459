package portal_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

var channelID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// An owner connects an account, changes it without giving its secrets again, tests it, and tries again what was not delivered.
func TestChatwootIsConnectedAndChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	agent := w.agent(b, "Ada")
	want(t, b.page("/inbox"), `href="/chatwoot"`)
	want(t, b.page("/chatwoot"), "No Chatwoot account yet")
	id := channelID.FindStringSubmatch(b.page("/chatwoot/new"))
	if id == nil {
		t.Fatal("the form brings no id")
	}
	path := "/chatwoot/" + id[1]
	want(t, b.page("/chatwoot/new"), w.server.URL+"/webhook/chatwoot/")
	form := func(set ...string) []string {
		values := map[string]string{"id": id[1], "name": "chatwoot", "enabled": "on", "signed": "on", "secret": "whisper", "agent_id": "", "config.base_url": "https://chatwoot.example/",
			"config.account_id": "7", "config.api_access_token": "good", "config.fallback_text": "Sorry.",
			"config.inboxes.0.inbox_id": "", "config.inboxes.0.agent_id": "", "config.inboxes.1.inbox_id": "1", "config.inboxes.1.agent_id": string(agent.ID)}
		for i := 0; i < len(set); i += 2 {
			values[set[i]] = set[i+1]
		}
		var out []string
		for k, v := range values {
			if v != "-" {
				out = append(out, k, v)
			}
		}
		return out
	}
	bad := b.post("/chatwoot", form("config.base_url", "ftp://x<b>", "secret", "")...)
	if bad.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", bad.status)
	}
	want(t, bad.body, w.server.URL+"/webhook/chatwoot/"+id[1], "Webhook secret is needed to tell what is signed", `value="ftp://x&lt;b&gt;"`, `value="1" id="f-config.inboxes.0.inbox_id"`)
	without(t, bad.body, `value="good"`)
	if bad = b.post("/chatwoot", form("config.base_url", "ftp://x<b>")...); bad.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", bad.status)
	}
	want(t, bad.body, "Address of the Chatwoot must start with https:// or http://")
	for range 2 { // a reload sends it again
		if a := b.post("/chatwoot", form()...); a.status != http.StatusSeeOther || a.to() != path {
			t.Fatalf("%d to %q\n%s", a.status, a.to(), tidy(a.body))
		}
	}
	page := b.page(path)
	want(t, page, w.server.URL+"/webhook/chatwoot/"+id[1], "It is on file and is not shown.", `value="https://chatwoot.example"`, "Nothing: all that was said is there.")
	without(t, page, "whisper", `"good"`, "Reports are not signed")
	want(t, b.page("/chatwoot"), "https://chatwoot.example", "account 7", "inbox 1")

	if a := b.post(path, form("secret", "", "config.api_access_token", "", "agent_id", string(agent.ID), "config.inboxes.1.agent_id", "")...); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	c, err := w.account.Channel(t.Context(), b.user.OrgID, domain.ChannelID(id[1]))
	if who, mapped := c.Chatwoot().Answerer("1", c.AgentID); err != nil || c.Secret != "whisper" || c.Token != "good" || who != agent.ID || !mapped || len(c.Chatwoot().Inboxes) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	want(t, b.post(path+"/test").body, "It answers and takes the token.", "Website", "inbox 1")
	if a := b.post(path, form("secret", "", "config.api_access_token", "", "config.base_url", "https://thief.example")...); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	} else {
		want(t, a.body, "Access token must be given again")
	}
	if a := b.post(path, form("signed", "-", "secret", "", "config.api_access_token", "")...); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	want(t, b.page(path), "Reports are not signed")
	chatwootDeadLetters(t, w, b, c)
	if a := b.post(path + "/delete"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	want(t, b.page("/chatwoot"), "No Chatwoot account yet")
}

func chatwootDeadLetters(t *testing.T, w *world, b *browser, c domain.Channel) {
	t.Helper()
	path := "/chatwoot/" + string(c.ID)
	thread, err := w.ledger.EnsureChannelThread(t.Context(), ledger.ChannelThread{OrgID: c.OrgID, Channel: c.Name, Key: domain.ChatwootKey(c.ID, "41")})
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"one", "two"} {
		if _, _, err := w.chat.Reply(t.Context(), b.user, thread.ID, words, words); err != nil {
			t.Fatal(err)
		}
	}
	want(t, b.page(path), "Not tried yet")
	kill := func() {
		if _, err := w.ledger.NewRaw(`UPDATE deliveries SET status = 'dead', attempts = 1, last_error = 'it answered with <b>404'`).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	kill()
	page := b.page(path)
	want(t, page, "It answered with &lt;b&gt;404.", "Try all again", `href="/threads/`+string(thread.ID)+`"`)
	want(t, b.page("/chatwoot"), "2 messages not delivered")
	one := regexp.MustCompile(path + `/deliveries/[^/]+/retry`).FindString(page)
	if a := b.post(one); a.status != http.StatusSeeOther || !strings.HasSuffix(a.to(), "#chatwoot-posts") {
		t.Errorf("%d to %s", a.status, a.to())
	}
	want(t, b.page("/chatwoot"), "1 message not delivered")
	kill()
	if a := b.post(path + "/retry"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	without(t, b.page("/chatwoot"), "not delivered")
}

// Another organisation's account does not exist, and members see none.
func TestChatwootIsForItsOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, rival := w.owner("Acme"), w.owner("Rival")
	id := channelID.FindStringSubmatch(b.page("/chatwoot/new"))[1]
	if a := b.post("/chatwoot", "id", id, "name", "chatwoot", "enabled", "on", "config.base_url", "https://chatwoot.example", "config.account_id", "7", "config.api_access_token", "good"); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	path := "/chatwoot/" + id
	for _, tail := range []string{"", "/test", "/retry", "/deliveries/01a21e43-f7a0-7953-905d-3ffff93bc1c6/retry", "/delete"} {
		if a := rival.post(path + tail); a.status != http.StatusNotFound {
			t.Errorf("POST %s: %d", tail, a.status)
		}
	}
	if a := rival.get(path); a.status != http.StatusNotFound {
		t.Errorf("GET: %d", a.status)
	}
	if _, err := w.ledger.NewRaw("UPDATE users SET role = ?", domain.RoleMember).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	without(t, b.page("/inbox"), `href="/chatwoot"`)
	for _, tail := range []string{"", "/test", "/retry", "/delete"} {
		if a := b.post(path + tail); a.status != http.StatusForbidden {
			t.Errorf("a member: POST %s: %d", tail, a.status)
		}
	}
	for _, page := range []string{"/chatwoot", "/chatwoot/new", path} {
		if a := b.get(page); a.status != http.StatusForbidden {
			t.Errorf("a member: GET %s: %d", page, a.status)
		}
	}
}
