package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// A Chatwoot account is a channel: its config is checked, its token never shown, and it goes to no other server than it was given for.
func TestChatwootChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme
	config := func(set ...func(map[string]any)) map[string]any {
		o := map[string]any{"base_url": "https://chatwoot.example/", "account_id": 7, "api_access_token": "good",
			"inboxes": []map[string]any{{"inbox_id": 1, "agent_id": c.Agent}, {"inbox_id": "2"}}}
		for _, f := range set {
			f(o)
		}
		return o
	}
	made := c.post(t, "/channels", map[string]any{"name": "chatwoot", "kind": "chatwoot", "secret": "whisper", "config": config()}).want(t, http.StatusCreated)
	id := made.str("id")
	shown := map[string]any{"kind": "chatwoot", "signed": true, "reply_url": "https://chatwoot.example", "config.base_url": "https://chatwoot.example",
		"config.account_id": "7", "config.api_access_token": "********", "config.fallback_text": domain.ChatwootFallback, "webhook_url": w.server.URL + "/webhook/chatwoot/" + id}
	made.check(t, shown)
	c.get(t, "/channels/"+id).want(t, http.StatusOK).check(t, shown)
	found := false
	for _, item := range c.get(t, "/channels").want(t, http.StatusOK).items(t) {
		if item["id"] == id {
			found = item["signed"] == true && item["config"].(map[string]any)["api_access_token"] == "********"
		}
	}
	if !found {
		t.Error("the list does not tell of its secrets")
	}
	if raw := string(made.raw); strings.Contains(raw, "whisper") || strings.Contains(raw, `"good"`) {
		t.Errorf("%s", raw)
	}

	bad := []struct {
		field string
		body  map[string]any
	}{
		{"config.base_url", map[string]any{"config": config(with("base_url", ""))}},
		{"config.base_url", map[string]any{"config": config(with("base_url", "chatwoot.example"))}},
		{"config.base_url", map[string]any{"config": config(with("base_url", "https://a:b@chatwoot.example"))}},
		{"config.base_url", map[string]any{"config": config(with("base_url", "https://chatwoot.example/?a=b"))}},
		{"config.account_id", map[string]any{"config": config(with("account_id", nil))}},
		{"config.account_id", map[string]any{"config": config(with("account_id", "7/../8"))}},
		{"config.account_id", map[string]any{"config": config(with("account_id", ".."))}},
		{"config.inboxes.0.inbox_id", map[string]any{"config": config(with("inboxes", []map[string]any{{"agent_id": c.Agent}}))}},
		{"config.inboxes.1.inbox_id", map[string]any{"config": config(with("inboxes", []map[string]any{{"inbox_id": 1}, {"inbox_id": "1"}}))}},
		{"config.inboxes", map[string]any{"config": config(with("inboxes", []map[string]any{{"inbox_id": 1, "agent_id": w.rival.Agent}}))}},
		{"config.inboxes.0.agent_id", map[string]any{"config": config(with("inboxes", []map[string]any{{"inbox_id": 1, "agent_id": "x"}}))}},
		{"config", map[string]any{"config": config(with("inboxes", 7))}},
		{"config", map[string]any{"config": config(with("account_id", 1.5))}},
		{"reply_url", map[string]any{"config": config(), "reply_url": "https://elsewhere.example"}},
	}
	for _, tt := range bad {
		tt.body["name"], tt.body["kind"] = "other", "chatwoot"
		c.post(t, "/channels", tt.body).badField(t, tt.field)
		delete(tt.body, "name")
		delete(tt.body, "kind")
		c.patch(t, "/channels/"+id, tt.body).badField(t, tt.field)
	}
	c.patch(t, "/channels/"+id, map[string]any{"name": "another"}).badField(t, "name")
	c.patch(t, "/channels/"+id, map[string]any{"kind": "generic"}).badField(t, "kind")
	c.patch(t, "/channels/"+id, map[string]any{"config": config(with("base_url", "https://thief.example"), with("api_access_token", "********"))}).badField(t, "config.api_access_token")
	c.patch(t, "/channels/"+id, map[string]any{"config": config(with("base_url", "https://thief.example"), with("api_access_token", nil))}).badField(t, "config.api_access_token")
	moved := c.patch(t, "/channels/"+id, map[string]any{"config": config(with("base_url", "https://new.example"), with("api_access_token", "fresh"), with("fallback_text", ""))})
	moved.want(t, http.StatusOK).check(t, map[string]any{"reply_url": "https://new.example", "config.fallback_text": "", "signed": true})
	kept := c.patch(t, "/channels/"+id, map[string]any{"config": map[string]any{"base_url": "https://new.example/", "account_id": "7"}}).want(t, http.StatusOK)
	kept.check(t, map[string]any{"config.api_access_token": "********", "config.fallback_text": ""})
	c.patch(t, "/channels/"+id, map[string]any{"enabled": false}).want(t, http.StatusOK).check(t, map[string]any{"config.base_url": "https://new.example"})

	c.post(t, "/channels/"+id+"/test", nil).want(t, http.StatusOK).check(t, map[string]any{"ok": false})
	c.post(t, "/channels/"+string(c.channel)+"/test", nil).problem(t, http.StatusConflict, "conflict")
	w.rival.post(t, "/channels/"+id+"/test", nil).problem(t, http.StatusNotFound, "not_found")
	w.rival.post(t, "/channels/"+id+"/retry", nil).problem(t, http.StatusNotFound, "not_found")
	c.post(t, "/channels/"+id+"/retry", nil).want(t, http.StatusOK).check(t, map[string]any{"retried": 0})
}

// Whoever knows a conversation by Chatwoot's id can write in it.
func TestMessageIntoChatwoot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme
	add := func(name, account string) domain.ChannelID {
		id := c.post(t, "/channels", map[string]any{"name": name, "kind": "chatwoot", "config": map[string]any{"base_url": "https://chatwoot.example", "account_id": account}}).
			want(t, http.StatusCreated).str("id")
		return domain.ChannelID(id)
	}
	first := add("chatwoot", "7")
	th, err := w.ledger.EnsureChannelThread(t.Context(), ledger.ChannelThread{OrgID: c.Org, ContactID: c.Contact, Channel: "chatwoot", Key: domain.ChatwootKey(first, "41")})
	if err != nil {
		t.Fatal(err)
	}
	post := func(of tenant, id, channel string) answer {
		return of.post(t, "/messages", map[string]any{"conversation_id": id, "channel": channel, "content": fmt.Sprint("To ", id)})
	}
	post(c, "41", "").want(t, http.StatusCreated).check(t, map[string]any{"thread_id": th.ID, "content": "To 41"})
	post(c, string(th.ID), "").want(t, http.StatusCreated).check(t, map[string]any{"thread_id": th.ID})
	post(c, "42", "").problem(t, http.StatusNotFound, "not_found")
	post(c, "42\x00", "").problem(t, http.StatusNotFound, "not_found")
	post(c, "41", "letters").problem(t, http.StatusNotFound, "not_found")
	post(w.rival, "41", "").problem(t, http.StatusNotFound, "not_found")
	add("second", "8")
	post(c, "41", "").badField(t, "channel")
	post(c, "41", "chatwoot").want(t, http.StatusCreated)
	var waiting int
	if err := w.ledger.NewRaw(`SELECT count(*) FROM deliveries WHERE thread_id = ? AND transport = 'chatwoot' AND target = ?`, th.ID, first).Scan(t.Context(), &waiting); err != nil || waiting != 3 {
		t.Errorf("%d wait to be posted, %v", waiting, err)
	}
}
