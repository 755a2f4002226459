package mcp

import (
	"testing"

	"github.com/parley-chat/parley/domain"
)

// A tool does nothing for a key that does not reach as far as it: a new tool must be thought about here.
func TestToolsNeedTheirScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	thread := arguments{"thread_id": w.acme.Thread}
	said := arguments{"thread_id": w.acme.Thread, "content": "Hello."}
	tools := map[string]struct {
		need domain.Scope
		args arguments
	}{
		"list_threads": {domain.ScopeRead, nil}, "search_threads": {domain.ScopeRead, arguments{"query": "Hello"}}, "read_thread": {domain.ScopeRead, thread},
		"read_timeline": {domain.ScopeRead, thread}, "list_agents": {domain.ScopeRead, nil}, "search_knowledge": {domain.ScopeRead, arguments{"query": "Hello"}},
		"reply": {domain.ScopeWrite, said}, "add_note": {domain.ScopeWrite, said}, "take_over": {domain.ScopeWrite, thread}, "hand_to_team": {domain.ScopeWrite, thread},
		"hand_back": {domain.ScopeWrite, thread}, "close_thread": {domain.ScopeWrite, thread}, "record_and_dispatch": {domain.ScopeWrite, arguments{"channel": "sms", "external_id": "1", "contact": arguments{"phone": "+15550100"}}},
		"test_agent": {domain.ScopeAdmin, arguments{"agent_id": w.acme.Agent}},
	}
	listed, err := w.acme.session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	reader, writer := w.as(t, w.acme, domain.ScopeRead), w.as(t, w.acme, domain.ScopeWrite)
	before, _ := reader.call(t, "read_timeline", thread)
	for _, tool := range listed.Tools {
		want, known := tools[tool.Name]
		if !known {
			t.Errorf("which scope is %s to need?", tool.Name)
			continue
		}
		if want.need != domain.ScopeRead {
			refused(t, reader, tool.Name, want.args, "forbidden", "scope "+string(want.need))
		}
		if want.need == domain.ScopeAdmin {
			refused(t, writer, tool.Name, want.args, "forbidden", "scope admin")
		}
	}
	if after, _ := reader.call(t, "read_timeline", thread); after != before {
		t.Errorf("something was done: %s", after)
	}
	for _, tool := range listed.Tools {
		as := map[domain.Scope]tenant{domain.ScopeRead: reader, domain.ScopeWrite: writer, domain.ScopeAdmin: w.acme}[tools[tool.Name].need]
		if tool.Name == "hand_to_team" { // a closed one cannot wait
			use[Thread](t, writer, "take_over", thread)
		}
		if text, isError := as.call(t, tool.Name, tools[tool.Name].args); isError {
			t.Errorf("%s with the scope it needs: %s", tool.Name, text)
		}
	}
}
