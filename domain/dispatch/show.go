package dispatch

import (
	"encoding/json"
	"maps"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/relay"
)

// shownMost bounds what a hint tells of a tool's arguments or result, in bytes; more is left out, and stands in the record.
const shownMost = 4000

// show tells whoever follows the thread that the agent uses a tool.
func (t *turn) show(s agent.Step) {
	if t.quiet || s.Kind != domain.ToolCall && s.Kind != domain.ToolResult {
		return
	}
	name, _ := s.Detail["name"].(string)
	use := relay.ToolUse{Name: name, Returned: s.Kind == domain.ToolResult, Failed: s.Detail["error"] != nil || s.Detail["is_error"] == true}
	what := "arguments"
	if use.Returned {
		what = "result"
	}
	use.Data = shown(s.Detail, what)
	content, err := json.Marshal(use)
	if err != nil {
		return
	}
	t.d.relay.Hint(relay.Hint{Thread: t.c.ThreadID, Kind: relay.Tool, Author: t.author(), TurnID: t.c.Turn, Content: string(content)})
}

// shown is one member of a step's detail, or all others but the name where a runtime has not kept it apart. A text that is JSON
// already stays as it is.
func shown(detail map[string]any, what string) json.RawMessage {
	v, ok := detail[what]
	if !ok {
		rest := maps.Clone(detail)
		delete(rest, "name")
		v = rest
	}
	if text, ok := v.(string); ok && json.Valid([]byte(text)) && len(text) <= shownMost {
		return json.RawMessage(text)
	}
	data, err := json.Marshal(v)
	if err != nil || len(data) > shownMost {
		return json.RawMessage("null")
	}
	return data
}
