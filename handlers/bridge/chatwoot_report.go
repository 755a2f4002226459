package bridge

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/parley-chat/parley/domain"
)

// What Chatwoot reports, as a pure codec. Its webhooks are described at
// https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks; what is odd in one is taken for absent.

// report is a webhook of Chatwoot's: about a message, or a conversation, whose fields then stand at the top.
type report struct {
	Event       string          `json:"event"`
	ID          foreign         `json:"id"`
	Content     string          `json:"content"`
	CreatedAt   json.RawMessage `json:"created_at"`
	MessageType any             `json:"message_type"`
	ContentType string          `json:"content_type"`
	Attributes  json.RawMessage `json:"content_attributes"`
	SourceID    json.RawMessage `json:"source_id"`
	Sender      person          `json:"sender"`
	Account     place           `json:"account"`
	Inbox       place           `json:"inbox"`
	Private     any             `json:"private"`
	Attachments []attachment    `json:"attachments"`

	Conversation reportedConversation `json:"conversation"`
	reportedTop
}

// reportedTop is a conversation that the report is about.
type reportedTop struct {
	InboxID foreign `json:"inbox_id"`
	Status  string  `json:"status"`
	Meta    meta    `json:"meta"`

	UpdatedAt json.RawMessage `json:"updated_at"` // unix seconds with a fraction; not in old releases
	Timestamp json.RawMessage `json:"timestamp"`  // of the last activity
	Messages  []struct {
		AccountID foreign `json:"account_id"`
	} `json:"messages"`
}

type reportedConversation struct {
	ID         foreign         `json:"id"`
	InboxID    foreign         `json:"inbox_id"`
	Channel    string          `json:"channel"`
	Status     string          `json:"status"`
	Attributes json.RawMessage `json:"additional_attributes"`
	Meta       meta            `json:"meta"`
}

type meta struct {
	Sender person `json:"sender"`
}

type place struct {
	ID foreign `json:"id"`
}

type person struct {
	ID    foreign `json:"id"`
	Name  string  `json:"name"`
	Email string  `json:"email"`
	Phone string  `json:"phone_number"`
	Type  string  `json:"type"`
}

type attachment struct {
	URL string `json:"data_url"`
}

// foreign is an id that is absent when it is none.
type foreign string

func (f *foreign) UnmarshalJSON(b []byte) error {
	var id domain.ForeignID
	_ = id.UnmarshalJSON(b)
	if id == "." || id == ".." || strings.ContainsFunc(string(id), unicode.IsControl) { // no path or database would take it as it is
		id = ""
	}
	*f = foreign(id)
	return nil
}

var errNoReport = errors.New("the body is not a JSON object")

// decodeReport reads a webhook's body. It fails with errNoReport.
func decodeReport(body []byte) (r report, err error) {
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '{' {
		return r, errNoReport
	}
	// What has another type than it should is left out.
	if _, no := errors.AsType[*json.SyntaxError](json.Unmarshal(body, &r)); no {
		return report{}, errNoReport
	}
	if len(r.Conversation.ID) == 0 && strings.HasPrefix(r.Event, "conversation_") {
		r.Conversation.ID = r.ID
	}
	return r, nil
}

func (r report) account() string {
	if r.Account.ID == "" && len(r.Messages) > 0 {
		return string(r.Messages[0].AccountID)
	}
	return string(r.Account.ID)
}

// inbox is where the conversation came in.
func (r report) inbox() string {
	for _, id := range []foreign{r.Conversation.InboxID, r.Inbox.ID, r.InboxID} {
		if id != "" {
			return string(id)
		}
	}
	return ""
}

func (r report) incoming() bool { return is(r.MessageType, "incoming", "0") }

func (r report) outgoing() bool { return is(r.MessageType, "outgoing", "1") }

func (r report) private() bool { return is(r.Private, "true", "1") }

// is reports whether a value says one of the words, as text, a number or a truth.
func is(v any, words ...string) bool {
	var said string
	switch v := v.(type) {
	case string:
		said = v
	case float64:
		said = strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		said = strconv.FormatBool(v)
	}
	for _, w := range words {
		if said == w {
			return true
		}
	}
	return false
}

// byTeam reports whether a person of the account wrote it, byBot whether a program did.
func (p person) byTeam() bool { t := strings.ToLower(p.Type); return t == "user" || t == "agent" }

func (p person) byBot() bool {
	return strings.HasSuffix(strings.ReplaceAll(strings.ToLower(p.Type), "_", ""), "bot")
}

// contact is with whom the conversation is.
func (r report) contact() person {
	for _, p := range []person{r.Conversation.Meta.Sender, r.Meta.Sender} {
		if p.ID != "" {
			return p
		}
	}
	if r.incoming() {
		return r.Sender
	}
	return person{}
}

// text is what the message says; one of nothing but files says where they are.
func (r report) text() string {
	if strings.TrimSpace(r.Content) != "" {
		return r.Content
	}
	var urls []string
	for _, a := range r.Attachments {
		if a.URL != "" {
			urls = append(urls, a.URL)
		}
	}
	return strings.Join(urls, "\n")
}

// resolves says who has a conversation after the change that is reported; ok is false if nobody else has.
func (r report) moves() (to domain.Handling, ok bool) {
	status := r.Status
	if status == "" {
		status = r.Conversation.Status
	}
	switch {
	case r.Event == "conversation_resolved", r.Event == "conversation_status_changed" && status == "resolved":
		return domain.HandlingClosed, true
	case r.Event == "conversation_status_changed" && status == "pending": // Chatwoot's word for what its bots have
		return domain.HandlingAgent, true
	}
	return "", false
}

// fact tells a change of a conversation from another one: Chatwoot gives it no id. The same bytes are the same change, whoever tells of it
// how often (an account may have two webhooks), if they say when it was, as those of Chatwoot do; else the sending tells, by its id or by
// when it was signed. Where nothing tells, they are the same: what somebody else repeats must not undo what has happened since.
func (r report) fact(h http.Header, body []byte) string {
	digest := sha256.New()
	digest.Write(body)
	if unlessNone(r.UpdatedAt) == nil && unlessNone(r.Timestamp) == nil {
		digest.Write([]byte("\n" + cmp.Or(h.Get(chatwootDelivery), h.Get(chatwootTimestamp))))
	}
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

// kept is what the ledger keeps of a message beside its words.
func (r report) kept() json.RawMessage {
	type conversation struct {
		ID         foreign         `json:"id"`
		InboxID    string          `json:"inbox_id"`
		Channel    string          `json:"channel"`
		Attributes json.RawMessage `json:"additional_attributes,omitempty"`
	}
	type sender struct {
		ID    foreign `json:"id"`
		Name  string  `json:"name"`
		Email string  `json:"email"`
		Phone string  `json:"phone_number"`
	}
	p := r.Sender
	b, _ := json.Marshal(struct { // strings and what was JSON already: cannot fail
		Conversation conversation    `json:"conversation"`
		Sender       sender          `json:"sender"`
		ContentType  string          `json:"content_type"`
		CreatedAt    json.RawMessage `json:"created_at,omitempty"`
		Attributes   json.RawMessage `json:"content_attributes,omitempty"`
		SourceID     json.RawMessage `json:"source_id,omitempty"`
	}{conversation{r.Conversation.ID, r.inbox(), r.Conversation.Channel, unlessNone(r.Conversation.Attributes)}, sender{p.ID, p.Name, p.Email, p.Phone},
		r.ContentType, unlessNone(r.CreatedAt), unlessNone(r.Attributes), unlessNone(r.SourceID)})
	return b
}

// unlessNone is nothing for what says nothing.
func unlessNone(v json.RawMessage) json.RawMessage {
	if s := string(v); s == "null" || s == "{}" {
		return nil
	}
	return v
}

const (
	chatwootSignature = "X-Chatwoot-Signature"
	chatwootTimestamp = "X-Chatwoot-Timestamp"
	chatwootDelivery  = "X-Chatwoot-Delivery" // names a sending; not in old releases
	chatwootWindow    = 300 * time.Second
)

// signed reports whether a body was signed with a secret, not too long ago and not in the future.
func signed(h http.Header, body []byte, secret string, now time.Time) bool {
	stamp := h.Get(chatwootTimestamp)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return false
	}
	if off := now.Sub(time.Unix(seconds, 0)); off > chatwootWindow || off < -chatwootWindow {
		return false
	}
	given, ok := strings.CutPrefix(h.Get(chatwootSignature), "sha256=")
	mac, err := hex.DecodeString(given)
	if !ok || err != nil {
		return false
	}
	want := hmac.New(sha256.New, []byte(secret))
	want.Write([]byte(stamp + "."))
	want.Write(body)
	return hmac.Equal(mac, want.Sum(nil))
}
