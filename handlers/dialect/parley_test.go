package dialect_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

var parley dialect.Parley

func TestParleyDecodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		frame string
		want  dialect.Command
	}{
		{`{"type":"hello"}`, dialect.Hello{}},
		{`{"type":"hello","after_seq":7,"thread_id":"t1"}`, dialect.Hello{AfterSeq: 7, Thread: "t1"}},
		{`{"type":"hello","after_seq":7,"capabilities":["delta","telepathy"]}`, dialect.Hello{AfterSeq: 7, Capabilities: []string{"delta", "telepathy"}}},
		{`{"type":"hello","after_seq":null,"capabilities":null,"more":{"a":[1]}}`, dialect.Hello{}},
		{`{"type":"message","client_id":"c1","content":"hi"}`, dialect.Message{ClientID: "c1", Content: "hi"}},
		{`{"type":"message","client_id":"c1","content":"  ","attachments":["a","b"]}`, dialect.Message{ClientID: "c1", Content: "  ", Attachments: []string{"a", "b"}}},
		{` {"content":"first","type":"message","client_id":"c1","content":"last"} `, dialect.Message{ClientID: "c1", Content: "last"}},
		{`{"type":"message","client_id":"c1","content":"\ud800 \u0000"}`, dialect.Message{ClientID: "c1", Content: "\uFFFD \x00"}},
		{"{\"type\":\"message\",\"client_id\":\"c1\",\"content\":\"\xff\"}", dialect.Message{ClientID: "c1", Content: "\uFFFD"}},
		{`{"type":"typing","on":true}`, dialect.Typing{On: true}},
		{`{"type":"typing","on":false}`, dialect.Typing{}},
		{`{"type":"read","seq":12}`, dialect.Read{Seq: 12}},
		{`{"type":"identify","identity":{"user_id":"u","name":"Ann","email":"a@b.example","timestamp":17,"signature":"00ff"}}`,
			dialect.Identify{Identity: dialect.Identity{UserID: "u", Name: "Ann", Email: "a@b.example", Timestamp: 17, Signature: "00ff"}}},
		{`{"type":"page","url":"https://site.example/a"}`, dialect.Page{URL: "https://site.example/a"}},
		{`{"type":"page","url":"https://site.example/a","title":"A"}`, dialect.Page{URL: "https://site.example/a", Title: "A"}},
		{`{"type":"handoff"}`, dialect.Handoff{}},
		{`{"type":"rating","score":5}`, dialect.Rating{Score: 5}},
		{`{"type":"rating","score":1,"comment":"slow"}`, dialect.Rating{Score: 1, Comment: "slow"}},
		{`{"type":"ping"}`, dialect.Ping{}},
		{`{"type":"ping","t":1732180000123}`, dialect.Ping{T: json.RawMessage("1732180000123")}},
		{`{"type":"ping","t":null}`, dialect.Ping{T: json.RawMessage("null")}},
	}
	for _, tt := range tests {
		t.Run(tt.frame, func(t *testing.T) {
			t.Parallel()
			got, err := parley.Decode([]byte(tt.frame))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v, %v; want %#v", got, err, tt.want)
			}
		})
	}
}

func TestParleyRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 100_000)
	tests := []struct {
		name, frame string
		code        domain.Code
		clientID    string
		says        string
	}{
		{"nothing", ``, domain.CodeBadJSON, "", "JSON object"},
		{"half a frame", `{"type":"ping"`, domain.CodeBadJSON, "", "JSON object"},
		{"two frames", `{"type":"ping"}{"type":"ping"}`, domain.CodeBadJSON, "", "JSON object"},
		{"a list", `["ping"]`, domain.CodeBadJSON, "", "JSON object"},
		{"null", `null`, domain.CodeBadJSON, "", "JSON object"},
		{"a word", `ping`, domain.CodeBadJSON, "", "JSON object"},
		{"deeper than anybody needs", `{"type":"ping","t":` + deep, domain.CodeBadJSON, "", "JSON object"},
		{"NUL", "\x00", domain.CodeBadJSON, "", "JSON object"},
		{"no type", `{"client_id":"c1"}`, domain.CodeUnknownType, "c1", "needs a type"},
		{"unknown type", `{"type":"dance","client_id":"c1"}`, domain.CodeUnknownType, "c1", "known are hello, message"},
		{"type in another case", `{"type":"Hello"}`, domain.CodeUnknownType, "", "no such type"},
		{"key in another case", `{"Type":"hello"}`, domain.CodeUnknownType, "", "needs a type"},
		{"type is no string", `{"type":1}`, domain.CodeBadField, "", "type must be a string"},
		{"type is null", `{"type":null}`, domain.CodeBadField, "", "type must be a string"},
		{"hello after a fraction", `{"type":"hello","after_seq":1.5}`, domain.CodeBadField, "", "after_seq must be a whole number"},
		{"hello after a string", `{"type":"hello","after_seq":"1"}`, domain.CodeBadField, "", "after_seq must be a whole number"},
		{"hello after less than nothing", `{"type":"hello","after_seq":-1}`, domain.CodeBadField, "", "after_seq must not be negative"},
		{"hello after more than there can be", `{"type":"hello","after_seq":99999999999999999999}`, domain.CodeBadField, "", "after_seq"},
		{"capabilities are no list", `{"type":"hello","capabilities":"delta"}`, domain.CodeBadField, "", "capabilities must be a list"},
		{"message without id", `{"type":"message","content":"hi"}`, domain.CodeBadField, "", "client_id must be a string"},
		{"message with a number for id", `{"type":"message","client_id":7,"content":"hi"}`, domain.CodeBadField, "", "client_id must be a string"},
		{"message without content", `{"type":"message","client_id":"c1"}`, domain.CodeBadField, "c1", "content must be a string"},
		{"message with null for content", `{"type":"message","client_id":"c1","content":null}`, domain.CodeBadField, "c1", "content must be a string"},
		{"message with an object for content", `{"type":"message","client_id":"c1","content":{"text":"hi"}}`, domain.CodeBadField, "c1", "content must be a string"},
		{"attachments are no list", `{"type":"message","client_id":"c1","content":"hi","attachments":"a"}`, domain.CodeBadField, "c1", "attachments must be a list"},
		{"attachments of numbers", `{"type":"message","client_id":"c1","content":"hi","attachments":[1]}`, domain.CodeBadField, "c1", "attachments must be a list"},
		{"typing neither on nor off", `{"type":"typing"}`, domain.CodeBadField, "", "on must be true or false"},
		{"typing a word", `{"type":"typing","on":"yes"}`, domain.CodeBadField, "", "on must be true or false"},
		{"read without seq", `{"type":"read"}`, domain.CodeBadField, "", "seq must be a whole number"},
		{"read below", `{"type":"read","seq":-1}`, domain.CodeBadField, "", "seq must not be negative"},
		{"identify as nobody", `{"type":"identify"}`, domain.CodeBadField, "", "identity must be an object"},
		{"identify as a list", `{"type":"identify","identity":[]}`, domain.CodeBadField, "", "identity must be an object"},
		{"identify without user", `{"type":"identify","identity":{}}`, domain.CodeBadField, "", "identity.user_id must be a string"},
		{"identify at a date", `{"type":"identify","identity":{"user_id":"u","timestamp":"now","signature":""}}`, domain.CodeBadField, "", "identity.timestamp must be"},
		{"page without url", `{"type":"page","title":"A"}`, domain.CodeBadField, "", "url must be a string"},
		{"rating without score", `{"type":"rating"}`, domain.CodeBadField, "", "score must be a whole number"},
		{"rating in words", `{"type":"rating","score":5,"comment":5}`, domain.CodeBadField, "", "comment must be a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parley.Decode([]byte(tt.frame))
			if c != nil || domain.CodeOf(err) != tt.code || domain.KindOf(err) != domain.Invalid || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %#v, %v; want %s that says %q", c, err, tt.code, tt.says)
			}
			if refused, ok := err.(*dialect.Refused); !ok || refused.ClientID != tt.clientID {
				t.Errorf("names %+v, want %q", refused, tt.clientID)
			}
		})
	}
}

func TestParleyDecodesBodies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind, body string
		want       dialect.Command
		code       domain.Code
	}{
		{"handoff", ``, dialect.Handoff{}, ""},
		{"handoff", `{}`, dialect.Handoff{}, ""},
		{"handoff", `null`, dialect.Handoff{}, ""},
		{"typing", `{"on":true}`, dialect.Typing{On: true}, ""},
		{"message", `{"type":"ping","client_id":"c1","content":"hi"}`, dialect.Message{ClientID: "c1", Content: "hi"}, ""},
		{"typing", ``, nil, domain.CodeBadField},
		{"typing", `[]`, nil, domain.CodeBadJSON},
		{"dance", `{}`, nil, domain.CodeUnknownType},
	}
	for _, tt := range tests {
		t.Run(tt.kind+tt.body, func(t *testing.T) {
			t.Parallel()
			got, err := parley.DecodeBody(tt.kind, []byte(tt.body))
			if !reflect.DeepEqual(got, tt.want) || domain.CodeOf(err) != tt.code {
				t.Errorf("got %#v, %v; want %#v, %q", got, err, tt.want, tt.code)
			}
		})
	}
}

func TestParleyEncodes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 10, 30, 0, 7_999_999, time.FixedZone("", 3600))
	line := domain.Message{ID: "m-1", OrgID: "o-1", ThreadID: "t-1", Seq: 3, SessionID: "s-1", Author: domain.Author{Kind: domain.AuthorAgent, Name: "Ada"},
		AuthorID: "a-1", Content: "<b> & \u2028", ContentType: domain.Markdown, CreatedAt: at}
	cited, own, team := line, line, line
	cited.Citations = []domain.Citation{{Title: "Returns", URL: "https://site.example/returns", Snippet: "30 days"}, {Title: "Care"}}
	own.Author, own.ClientID, own.ContentType = domain.Author{Kind: domain.AuthorVisitor, Name: "Visitor"}, "c1", domain.Text
	team.Author, team.ClientID = domain.Author{Kind: domain.AuthorHuman, Name: "Anna", AvatarURL: "https://site.example/anna.png"}, "from the crm"
	const session = `{"type":"session","session_id":"s-1","resumed":`
	tests := []struct {
		name  string
		event dialect.Event
		want  string
	}{
		{"first session", dialect.Session{ID: "s-1", Handling: domain.HandlingAgent, Now: at},
			session + `false,"thread":{"id":null,"last_seq":0,"handling":"agent"},"server_time":"2026-11-21T09:30:00.007Z"}`},
		{"session", dialect.Session{ID: "s-1", Resumed: true, Thread: "t-1", LastSeq: 9, Handling: domain.HandlingHuman, Now: at},
			session + `true,"thread":{"id":"t-1","last_seq":9,"handling":"human"},"server_time":"2026-11-21T09:30:00.007Z"}`},
		{"message", dialect.Line{Message: line},
			`{"type":"message","seq":3,"id":"m-1","author":{"kind":"agent","name":"Ada"},"content":"<b> & \u2028","content_type":"markdown","created_at":"2026-11-21T09:30:00.007Z"}`},
		{"message with citations", dialect.Line{Message: cited},
			`{"type":"message","seq":3,"id":"m-1","author":{"kind":"agent","name":"Ada"},"content":"<b> & \u2028","content_type":"markdown",` +
				`"citations":[{"title":"Returns","url":"https://site.example/returns","snippet":"30 days"},{"title":"Care","snippet":""}],"created_at":"2026-11-21T09:30:00.007Z"}`},
		{"visitor's message", dialect.Line{Message: own},
			`{"type":"message","seq":3,"id":"m-1","client_id":"c1","author":{"kind":"visitor","name":"Visitor"},"content":"<b> & \u2028","content_type":"text","created_at":"2026-11-21T09:30:00.007Z"}`},
		{"person's message", dialect.Line{Message: team},
			`{"type":"message","seq":3,"id":"m-1","author":{"kind":"human","name":"Anna","avatar_url":"https://site.example/anna.png"},"content":"<b> & \u2028","content_type":"markdown","created_at":"2026-11-21T09:30:00.007Z"}`},
		{"ack", dialect.Ack{ClientID: "c1", ID: "m-1", Seq: 3, CreatedAt: at},
			`{"type":"ack","client_id":"c1","id":"m-1","seq":3,"duplicate":false,"created_at":"2026-11-21T09:30:00.007Z"}`},
		{"second ack", dialect.Ack{ClientID: "c1", ID: "m-1", Seq: 3, Duplicate: true, CreatedAt: at},
			`{"type":"ack","client_id":"c1","id":"m-1","seq":3,"duplicate":true,"created_at":"2026-11-21T09:30:00.007Z"}`},
		{"typing", dialect.Writing{On: true, Author: team.Author}, `{"type":"typing","on":true,"author":{"kind":"human","name":"Anna"}}`},
		{"typing no more", dialect.Writing{Author: line.Author}, `{"type":"typing","on":false,"author":{"kind":"agent","name":"Ada"}}`},
		{"delta", dialect.Delta{TurnID: "u-1", Content: "He"}, `{"type":"delta","turn_id":"u-1","index":0,"content":"He"}`},
		{"status", dialect.Status{Handling: domain.HandlingWaiting}, `{"type":"status","handling":"waiting","available":false}`},
		{"status with a person", dialect.Status{Handling: domain.HandlingHuman, Available: true, Assignee: "Anna"},
			`{"type":"status","handling":"human","available":true,"assignee":{"name":"Anna"}}`},
		{"read", dialect.Seen{Seq: 4}, `{"type":"read","seq":4}`},
		{"error", dialect.Failure{Code: domain.CodeInternal, Message: "something went wrong"}, `{"type":"error","code":"internal","message":"something went wrong"}`},
		{"error about a message", dialect.Failure{Code: domain.CodeRateLimited, Message: "slow down", ClientID: "c1", RetryAfter: 1500*time.Millisecond + 1},
			`{"type":"error","code":"rate_limited","message":"slow down","client_id":"c1","retry_after_ms":1501}`},
		{"pong", dialect.Pong{}, `{"type":"pong"}`},
		{"pong with its t", dialect.Pong{T: json.RawMessage(`{"a": [1.0, null]}`)}, `{"type":"pong","t":{"a":[1.0,null]}}`},
		{"pong with what is no UTF-8", dialect.Pong{T: json.RawMessage("\"\xff\"")}, "{\"type\":\"pong\",\"t\":\"\uFFFD\"}"},
		{"pong with nonsense", dialect.Pong{T: json.RawMessage(`{`)}, `{"type":"pong"}`},
		{"bye", dialect.Bye{Reason: dialect.Drain, ReconnectAfter: 2 * time.Second}, `{"type":"bye","reason":"drain","reconnect_after_ms":2000}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(parley.Encode(tt.event)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// FuzzDecode looks for a frame that brings the decoder down, or that makes an answer nobody can read.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"type":"hello","after_seq":0,"capabilities":["delta"]}`,
		`{"type":"message","client_id":"c","content":"hi","attachments":[]}`,
		`{"type":"identify","identity":{"user_id":"u","timestamp":1,"signature":""}}`,
		"{\"type\":\"ping\",\"t\":\"\xff\"}", `{"type":"ping","t":{"t":[1e99,"\ud83d"]}}`, `{"type":"rating","score":1e2}`, `{"type":"read","seq":-0}`, "{\"type\":\"\xff\"}", `[[[[`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		c, err := parley.Decode(frame)
		var answer dialect.Event = dialect.Pong{}
		switch refused, ok := err.(*dialect.Refused); {
		case ok:
			answer = dialect.Failure{Code: domain.CodeOf(err), Message: err.Error(), ClientID: refused.ClientID}
		case err != nil || c == nil:
			t.Fatalf("%q gives %#v, %v", frame, c, err)
		default:
			if ping, ok := c.(dialect.Ping); ok {
				answer = dialect.Pong(ping)
			}
		}
		if out := parley.Encode(answer); !json.Valid(out) || !utf8.Valid(out) || strings.ContainsAny(string(out), "\n\r") {
			t.Fatalf("%q is answered with %q", frame, out)
		}
	})
}
