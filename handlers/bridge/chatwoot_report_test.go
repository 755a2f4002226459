package bridge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

func TestDecodeReport(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body   string
		id, conv     string
		inbox        string
		account      string
		in, out      bool
		private      bool
		contact, say string
	}{
		{"strings", `{"id":"5","message_type":"incoming","conversation":{"id":"41","inbox_id":"1"},"account":{"id":"7"},"sender":{"id":"9"},"content":"a"}`, "5", "41", "1", "7", true, false, false, "9", "a"},
		{"integers", `{"id":5,"message_type":0,"conversation":{"id":41,"inbox_id":1},"account":{"id":7},"sender":{"id":9},"content":"a"}`, "5", "41", "1", "7", true, false, false, "9", "a"},
		{"huge", `{"id":123456789012345678901234567890,"message_type":"0"}`, "123456789012345678901234567890", "", "", "", true, false, false, "", ""},
		{"the other inbox", `{"inbox":{"id":2},"conversation":{"id":1}}`, "", "1", "2", "", false, false, false, "", ""},
		{"the conversation's inbox first", `{"inbox":{"id":2},"conversation":{"id":1,"inbox_id":3}}`, "", "1", "3", "", false, false, false, "", ""},
		{"outgoing", `{"message_type":1,"sender":{"id":3,"type":"user"},"conversation":{"meta":{"sender":{"id":9}}}}`, "", "", "", "", false, true, false, "9", ""},
		{"outgoing in words", `{"message_type":"outgoing","sender":{"id":3}}`, "", "", "", "", false, true, false, "", ""},
		{"an activity", `{"message_type":"activity"}`, "", "", "", "", false, false, false, "", ""},
		{"private", `{"message_type":1,"private":true}`, "", "", "", "", false, true, true, "", ""},
		{"private in words", `{"message_type":1,"private":"true"}`, "", "", "", "", false, true, true, "", ""},
		{"a conversation", `{"event":"conversation_status_changed","id":41,"inbox_id":1,"messages":[{"account_id":7}],"meta":{"sender":{"id":9}}}`, "41", "41", "1", "7", false, false, false, "9", ""},
		{"files", `{"message_type":0,"content":null,"attachments":[{"data_url":"https://a.example/1"},{"data_url":"https://a.example/2"}]}`, "", "", "", "", true, false, false, "", "https://a.example/1\nhttps://a.example/2"},
		{"no ids", `{"id":1.5,"conversation":{"id":true,"inbox_id":[]},"account":{"id":{}}}`, "", "", "", "", false, false, false, "", ""},
		{"ids that lead elsewhere", `{"id":"a\u0000b","conversation":{"id":"..","inbox_id":"."},"account":{"id":"7\n"},"sender":{"id":"\u007f"},"message_type":0}`, "", "", "", "7", true, false, false, "", ""},
		{"odd shapes", `{"id":5,"sender":"x","content":7,"conversation":[],"account":null,"message_type":{},"private":[],"attachments":{}}`, "5", "", "", "", false, false, false, "", ""},
		{"odd first", `{"content":[],"id":5,"conversation":{"channel":3,"id":41}}`, "5", "41", "", "", false, false, false, "", ""},
		{"empty", `{}`, "", "", "", "", false, false, false, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := decodeReport([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(r.ID, "|", r.Conversation.ID, "|", r.inbox(), "|", r.account(), r.incoming(), r.outgoing(), r.private(), r.contact().ID, "|", r.text())
			want := fmt.Sprint(tt.id, "|", tt.conv, "|", tt.inbox, "|", tt.account, tt.in, tt.out, tt.private, tt.contact, "|", tt.say)
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	for _, bad := range []string{"", " ", "{", "null", "[]", `"x"`, "1", `{"id":5}{`, "{\x00}"} {
		if r, err := decodeReport([]byte(bad)); err == nil {
			t.Errorf("%q is %+v", bad, r)
		}
	}
}

func TestMoves(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body string
		to   domain.Handling
	}{
		{`{"event":"conversation_status_changed","status":"resolved"}`, domain.HandlingClosed},
		{`{"event":"conversation_status_changed","conversation":{"status":"resolved"}}`, domain.HandlingClosed},
		{`{"event":"conversation_resolved","status":"resolved"}`, domain.HandlingClosed},
		{`{"event":"conversation_status_changed","status":"pending"}`, domain.HandlingAgent},
		{`{"event":"conversation_status_changed","status":"open"}`, ""},
		{`{"event":"conversation_updated","status":"resolved"}`, ""},
		{`{"event":"message_created","status":"resolved"}`, ""},
	}
	for _, tt := range tests {
		r, err := decodeReport([]byte(tt.body))
		to, ok := r.moves()
		if err != nil || to != tt.to || ok != (tt.to != "") {
			t.Errorf("%s: %q, %t, %v", tt.body, to, ok, err)
		}
	}
}

// sign is what Chatwoot puts beside a body.
func sign(secret string, at time.Time, body string) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "." + body))
	return http.Header{chatwootTimestamp: {stamp}, chatwootSignature: {"sha256=" + hex.EncodeToString(mac.Sum(nil))}}
}

func TestSigned(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	const body = `{"event":"message_created"}`
	with := func(name, value string) func(http.Header) { return func(h http.Header) { h[name] = []string{value} } }
	tests := []struct {
		name string
		at   time.Duration
		set  func(http.Header)
		ok   bool
	}{
		{"now", 0, nil, true},
		{"300 seconds old", -300 * time.Second, nil, true},
		{"300 seconds early", 300 * time.Second, nil, true},
		{"too old", -301 * time.Second, nil, false},
		{"too early", 301 * time.Second, nil, false},
		{"upper case", 0, func(h http.Header) {
			h.Set(chatwootSignature, "sha256="+strings.ToUpper(strings.TrimPrefix(h.Get(chatwootSignature), "sha256=")))
		}, true},
		{"no signature", 0, func(h http.Header) { h.Del(chatwootSignature) }, false},
		{"no time", 0, func(h http.Header) { h.Del(chatwootTimestamp) }, false},
		{"another time", 0, with(chatwootTimestamp, "1800000001"), false},
		{"no number", 0, with(chatwootTimestamp, "soon"), false},
		{"a huge time", 0, with(chatwootTimestamp, "9223372036854775807"), false},
		{"a time before time", 0, with(chatwootTimestamp, "-1"), false},
		{"no scheme", 0, func(h http.Header) { h.Set(chatwootSignature, strings.TrimPrefix(h.Get(chatwootSignature), "sha256=")) }, false},
		{"another scheme", 0, func(h http.Header) {
			h.Set(chatwootSignature, strings.Replace(h.Get(chatwootSignature), "sha256", "sha1", 1))
		}, false},
		{"no hex", 0, with(chatwootSignature, "sha256=whisper"), false},
		{"empty", 0, with(chatwootSignature, "sha256="), false},
		{"half", 0, func(h http.Header) { h.Set(chatwootSignature, h.Get(chatwootSignature)[:40]) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := sign("whisper", now.Add(tt.at), body)
			if tt.set != nil {
				tt.set(h)
			}
			if got := signed(h, []byte(body), "whisper", now); got != tt.ok {
				t.Errorf("signed: %t", got)
			}
			if signed(h, []byte(body+" "), "whisper", now) || signed(h, []byte(body), "another", now) {
				t.Error("another body or secret passes")
			}
		})
	}
}

// FuzzDecodeReport sees that whatever is posted is either no report or one whose ids can be used, and that what is kept of it is JSON.
func FuzzDecodeReport(f *testing.F) {
	for _, seed := range []string{
		`{"event":"message_created","id":5,"content":"a","message_type":"incoming","conversation":{"id":41,"inbox_id":1,"additional_attributes":{"a":[1]}},"account":{"id":7},"sender":{"id":9,"type":"contact"}}`,
		`{"event":"conversation_status_changed","id":41,"status":"resolved","messages":[{"account_id":7}]}`,
		`{"id":"\u0000","content":"\ud800","created_at":1e999,"private":"true"}`, `{`, `null`, `{"conversation":{"conversation":{}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decodeReport(body)
		if err != nil {
			return
		}
		if !json.Valid(r.kept()) {
			t.Errorf("kept %s", r.kept())
		}
		_, _ = r.moves()
		_ = r.text() + r.account() + r.inbox() + string(r.contact().ID)
		if r.incoming() && r.outgoing() {
			t.Error("both incoming and outgoing")
		}
	})
}
