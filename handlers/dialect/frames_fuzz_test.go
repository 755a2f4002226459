package dialect_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

// FuzzFrames is the other direction: whatever people, agents and their tools say, each dialect's frame of it is one JSON object on one
// line that no client has to close over.
func FuzzFrames(f *testing.F) {
	f.Add("Hello", []byte(`{"a":1}`), int64(1764233107000), 3)
	f.Add("\u2028\x00<b>\xff\ud7ff\n", []byte(`"text"`), int64(-1), -1)
	f.Add("\\u0000\"", []byte("{\"a\": \"\xff\",\n \"b\":1e999}"), int64(1)<<50, 1<<40)
	f.Add("", []byte(`nul`), int64(0), 0)
	f.Add("é", []byte("[1,\r\n2]"), int64(253402300799000), 7)
	f.Fuzz(func(t *testing.T, text string, raw []byte, at int64, n int) {
		now := time.UnixMilli(at % (1 << 47))
		m := domain.Message{ID: domain.MessageID(text), AuthorID: text, Author: domain.Author{Kind: domain.AuthorHuman, Name: text}, Content: text,
			CreatedAt: now, Seq: int64(n), Attachments: []domain.Attachment{{Name: text, URL: "/" + text}}, Citations: []domain.Citation{{Title: text, URL: text, Snippet: text}}}
		visit := dialect.Visit{RequestID: text, SessionID: text, Conversation: text, AskedFor: text, AgentName: text, Status: text}
		for _, e := range []dialect.Event{
			dialect.Session{ID: domain.SessionID(text), Now: now}, dialect.Line{Message: m}, dialect.Ack{ClientID: text, CreatedAt: now},
			dialect.Writing{On: true, Author: m.Author}, dialect.Delta{Content: text, Index: n}, dialect.Status{Assignee: text, Ask: []string{text}},
			dialect.Seen{Seq: int64(n)}, dialect.Failure{Message: text, ClientID: text, RetryAfter: time.Duration(n)}, dialect.Pong{T: raw, RequestID: text},
			dialect.Bye{Reason: dialect.Drain}, visit, dialect.History{RequestID: text, Visit: visit, Messages: []domain.Message{m}, Next: text},
			dialect.Conversations{List: []dialect.Conversation{{ID: text, Title: text, UpdatedAt: now}}}, dialect.Renamed{Title: text},
			dialect.Start{SessionID: text, Name: text, Messages: int64(n)}, dialect.Connected{}, dialect.Accepted{RequestID: text},
			dialect.Token{RequestID: text, Content: text}, dialect.Token{Content: text, Thought: true}, dialect.Restarted{RequestID: text},
			dialect.ToolCalled{Name: text, Arguments: raw}, dialect.ToolReturned{Name: text, Result: raw, Failed: true},
			dialect.Answer{RequestID: text, Messages: []domain.Message{m}, Escalated: true, Reason: text, Usage: dialect.Usage{PromptTokens: n}},
			dialect.Cancelled{RequestID: text}, dialect.Alive{RequestID: text}, dialect.OTPUnknown{RequestID: text},
		} {
			for name, d := range map[string]dialect.Dialect{
				"parley": dialect.Parley{Origin: "https://x.example"}, "smooth": dialect.Smooth{Origin: "https://x.example"},
				"construct": dialect.Construct{Origin: "https://x.example"}, "triggerfish": dialect.Triggerfish{Session: domain.SessionID(text), Origin: "https://x.example"},
			} {
				if _, ours := e.(dialect.Visit); name == "parley" && !parleys(e) || ours && name != "smooth" {
					continue
				}
				frame := d.Frame(e, now)
				if frame == nil {
					continue
				}
				var o struct{ Type string }
				if json.Unmarshal(frame, &o) != nil || o.Type == "" || !utf8.Valid(frame) || bytes.ContainsAny(frame, "\r\n") {
					t.Fatalf("%s: %T is %q", name, e, frame)
				}
			}
		}
	})
}

// parleys are the events that Parley's own clients are told.
func parleys(e dialect.Event) bool {
	switch e.(type) {
	case dialect.Session, dialect.Line, dialect.Ack, dialect.Writing, dialect.Delta, dialect.Status, dialect.Seen, dialect.Failure, dialect.Pong, dialect.Bye:
		return true
	}
	return false
}
