package domain

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// BuiltinConfig configures the builtin runtime.
type BuiltinConfig struct {
	Greeting      string  `json:"greeting,omitempty"` // Markdown; empty = the runtime's own words in the visitor's language
	MinConfidence float64 `json:"min_confidence"`     // 0 to 1: below it the runtime offers a person instead of answering
}

// DefaultMinConfidence lets everything through that the search takes for an answer.
const DefaultMinConfidence = 0.25

// ParseBuiltinConfig reads a stored config and applies the defaults. It fails with Invalid, a problem per field.
func ParseBuiltinConfig(raw json.RawMessage) (BuiltinConfig, error) {
	r := readConfig(raw, agentProblems{})
	return r.builtin(), r.problems.err()
}

func (r *configReader) builtin() BuiltinConfig {
	c := BuiltinConfig{MinConfidence: DefaultMinConfidence}
	readKey(r, "greeting", &c.Greeting, "must be text")
	readKey(r, "min_confidence", &c.MinConfidence, "must be a number from 0 to 1")
	between(r.problems, "config.min_confidence", c.MinConfidence, 0, 1)
	c.Greeting = strings.TrimSpace(c.Greeting)
	if utf8.RuneCountInString(c.Greeting) > 1000 {
		r.problems.add("config.greeting", "must have at most 1000 characters")
	} else if hasControls(c.Greeting, "\n\r\t") {
		r.problems.add("config.greeting", "must not contain control characters")
	}
	return c
}
