package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeChatwoot is a Chatwoot as far as a bridge sees of one: it takes messages, shows who types, and reports what happens to a webhook.
type fakeChatwoot struct {
	t      testing.TB
	server *httptest.Server
	secret string // signs its reports; empty: they are not signed
	client *http.Client

	mu      sync.Mutex
	nextID  int
	posted  map[string][]fakeMessage // by conversation, in the order in which they came
	notes   map[string][]string      // by conversation: what only the people there see
	opened  map[string][]string      // by conversation: what it was set to
	typing  map[string][]string      // by conversation: on, off
	fault   func(r *http.Request, n int) fakeFault
	calls   int
	reports string // where it reports what was posted, as the real one does; empty: nowhere
	told    sync.WaitGroup
}

type fakeMessage struct {
	ID      int
	Content string
	At      time.Time
}

// fakeFault is how a request goes wrong.
type fakeFault struct {
	status int           // answered at once, and nothing is stored; 0 = none
	slow   time.Duration // before it is answered
	reset  bool          // the connection breaks before anything is stored
	lost   bool          // it breaks after that
	header map[string]string
}

func newFakeChatwoot(t testing.TB) *fakeChatwoot {
	f := &fakeChatwoot{t: t, client: http.DefaultClient, nextID: 5000, posted: map[string][]fakeMessage{}, notes: map[string][]string{}, opened: map[string][]string{}, typing: map[string][]string{}}
	f.server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() { f.told.Wait(); f.server.Close() })
	return f
}

const fakeToken = "token-of-the-bridge"

func (f *fakeChatwoot) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.calls++
	var wrong fakeFault
	if f.fault != nil {
		wrong = f.fault(r, f.calls)
	}
	f.mu.Unlock()
	select {
	case <-time.After(wrong.slow):
	case <-r.Context().Done():
		return
	}
	if wrong.reset {
		panic(http.ErrAbortHandler)
	}
	for k, v := range wrong.header {
		w.Header().Set(k, v)
	}
	if wrong.status != 0 {
		w.WriteHeader(wrong.status)
		return
	}
	if r.Header.Get("api_access_token") != fakeToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v1/accounts/7/")
	if ok && rest == "inboxes" {
		_, _ = io.WriteString(w, `{"payload":[{"id":1,"name":"Website"},{"id":2,"name":"Mail"}]}`)
		return
	}
	rest, ok2 := strings.CutPrefix(rest, "conversations/")
	conversation, action, ok3 := strings.Cut(rest, "/")
	if !ok || !ok2 || !ok3 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	switch r.Method + " " + action {
	case "POST messages":
		f.message(w, conversation, body, wrong.lost)
	case "GET messages":
		f.list(w, conversation)
	case "POST toggle_typing_status", "POST toggle_status":
		var in struct {
			Typing string `json:"typing_status"`
			Status string `json:"status"`
		}
		_ = json.Unmarshal(body, &in)
		f.mu.Lock()
		if action == "toggle_status" {
			f.opened[conversation] = append(f.opened[conversation], in.Status)
		} else {
			f.typing[conversation] = append(f.typing[conversation], in.Typing)
		}
		f.mu.Unlock()
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *fakeChatwoot) message(w http.ResponseWriter, conversation string, body []byte, lost bool) {
	var in map[string]any
	want := map[string]any{"message_type": "outgoing", "content_type": "text"}
	if err := json.Unmarshal(body, &in); err != nil {
		f.t.Errorf("posted %s", body)
	}
	for k, v := range want {
		if in[k] != v {
			f.t.Errorf("posted %s: want %s to be %v", body, k, v)
		}
	}
	if attributes, ok := in["content_attributes"].(map[string]any); !ok || len(attributes) > 0 || len(in) != 5 {
		f.t.Errorf("posted %s", body)
	}
	content, _ := in["content"].(string)
	private, told := in["private"].(bool)
	if !told {
		f.t.Errorf("posted %s", body)
	}
	f.mu.Lock()
	f.nextID++
	if private {
		f.notes[conversation] = append(f.notes[conversation], content)
		_ = json.NewEncoder(w).Encode(map[string]any{"id": f.nextID, "private": true})
		f.mu.Unlock()
		return
	}
	m := fakeMessage{f.nextID, content, time.Now()}
	f.posted[conversation] = append(f.posted[conversation], m)
	reports := f.reports
	f.mu.Unlock()
	if reports != "" { // as from a job of its own: before or after the answer
		f.told.Go(func() { f.report(context.Background(), reports, f.outgoing(m.ID, conversation, content, "Bridge")) })
	}
	if lost {
		panic(http.ErrAbortHandler)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"id": m.ID, "content": content, "conversation_id": conversation, "message_type": 1})
}

func (f *fakeChatwoot) list(w http.ResponseWriter, conversation string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := []map[string]any{}
	for _, m := range f.posted[conversation] {
		all = append(all, map[string]any{"id": m.ID, "content": m.Content, "message_type": 1, "private": false, "created_at": m.At.Unix()})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"payload": all})
}

// incoming is the report of a contact's line.
func (f *fakeChatwoot) incoming(id, conversation int, content string) map[string]any {
	return map[string]any{"event": "message_created", "id": id, "content": content, "created_at": time.Now().Format(time.RFC3339), "message_type": "incoming",
		"content_type": "text", "content_attributes": map[string]any{}, "private": false, "account": map[string]any{"id": 7, "name": "Acme"}, "inbox": map[string]any{"id": 1, "name": "Website"},
		"sender": map[string]any{"id": 9000 + conversation, "name": fmt.Sprint("Grace ", conversation), "email": fmt.Sprintf("grace%d@example.com", conversation)},
		"conversation": map[string]any{"id": conversation, "inbox_id": 1, "channel": "Channel::WebWidget", "status": "pending",
			"additional_attributes": map[string]any{"referer": "https://shop.example/"}}}
}

// outgoing is the report of what a user of the account has written, the bridge's own among them.
func (f *fakeChatwoot) outgoing(id int, conversation, content, by string) map[string]any {
	return map[string]any{"event": "message_created", "id": id, "content": content, "message_type": "outgoing", "private": false, "account": map[string]any{"id": 7},
		"inbox": map[string]any{"id": 1}, "sender": map[string]any{"id": 3, "name": by, "email": "team@example.com", "type": "user"},
		"conversation": map[string]any{"id": json.Number(conversation), "inbox_id": 1, "meta": map[string]any{"sender": map[string]any{"id": "9000" + conversation, "name": "Grace"}}}}
}

// status is the report that a conversation has another status.
func (f *fakeChatwoot) status(conversation int, status string) map[string]any {
	return map[string]any{"event": "conversation_status_changed", "id": conversation, "inbox_id": 1, "status": status, "account": map[string]any{"id": 7},
		"timestamp": time.Now().UnixNano()}
}

// fakeReply is how a report was answered.
type fakeReply struct {
	code    int
	Status  string `json:"status"`
	Message string `json:"message"`
	Data    struct {
		EventID string `json:"event_id"`
		Content string `json:"response_content"`
		Total   int    `json:"total_responses"`
		Skip    string `json:"skip_reason"`
	} `json:"data"`
}

// report posts one, signed if there is a secret.
func (f *fakeChatwoot) report(ctx context.Context, to string, what map[string]any) (out fakeReply) {
	body, err := json.Marshal(what)
	if err != nil {
		f.t.Error(err)
		return out
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		f.t.Error(err)
		return out
	}
	if f.secret != "" {
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(f.secret))
		mac.Write([]byte(stamp + "." + string(body)))
		r.Header.Set("X-Chatwoot-Timestamp", stamp)
		r.Header.Set("X-Chatwoot-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	resp, err := f.client.Do(r)
	if err != nil {
		return out
	}
	defer resp.Body.Close()
	out.code = resp.StatusCode
	_ = json.NewDecoder(resp.Body).Decode(&out)
	return out
}

// wrong lets requests fail from now on as the function says, which gets their number; nil ends it.
func (f *fakeChatwoot) wrong(fault func(r *http.Request, n int) fakeFault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.calls = fault, 0
}

// said is what was posted in a conversation so far.
func (f *fakeChatwoot) said(conversation int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, m := range f.posted[fmt.Sprint(conversation)] {
		out = append(out, m.Content)
	}
	return out
}

// answers is how many lines were posted in all conversations so far.
func (f *fakeChatwoot) answers() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, ms := range f.posted {
		n += len(ms)
	}
	return n
}

// forPeople is what the people there see beside what is said: notes, and what the status was set to.
func (f *fakeChatwoot) forPeople(conversation int) (notes, status []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.notes[fmt.Sprint(conversation)]), slices.Clone(f.opened[fmt.Sprint(conversation)])
}

// signs is what was shown of who types, by conversation.
func (f *fakeChatwoot) signs() map[string][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.typing)
}
