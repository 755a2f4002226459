package dialect_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

var smooth dialect.Smooth

func TestSmoothCitations(t *testing.T) {
	t.Parallel()
	m := domain.Message{ID: "m-1", Content: "see", Citations: []domain.Citation{
		{Title: "Returns", Snippet: strings.Repeat("é", 300)}, {Title: "Shipping", URL: "https://x.example/s", Snippet: "We ship."},
		{Title: "Shipping again", URL: "https://x.example/s", Snippet: "We ship."},
	}}
	for i := range 9 {
		m.Citations = append(m.Citations, domain.Citation{Title: fmt.Sprint("More ", i)})
	}
	var got struct {
		Data struct {
			Data struct {
				MessageID string
				Citations []map[string]any
			}
		}
	}
	if err := json.Unmarshal(smooth.Frame(dialect.Answer{RequestID: "r", Messages: []domain.Message{m}}, time.Now()), &got); err != nil {
		t.Fatal(err)
	}
	cs := got.Data.Data.Citations
	if len(cs) != 8 || cs[0]["id"] != "Returns" || cs[1]["id"] != "https://x.example/s" || cs[2]["title"] != "More 0" || got.Data.Data.MessageID != "m-1" {
		t.Fatalf("%d citations: %v", len(cs), cs)
	}
	if _, ok := cs[0]["url"]; ok || cs[1]["url"] != "https://x.example/s" || len([]rune(cs[0]["snippet"].(string))) != 280 {
		t.Errorf("urls and snippets: %v", cs[:2])
	}
}

func TestSmoothCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[domain.Code]string{
		domain.CodeBadField: "VALIDATION_ERROR", domain.CodeTooLong: "VALIDATION_ERROR", domain.CodeSessionExpired: "SESSION_NOT_FOUND",
		domain.CodeUnknownWidget: "AGENT_NOT_AUTHORIZED", domain.CodeWidgetDisabled: "AGENT_NOT_AUTHORIZED", domain.CodeOriginNotAllowed: "ORIGIN_NOT_ALLOWED",
		domain.CodeIdentityInvalid: "AUTH_CONTEXT_INVALID", domain.CodeTurnInProgress: "TURN_IN_PROGRESS", domain.CodeRateLimited: "RATE_LIMITED",
		domain.CodeDailyCap: "RATE_LIMITED", domain.CodeInternal: "INTERNAL_ERROR", domain.CodeUnavailable: "INTERNAL_ERROR", "": "INTERNAL_ERROR",
	} {
		got := string(smooth.Frame(dialect.Failure{Code: code, Message: "no"}, time.UnixMilli(7)))
		if want := `{"data":{"error":{"code":"` + want + `","message":"no"}},"error":{"code":"` + want + `","message":"no"},"timestamp":7,"type":"error"}`; got != want {
			t.Errorf("%s: %s", code, got)
		}
	}
}

// What one dialect has no word for makes no frame, and never a broken one.
func TestEventsWithoutAFrame(t *testing.T) {
	t.Parallel()
	for _, e := range []dialect.Event{dialect.Session{}, dialect.Status{}, dialect.Ack{}, dialect.Line{}, dialect.Writing{On: true}, dialect.Delta{}, dialect.Seen{}, dialect.Bye{}, dialect.Restarted{}} {
		if got := smooth.Frame(e, time.Now()); got != nil {
			t.Errorf("smooth: %T is %s", e, got)
		}
	}
	for _, e := range []dialect.Event{dialect.Status{}, dialect.Ack{}, dialect.Writing{}, dialect.Delta{}, dialect.Seen{}, dialect.Bye{}, dialect.Answer{},
		dialect.Line{Message: domain.Message{Author: domain.Author{Kind: domain.AuthorVisitor}}}} {
		if got := (dialect.Triggerfish{}).Frame(e, time.Now()); got != nil {
			t.Errorf("triggerfish: %T is %s", e, got)
		}
	}
}

func TestSmoothOdds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("t", 70)
	for frame, want := range map[string]dialect.Command{
		`{"action":"rename_conversation","conversationId":"c","title":"` + long + `"}`: dialect.RenameConversation{ConversationID: "c", Title: long[:60]},
		`{"action":"list_conversations","limit":1000}`:                                 dialect.ListConversations{Limit: 200},
		`{"action":"list_conversations","limit":null}`:                                 dialect.ListConversations{Limit: 50},
		`{"action":"cancel"}`: dialect.Cancel{},
		`{"action":"send_message","requestId":"r","sessionId":"s","message":" hi ","stream":null}`:                dialect.Ask{RequestID: "r", SessionID: "s", Content: " hi ", Stream: true},
		`{"action":"send_message","requestId":"r","sessionId":"s","message":"hi","stream":false,"attachments":1}`: dialect.Ask{RequestID: "r", SessionID: "s", Content: "hi"},
		`{"action":"get_conversation_messages","sessionId":"s","limit":1e2}`:                                      dialect.GetMessages{SessionID: "s", Limit: 100},
	} {
		if got, err := smooth.Decode([]byte(frame)); err != nil || got != want {
			t.Errorf("%s is %#v, %v", frame, got, err)
		}
	}
}

func FuzzSmooth(f *testing.F) {
	for _, seed := range []string{
		`{"action":"send_message","requestId":"r","sessionId":"s","message":"hi","stream":false}`, `{"action":"create_conversation_session","agentId":"a","authContext":{"timestamp":1e99}}`,
		`{"action":"get_conversation_messages","sessionId":"s","limit":-1}`, `{"action":"rename_conversation","title":"` + strings.Repeat("\u00e9", 99) + `"}`, `[[`, `null`, "{\"action\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) { decodes(t, smooth, frame) })
}

func FuzzTriggerfish(f *testing.F) {
	for _, seed := range []string{`{"type":"message","content":"hi"}`, `{"type":"ping","content":7}`, `{"type":"message","content":"\ud83d"}`, `[`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) { decodes(t, dialect.Triggerfish{Session: "s"}, frame) })
}

// decodes wants a command or a refusal of every frame, or nothing, and of a refusal an answer that can be read.
func decodes(t *testing.T, d dialect.Dialect, frame []byte) {
	c, err := d.Decode(frame)
	if err == nil {
		_ = dialect.IDOf(c)
		return
	}
	refused, ok := err.(*dialect.Refused)
	if !ok || c != nil {
		t.Fatalf("%q gives %#v, %v", frame, c, err)
	}
	out := d.Frame(dialect.Failure{Code: domain.CodeOf(err), Name: refused.Name, Message: err.Error(), ClientID: refused.ClientID}, time.Now())
	if out != nil && (!json.Valid(out) || strings.ContainsAny(string(out), "\n\r")) {
		t.Fatalf("%q is answered with %q", frame, out)
	}
}

func FuzzConstruct(f *testing.F) {
	for _, seed := range []string{`{"type":"message","content":"hi"}`, `{"type":"connect"}`, `{"type":"a\"b"}`, `{"type":7}`, `[`, `null`, "{\"type\":\"\xff\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) { decodes(t, dialect.Construct{}, frame) })
}
