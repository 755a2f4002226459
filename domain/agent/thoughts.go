package agent

import (
	"strings"
	"unicode/utf8"
)

// thoughts parts what a model thinks aloud before it answers from the answer. Reasoning models behind servers that do not part the
// two put it first, between these marks; it is no part of what is said. A mark further on is a word like any other.
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

// pass returns what of a piece belongs to the answer and what to the thoughts, as far as that can be told already.
func (t *thoughts) pass(piece string) (answer, thought string) {
	t.held += piece
	for {
		switch t.at {
		case before:
			rest := strings.TrimLeft(t.held, " \t\r\n")
			switch {
			case strings.HasPrefix(rest, thoughtsBegin):
				t.held, t.at = rest[len(thoughtsBegin):], thinking
			case strings.HasPrefix(thoughtsBegin, rest):
				return "", thought
			default:
				t.at = done
			}
		case thinking:
			begin, rest, ended := strings.Cut(t.held, thoughtsEnd)
			if !ended {
				sure := max(0, len(t.held)-len(thoughtsEnd))
				for sure > 0 && !utf8.RuneStart(t.held[sure]) {
					sure--
				}
				thought, t.held = t.held[:sure], t.held[sure:]
				return "", thought
			}
			thought, t.held, t.at = begin, rest, after
		case after:
			if t.held = strings.TrimLeft(t.held, " \t\r\n"); t.held == "" {
				return "", thought
			}
			t.at = done
		default:
			answer, t.held = t.held, ""
			return answer, thought
		}
	}
}

// rest is what was held back, at the end: the answer after all, or thoughts that never ended.
func (t *thoughts) rest() (answer, thought string) {
	held, at := t.held, t.at
	t.held, t.at = "", done
	switch at {
	case before:
		return held, ""
	case thinking:
		return "", held
	}
	return "", ""
}
