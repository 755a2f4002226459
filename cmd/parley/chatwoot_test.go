package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// bridged is a server that has taken an account of a fake Chatwoot over from its environment, with an agent behind a WebSocket.
func bridged(t testing.TB, f *fakeChatwoot, agent string, more env) env {
	t.Helper()
	e := environment(t)
	e["CHATWOOT_BASE_URL"], e["CHATWOOT_API_ACCESS_TOKEN"], e["CHATWOOT_ACCOUNT_ID"] = f.server.URL+"/", fakeToken, "7"
	e["CHATWOOT_WEBHOOK_SECRET"] = f.secret
	e["INBOX_AGENT_MAPPINGS"] = fmt.Sprintf(`[{"inbox_id":"1","agent_config":{"agent_id":"shop-bot","websocket_url":%q,"timeout_seconds":30,"max_responses":5,"connection_timeout":10}}]`,
		"ws"+strings.TrimPrefix(agent, "http"))
	for k, v := range more {
		e[k] = v
	}
	if code := run(t.Context(), []string{"owner", "create", "--org", "acme", "--email", "anna@example.com"}, e.get, strings.NewReader("correct horse battery\n"), &output{}, &output{}); code != 0 {
		t.Fatal("no owner")
	}
	return e
}

func mockService1(t testing.TB, mode string) string {
	s := httptest.NewServer(newMockAgent(mode, 0))
	t.Cleanup(s.Close)
	return s.URL
}

// A line of a contact is answered within the report of it and in the conversation, whoever reports it however often.
func TestChatwootConversation(t *testing.T) {
	t.Parallel()
	f := newFakeChatwoot(t)
	f.secret = "whisper"
	s := serve(t, bridged(t, f, mockService1(t, "echo"), nil))
	hook := s.url + "/webhook/chatwoot"
	f.mu.Lock()
	f.reports = hook
	f.mu.Unlock()

	first := f.report(t.Context(), hook, f.incoming(100, 41, "Is anybody there?"))
	if first.code != http.StatusOK || first.Status != "processed_sync" || first.Data.Content == "" || first.Data.Total != 1 {
		t.Fatalf("answered %+v\n%s", first, s.out)
	}
	for range 3 {
		if again := f.report(t.Context(), hook, f.incoming(100, 41, "Is anybody there?")); again != first {
			t.Errorf("again: %+v, first %+v", again, first)
		}
	}
	eventually(t, "answer in Chatwoot", func() bool { return len(f.said(41)) > 0 })
	eventually(t, "end of typing", func() bool { return slices.Equal(f.signs()["41"], []string{"on", "off"}) })
	if got := f.said(41); len(got) != 1 || got[0] != first.Data.Content {
		t.Errorf("posted %q, answered %q", got, first.Data.Content)
	}

	// A person writes: the agent is silent until the conversation is resolved, and then knows what was said.
	if r := f.report(t.Context(), hook, f.outgoing(101, "41", "Hello, I am Anna.", "Anna")); r.code != http.StatusOK || r.Status != "ignored" {
		t.Errorf("a person's line: %+v", r)
	}
	if r := f.report(t.Context(), hook, f.incoming(102, 41, "Oh, a person!")); r.Status != "accepted" || r.Data.Skip != "human_handling" {
		t.Errorf("while a person answers: %+v", r)
	}
	f.report(t.Context(), hook, f.status(41, "resolved"))
	if r := f.report(t.Context(), hook, f.incoming(103, 41, "One more thing.")); r.Status != "processed_sync" {
		t.Errorf("after it was resolved: %+v", r)
	}
	eventually(t, "answer after the person", func() bool { return len(f.said(41)) == 2 })
}

// Where an agent cannot answer, or may only suggest, the people of the Chatwoot see it in their queue.
func TestChatwootCallsPeople(t *testing.T) {
	t.Parallel()
	f := newFakeChatwoot(t)
	e := bridged(t, f, mockService1(t, "echo"), nil)
	s := serve(t, e)
	key := apiKey(t, e, "acme")
	var agents struct {
		Items []struct{ ID string }
	}
	if s.call(t, "GET", "/api/v1/agents", key, nil, &agents); len(agents.Items) != 1 {
		t.Fatalf("%+v", agents)
	}
	if code := s.call(t, "PATCH", "/api/v1/agents/"+agents.Items[0].ID, key, map[string]any{"send_mode": "suggest"}, nil); code != http.StatusOK {
		t.Fatal(code)
	}
	r := f.report(t.Context(), s.url+"/webhook/chatwoot?wait=0", f.incoming(1, 41, "Do you ship on Sundays?"))
	if r.Status != "accepted" {
		t.Fatalf("%+v", r)
	}
	eventually(t, "note and open conversation", func() bool { notes, status := f.forPeople(41); return len(notes) > 0 && len(status) > 0 })
	notes, status := f.forPeople(41)
	if len(notes) != 1 || !strings.Contains(notes[0], "suggests") || !strings.Contains(notes[0], "Do you ship on Sundays?") || !slices.Equal(status, []string{"open"}) || len(f.said(41)) > 0 {
		t.Errorf("notes %q, status %q, said %q", notes, status, f.said(41))
	}
}
