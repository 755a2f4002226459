package agent

import "strings"

// thoughts takes out what a model thinks aloud before it answers. Reasoning models behind servers that do not part the two put it
// first, between these marks; it is not meant for whoever asked. A mark further on is a word like any other.
type thoughts struct {
	held string // what may still turn out to be the opening mark, or the closing one
	at   place
}

type place uint8

const (
	before   place = iota // the answer: a mark may come
	thinking              // aloud
	after                 // them: space goes with them
	done                  // all is answer from here on
)

const (
	thoughtsBegin = "<think>"
	thoughtsEnd   = "</think>"
)

// pass returns what of a piece belongs to the answer, as far as that can be told already.
func (t *thoughts) pass(piece string) string {
	t.held += piece
	for {
		switch t.at {
		case before:
			rest := strings.TrimLeft(t.held, " \t\r\n")
			switch {
			case strings.HasPrefix(rest, thoughtsBegin):
				t.held, t.at = rest[len(thoughtsBegin):], thinking
			case strings.HasPrefix(thoughtsBegin, rest):
				return ""
			default:
				t.at = done
			}
		case thinking:
			_, rest, ended := strings.Cut(t.held, thoughtsEnd)
			if !ended {
				t.held = t.held[max(0, len(t.held)-len(thoughtsEnd)):]
				return ""
			}
			t.held, t.at = rest, after
		case after:
			if t.held = strings.TrimLeft(t.held, " \t\r\n"); t.held == "" {
				return ""
			}
			t.at = done
		default:
			out := t.held
			t.held = ""
			return out
		}
	}
}

// rest is what was held back and turned out to be the answer after all, at its end. Thoughts that never ended are not.
func (t *thoughts) rest() string {
	if t.at != before {
		return ""
	}
	out := t.held
	t.held, t.at = "", done
	return out
}
