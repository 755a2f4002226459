package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestReadChatwoot(t *testing.T) {
	t.Parallel()
	whole := func(more ...string) env {
		e := env{"CHATWOOT_BASE_URL": "https://chatwoot.example", "CHATWOOT_API_ACCESS_TOKEN": "tok", "CHATWOOT_ACCOUNT_ID": "7",
			"INBOX_AGENT_MAPPINGS": `[{"inbox_id":1,"agent_config":{"websocket_url":"ws://a"}},{"inbox_id":"2","agent_config":{"agent_id":"bot","websocket_url":"ws://b","timeout_seconds":12,"max_responses":2,"connection_timeout":3}}]`}
		for i := 0; i < len(more); i += 2 {
			e[more[i]] = more[i+1]
		}
		return e
	}
	tests := []struct {
		name string
		env  env
		want string // the inboxes, or what is wrong
	}{
		{"nothing", env{"CHATWOOT_WEBHOOK_SECRET": "whisper"}, "nothing"},
		{"plain", whole(), "{1 Agent of inbox 1 ws://a 10 30 5} {2 bot ws://b 3 12 2}"},
		{"defaults of its own", whole("WEBSOCKET_CONNECT_TIMEOUT", "4", "WEBSOCKET_MESSAGE_TIMEOUT", "20.5", "MAX_RESPONSES_PER_MESSAGE", "3"), "{1 Agent of inbox 1 ws://a 4 20.5 3} {2 bot ws://b 3 12 2}"},
		{"only the first answer", whole("PRIMARY_RESPONSE_ONLY", "true"), "{1 Agent of inbox 1 ws://a 10 30 1} {2 bot ws://b 3 12 1}"},
		{"no several answers", whole("ENABLE_MULTIPLE_RESPONSES", "False"), "{1 Agent of inbox 1 ws://a 10 30 1} {2 bot ws://b 3 12 1}"},
		{"no mapping", whole("INBOX_AGENT_MAPPINGS", ""), ""},
		{"half an account", env{"CHATWOOT_BASE_URL": "https://chatwoot.example"}, "CHATWOOT_API_ACCESS_TOKEN and CHATWOOT_ACCOUNT_ID is needed too"},
		{"mappings that are none", whole("INBOX_AGENT_MAPPINGS", "{"), "INBOX_AGENT_MAPPINGS must be a list"},
		{"a mapping without an address", whole("INBOX_AGENT_MAPPINGS", `[{"inbox_id":"1"}]`), "entry 1 needs"},
		{"a number that is none", whole("WEBSOCKET_MESSAGE_TIMEOUT", "soon"), "WEBSOCKET_MESSAGE_TIMEOUT must be a number above 0"},
		{"a truth that is none", whole("PRIMARY_RESPONSE_ONLY", "maybe"), "PRIMARY_RESPONSE_ONLY must be true or false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := readChatwoot(tt.env.get)
			got := "nothing"
			switch {
			case err != nil:
				got = err.Error()
			case set != nil:
				got = strings.Trim(fmt.Sprint(set.Inboxes), "[]")
			}
			if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A server that starts before there is any organisation takes the account over as soon as there is one, and says so; the next start
// finds it taken over. A half environment stops the start, with what is missing.
func TestChatwootTakenOver(t *testing.T) {
	t.Parallel()
	f := newFakeChatwoot(t)
	e := environment(t)
	e["PARLEY_LOG"] = "info"
	e["CHATWOOT_BASE_URL"], e["CHATWOOT_API_ACCESS_TOKEN"] = f.server.URL, fakeToken
	out := &output{}
	if code := run(t.Context(), []string{"serve"}, e.get, strings.NewReader(""), out, out); code == 0 || !strings.Contains(out.String(), "CHATWOOT_ACCOUNT_ID is needed too") {
		t.Errorf("%d: %s", code, out)
	}
	e["CHATWOOT_ACCOUNT_ID"] = "7"
	e["INBOX_AGENT_MAPPINGS"] = fmt.Sprintf(`[{"inbox_id":"1","agent_config":{"agent_id":"bot","websocket_url":%q}}]`, "ws"+strings.TrimPrefix(mockService1(t, "echo"), "http"))
	s := serve(t, e)
	if r := f.report(t.Context(), s.url+"/webhook/chatwoot", f.incoming(1, 41, "Hello?")); r.code != http.StatusOK || r.Status != "ignored" {
		t.Errorf("before there is anybody: %+v", r)
	}
	if code := run(t.Context(), []string{"owner", "create", "--org", "acme", "--email", "anna@example.com"}, e.get, strings.NewReader("correct horse battery\n"), &output{}, &output{}); code != 0 {
		t.Fatal("no owner")
	}
	eventually(t, "account taken over", func() bool { return strings.Contains(s.out.String(), "took the Chatwoot account over") })
	if r := f.report(t.Context(), s.url+"/webhook/chatwoot", f.incoming(1, 41, "Hello?")); r.Status != "processed_sync" {
		t.Errorf("%+v", r)
	}
	s.stop()
	s = serve(t, e)
	eventually(t, "word of it", func() bool { return strings.Contains(s.out.String(), "was taken over before") })
	if strings.Contains(s.out.String(), fakeToken) {
		t.Error("the log has the token")
	}
}
