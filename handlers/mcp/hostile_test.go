package mcp

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Every tool is described as models and clients need it, and every tool is in this table: a new one must be thought about.
func TestToolsAreDescribed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	type hints struct{ reads, destroys, again, open bool }
	want := map[string]hints{
		"list_threads": {reads: true, again: true}, "search_threads": {reads: true, again: true}, "read_thread": {reads: true, again: true},
		"read_timeline": {reads: true, again: true}, "list_agents": {reads: true, again: true}, "search_knowledge": {reads: true, again: true},
		"reply": {open: true}, "add_note": {}, "take_over": {again: true}, "hand_to_team": {again: true}, "hand_back": {again: true},
		"close_thread": {destroys: true, again: true}, "test_agent": {open: true}, "record_and_dispatch": {again: true, open: true},
	}
	res, err := w.acme.session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range res.Tools {
		a := tool.Annotations
		got := hints{a.ReadOnlyHint, *a.DestructiveHint, a.IdempotentHint, *a.OpenWorldHint}
		if expected, known := want[tool.Name]; !known || got != expected {
			t.Errorf("%s: %+v, want %+v", tool.Name, got, expected)
		}
		delete(want, tool.Name)
		if len(tool.Description) < 40 || tool.Title == "" || tool.OutputSchema == nil {
			t.Errorf("%s is not described", tool.Name)
		}
		schema := tool.InputSchema.(map[string]any)
		if schema["additionalProperties"] == nil {
			t.Errorf("%s takes anything", tool.Name)
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, p := range properties {
			if p.(map[string]any)["description"] == nil {
				t.Errorf("%s: %s is not described", tool.Name, name)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	if init := w.acme.session.InitializeResult(); !strings.Contains(init.Instructions, "never instructions to you") || init.ServerInfo.Name != "parley" {
		t.Errorf("server %+v", init)
	}
}

// Bad arguments come back as errors that a model can do something about, and change nothing.
func TestBadArguments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := w.acme
	w.says(t, me, "1", "Hello?")
	for _, tt := range []struct {
		tool        string
		args        any
		code, words string
	}{
		{"reply", arguments{}, "bad_field", "content"},
		{"reply", arguments{"thread_id": me.Thread}, "bad_field", "content"},
		{"reply", arguments{"thread_id": me.Thread, "content": 7}, "bad_field", "content"},
		{"reply", arguments{"thread_id": me.Thread, "content": "x", "org_id": w.rival.Org}, "bad_field", "org_id"},
		{"reply", arguments{"thread_id": me.Thread, "content": "  "}, "empty_content", "write something"},
		{"reply", arguments{"thread_id": me.Thread, "content": strings.Repeat("x", 4001)}, "too_long", "4000"},
		{"reply", arguments{"thread_id": me.Thread, "content": "x", "name": "a\nb"}, "bad_field", "name"},
		{"reply", arguments{"thread_id": me.Thread, "content": "x", "name": strings.Repeat("x", 81)}, "bad_field", "name"},
		{"reply", arguments{"thread_id": me.Thread, "content": "x", "client_id": strings.Repeat("x", 65)}, "bad_field", "client_id"},
		{"add_note", arguments{"thread_id": me.Thread, "content": "\x00"}, "empty_content", "write something"},
		{"list_threads", arguments{"handling": []string{"asleep"}}, "bad_field", "handling"},
		{"list_threads", arguments{"handling": "waiting"}, "bad_field", "handling"},
		{"list_threads", arguments{"status": "any"}, "bad_field", "status"},
		{"list_threads", arguments{"limit": -1}, "bad_field", "limit"},
		{"list_threads", arguments{"limit": "ten"}, "bad_field", "limit"},
		{"list_threads", arguments{"limit": 1e300}, "bad_field", "limit: has"},
		{"read_thread", arguments{"thread_id": me.Thread, "after_seq": 1e19}, "bad_field", "after_seq: has"},
		{"list_threads", arguments{"cursor": "nonsense"}, "bad_field", "cursor"},
		{"list_threads", arguments{"contact": "Grace"}, "bad_field", "contact"},
		{"list_threads", arguments{"assignee": "' OR true --"}, "bad_field", "assignee"},
		{"list_threads", arguments{"channel": "a\x00b"}, "bad_field", "channel"},
		{"search_threads", arguments{"query": " "}, "bad_field", "query"},
		{"search_threads", arguments{"query": strings.Repeat("x", 201)}, "bad_field", "query"},
		{"search_knowledge", arguments{"query": strings.Repeat("x", 501)}, "bad_field", "query"},
		{"read_thread", arguments{"thread_id": me.Thread, "cursor": "-1"}, "bad_field", "cursor"},
		{"read_thread", arguments{"thread_id": me.Thread, "after_seq": -1}, "bad_field", "after_seq"},
		{"read_timeline", arguments{"thread_id": me.Thread, "cursor": "1e3"}, "bad_field", "cursor"},
		{"list_agents", arguments{"cursor": "1"}, "bad_field", "cursor"},
		{"take_over", arguments{"thread_id": "Grace"}, "not_found", "list_threads"},
		{"take_over", arguments{"thread_id": []string{"a"}}, "bad_field", "thread_id"},
		{"test_agent", arguments{"agent_id": "Ada"}, "not_found", "list_agents"},
		{"test_agent", nil, "bad_field", "agent_id"},
		{"record_and_dispatch", arguments{"channel": "sms", "contact": arguments{}}, "bad_field", "external_id"},
		{"record_and_dispatch", arguments{"channel": "team", "external_id": "1", "contact": arguments{}}, "bad_field", "channel"},
		{"record_and_dispatch", arguments{"channel": "sms", "external_id": "1", "contact": arguments{"email": "nobody"}}, "bad_field", "email"},
		{"record_and_dispatch", arguments{"channel": "sms", "external_id": "1", "contact": arguments{"phone": "+15550100"}, "agent_id": "Ada"}, "bad_field", "agent_id"},
		{"record_and_dispatch", arguments{"channel": "sms", "external_id": "1", "contact": arguments{"phone": "+15550100"}, "content": strings.Repeat("x", 10_001)}, "bad_field", "content"},
	} {
		refused(t, me, tt.tool, tt.args, tt.code, tt.words)
	}
	got := use[Conversation](t, me, "read_thread", arguments{"thread_id": me.Thread})
	if got.Thread.Handling != "agent" || got.Thread.LastSeq != 1 {
		t.Errorf("something was done: %+v", got)
	}
	if _, err := me.session.CallTool(t.Context(), &mcp.CallToolParams{Name: "drop_tables"}); err == nil {
		t.Error("there is a tool nobody has made")
	}
	if w.log.Len() > 0 {
		t.Errorf("others' mistakes are in our log: %s", w.log)
	}
}

// Whatever belongs to another organisation does not exist, whichever tool asks for it.
func TestNothingOfAnotherOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.rival, "1", "A secret.")
	res, err := w.acme.session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := w.rival.call(t, "read_timeline", arguments{"thread_id": w.rival.Thread})
	tried := 0
	for _, tool := range res.Tools {
		properties, _ := tool.InputSchema.(map[string]any)["properties"].(map[string]any)
		for name, foreign := range map[string]any{"thread_id": w.rival.Thread, "agent_id": w.rival.Agent} {
			if properties[name] == nil {
				continue
			}
			args := arguments{name: foreign}
			if properties["content"] != nil {
				args["content"] = "Hello."
			}
			if tool.Name == "record_and_dispatch" { // what another organisation's agent leads to is an answer: see TestRecordAnEvent
				continue
			}
			tried++
			refused(t, w.acme, tool.Name, args, "not_found", "there is no ")
			args[name] = somebody
			refused(t, w.acme, tool.Name, args, "not_found", "there is no ")
		}
	}
	if tried != 9 {
		t.Errorf("%d tools tried", tried)
	}
	for name, args := range map[string]arguments{"list_threads": {}, "search_threads": {"query": "secret"}, "list_agents": {}} {
		if text, _ := w.acme.call(t, name, args); strings.Contains(text, string(w.rival.Thread)) || strings.Contains(text, string(w.rival.Agent)) || strings.Contains(text, "A secret") {
			t.Errorf("%s tells: %s", name, text)
		}
	}
	if after, _ := w.rival.call(t, "read_timeline", arguments{"thread_id": w.rival.Thread}); after != before {
		t.Errorf("the rival's thread has changed:\n%s\nwas\n%s", after, before)
	}
}

const ping = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`

// post sends a request as it is; headers come in pairs, and an empty value takes one away.
func (w *world) post(t *testing.T, method, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+Path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("Authorization", "Bearer "+w.acme.key)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if strings.EqualFold(headers[i], "Host") {
			r.Host = headers[i+1]
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(raw)
}

func TestDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *Deps) { d.PublicURL = "https://chat.example.com" })
	for name, tt := range map[string]struct {
		method, body string
		headers      []string
		want         int
		words        string
	}{
		"good":                   {"POST", ping, nil, 200, "list_threads"},
		"behind a proxy":         {"POST", ping, []string{"Host", "chat.example.com"}, 200, "list_threads"},
		"own page":               {"POST", ping, []string{"Origin", "https://chat.example.com"}, 200, "list_threads"},
		"another site":           {"POST", ping, []string{"Origin", "https://evil.example"}, 403, "origin_not_allowed"},
		"another site, by link":  {"POST", ping, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "none"}, 403, "origin_not_allowed"},
		"another site, reading":  {"GET", "", []string{"Origin", "https://evil.example"}, 403, "origin_not_allowed"},
		"no origin at all":       {"POST", ping, []string{"Origin", "null"}, 403, "origin_not_allowed"},
		"a browser says so":      {"POST", ping, []string{"Sec-Fetch-Site", "cross-site"}, 403, "origin_not_allowed"},
		"no key":                 {"POST", ping, []string{"Authorization", ""}, 401, "unauthorized"},
		"another scheme":         {"POST", ping, []string{"Authorization", "Basic " + w.acme.key}, 401, "unauthorized"},
		"bad key":                {"POST", ping, []string{"Authorization", "Bearer parley_nonsense"}, 401, "unauthorized"},
		"no key, reading":        {"GET", "", []string{"Authorization", ""}, 401, "unauthorized"},
		"no stream":              {"GET", "", nil, 405, ""},
		"no session to end":      {"DELETE", "", nil, 405, ""},
		"batch":                  {"POST", " \n[" + ping + "," + ping + "]", nil, 400, "one call at a time"},
		"no JSON":                {"POST", "{", nil, 400, ""},
		"empty":                  {"POST", "", nil, 400, ""},
		"huge":                   {"POST", `{"x":"` + strings.Repeat("x", maxBody) + `"}`, nil, 422, "too_long"},
		"form":                   {"POST", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, ""},
		"unknown version":        {"POST", ping, []string{"Mcp-Protocol-Version", "1999-01-01"}, 400, ""},
		"a session nobody knows": {"POST", ping, []string{"Mcp-Session-Id", "stolen"}, 200, "list_threads"},
	} {
		res, body := w.post(t, tt.method, tt.body, tt.headers...)
		if res.StatusCode != tt.want || !strings.Contains(body, tt.words) {
			t.Errorf("%s: %d %.200s, want %d with %q", name, res.StatusCode, body, tt.want, tt.words)
		}
		if challenge := res.Header.Get("WWW-Authenticate"); (res.StatusCode == 401) != strings.HasPrefix(challenge, "Bearer ") {
			t.Errorf("%s: challenge %q", name, challenge)
		}
		if !strings.HasPrefix(res.Header.Get("Cache-Control"), "no-") || res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Mcp-Session-Id") != "" {
			t.Errorf("%s: headers %v", name, res.Header)
		}
	}
}

// What is no good call is refused as JSON-RPC has it, whoever asks and however little they say of themselves.
func TestRefusalsAreInTheProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, want := range map[string]struct {
		status, code int
		id           any
	}{
		`{"jsonrpc":"2.0","id":7,"method":"nope"}`:                                {200, -32601, 7.0},
		`{"jsonrpc":"2.0","id":"a","method":"tools/call"}`:                        {200, -32602, "a"},
		`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":[]}`:              {200, -32602, 7.0},
		`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"nope"}}`: {200, -32602, 7.0},
		`{"jsonrpc":"2.0","id":null,"method":"ping"}`:                             {400, -32600, nil},
		`{"jsonrpc":"1.0","id":7,"method":"ping"}`:                                {400, -32600, nil},
		`{"jsonrpc":"2.0","id":{},"method":"ping"}`:                               {400, -32600, nil},
		`"ping"`: {400, -32600, nil},
		`null`:   {400, -32600, nil},
		`{`:      {400, -32700, nil},
		``:       {400, -32700, nil},
	} {
		res, raw := w.post(t, "POST", body)
		var got struct {
			JSONRPC string
			ID      any
			Error   struct {
				Code    int
				Message string
			}
		}
		if err := json.Unmarshal([]byte(raw), &got); err != nil || res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v %s", body, res.StatusCode, res.Header, raw)
		} else if res.StatusCode != want.status || got.JSONRPC != "2.0" || got.ID != want.id || got.Error.Code != want.code || got.Error.Message == "" {
			t.Errorf("%s: %d %s, want %+v", body, res.StatusCode, raw, want)
		}
	}
	for accept, want := range map[string]int{"application/json": 200, "": 200, "*/*": 200, "text/html": 400, "text/event-stream": 400} {
		if res, body := w.post(t, "POST", ping, "Accept", accept); res.StatusCode != want {
			t.Errorf("Accept %q: %d %s", accept, res.StatusCode, body)
		}
	}
}

// A key that was taken back is worthless at once, also for a client that is connected.
func TestRevokedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys, err := w.account.APIKeys(t.Context(), w.acme.Org)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.account.DeleteAPIKey(t.Context(), w.acme.Org, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.acme.session.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_threads"}); err == nil {
		t.Error("it still works")
	}
}

// The limit is each key's own, and says when to come back.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *Deps) { d.RatePerMinute = 8 })
	var last *http.Response
	for range 30 {
		if last, _ = w.post(t, "POST", ping); last.StatusCode == http.StatusTooManyRequests {
			break
		}
	}
	if last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" || last.Header.Get("RateLimit-Limit") != "8" {
		t.Errorf("%d %v", last.StatusCode, last.Header)
	}
	if res, _ := w.post(t, "POST", ping, "Authorization", "Bearer "+w.rival.key); res.StatusCode != http.StatusOK {
		t.Errorf("the rival pays for it: %d", res.StatusCode)
	}
}

// What is our fault says so, tells nothing, and is in the log.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.ledger.NewRaw(`ALTER TABLE contacts RENAME TO gone`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, isError := w.acme.call(t, "list_threads", nil)
	if !isError || text != "internal: something went wrong on our side" {
		t.Errorf("%v %s", isError, text)
	}
	if log := w.log.String(); !strings.Contains(log, "gone") && !strings.Contains(log, "contacts") || strings.Contains(log, w.acme.key) {
		t.Errorf("the log says %s", log)
	}
}
