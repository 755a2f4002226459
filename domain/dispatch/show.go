package dispatch

import (
	"encoding/json"
	"iter"
	"maps"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/relay"
)

// shownMost bounds what a hint tells of a tool's arguments or result, in bytes; more is left out, and stands in the record.
const shownMost = 4000

// Delta shows the visitor a piece of the coming reply, unless it is only a draft for the team.
func (t *turn) Delta(text string) {
	if t.quiet {
		return
	}
	for piece := range pieces(text) {
		t.d.relay.Hint(relay.Hint{Thread: t.c.ThreadID, Kind: relay.Delta, Author: t.author(), TurnID: t.c.Turn, Index: t.deltas, Content: piece})
		t.deltas++
	}
}

// Think shows a piece of the agent's thoughts to clients that know what thoughts are. Our own widget does not.
func (t *turn) Think(text string) {
	if t.quiet {
		return
	}
	for piece := range pieces(text) {
		t.d.relay.Hint(relay.Hint{Thread: t.c.ThreadID, Kind: relay.Thought, Author: t.author(), TurnID: t.c.Turn, Content: piece})
	}
}

// pieceMost bounds the words of one hint, in bytes: a hint that fits no notification would be lost as a whole.
const pieceMost = 2000

// pieces cuts a text between characters.
func pieces(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(text) > 0 {
			n := min(pieceMost, len(text))
			for n > pieceMost-utf8.UTFMax && n < len(text) && !utf8.RuneStart(text[n]) {
				n--
			}
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

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

// shown is one member of a step's detail as JSON or, if the runtime has put its members into the detail itself, all of those but the name.
// A text that is JSON already stays as it is.
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
