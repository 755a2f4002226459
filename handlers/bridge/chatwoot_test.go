package bridge

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// world is the bridge on a ledger with nobody who takes turns.
type world struct {
	*ledger.Ledger
	account *account.Service
	chat    *chat.Service
	url     string
	quieted []domain.ThreadID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := newIdleWorld(t)
	w.records(t)
	return w
}

// records lets what is kept be recorded.
func (w *world) records(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.chat.RecordReports(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// newIdleWorld is one that records nothing that is only kept.
func newIdleWorld(t *testing.T) *world {
	t.Helper()
	l := ledgertest.New(t)
	log := slog.New(slog.DiscardHandler)
	w := &world{Ledger: l, account: account.New(l), chat: chat.New(l, relay.New(l, log), log)}
	var mu sync.Mutex
	c := &Chatwoot{Chat: w.chat, Log: log, Quiet: func(_ domain.OrgID, id domain.ThreadID) {
		mu.Lock()
		w.quieted = append(w.quieted, id)
		mu.Unlock()
	}}
	r := chi.NewRouter()
	c.Routes(r)
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

// sets up an account of an organisation: inbox 1 is answered by its agent, inbox 2 by people.
func (w *world) sets(t *testing.T, f ledgertest.Fixture, accountID, secret string) domain.Channel {
	t.Helper()
	c, err := w.account.CreateChannel(t.Context(), f.Org, account.ChannelInput{Name: "chatwoot", Kind: domain.ChannelChatwoot, Enabled: true, Secret: secret,
		Config: fmt.Appendf(nil, `{"base_url":"https://chatwoot.example/","account_id":%q,"api_access_token":"tok","inboxes":[{"inbox_id":1,"agent_id":%q},{"inbox_id":"2"}]}`, accountID, f.Agent)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type object = map[string]any

// incoming is the report of a contact's line, which a test may spoil.
func incoming(id any, set ...func(object)) object {
	o := object{"event": "message_created", "id": id, "content": "Hello?", "message_type": "incoming", "content_type": "text", "private": false,
		"account": object{"id": 7}, "inbox": object{"id": 1}, "sender": object{"id": 9, "name": "Grace", "email": "grace@example.com", "phone_number": "+15550100"},
		"conversation": object{"id": 41, "inbox_id": 1, "channel": "Channel::Api", "additional_attributes": object{"a": 1}}}
	for _, f := range set {
		f(o)
	}
	return o
}

func set(path string, v any) func(object) {
	return func(o object) {
		keys := strings.Split(path, ".")
		for _, k := range keys[:len(keys)-1] {
			inner := maps.Clone(o[k].(object))
			o[k] = inner
			o = inner
		}
		if v == nil {
			delete(o, keys[len(keys)-1])
			return
		}
		o[keys[len(keys)-1]] = v
	}
}

type answer struct {
	code int
	body string
	object
}

func (w *world) send(t *testing.T, path, body string, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	a := answer{code: resp.StatusCode, body: strings.TrimSpace(string(b))}
	if err != nil || json.Unmarshal(b, &a.object) != nil {
		t.Fatalf("%d %s, %v", a.code, b, err)
	}
	return a
}

func (w *world) report(t *testing.T, path string, o object, secret string) answer {
	t.Helper()
	body, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var h http.Header
	if secret != "" {
		h = sign(secret, time.Now(), string(body))
	}
	return w.send(t, path, string(body), h)
}

// lines are what is in a conversation's thread, as author: words.
func (w *world) lines(t *testing.T, c domain.Channel, conversation string) (domain.Thread, []string) {
	t.Helper()
	th, err := w.ThreadByKey(t.Context(), c.OrgID, domain.ChatwootKey(c.ID, conversation))
	if domain.KindOf(err) == domain.NotFound && err != nil {
		return th, nil
	} else if err != nil {
		t.Fatal(err)
	}
	_, ms, err := w.Since(t.Context(), c.OrgID, th.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range ms {
		out = append(out, string(m.Author.Kind)+" "+m.Author.Name+": "+m.Content)
	}
	return th, out
}

const hook = "/webhook/chatwoot?wait=0"

// What is not for an agent is ignored with a reason, and leaves nothing behind.
func TestChatwootIgnores(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
	tests := []struct {
		name   string
		report object
		why    string
	}{
		{"another event", incoming(1, set("event", "message_updated")), `Event "message_updated" is not handled`},
		{"no event", incoming(2, set("event", nil)), `Event "" is not handled`},
		{"outgoing", incoming(3, set("message_type", "outgoing")), "Message is not incoming"},
		{"outgoing as a number", incoming(4, set("message_type", 1)), "Message is not incoming"},
		{"an activity", incoming(5, set("message_type", "activity")), "Message is not incoming"},
		{"a template", incoming(6, set("message_type", 3)), "Message is not incoming"},
		{"private", incoming(7, set("private", true)), "Private message"},
		{"a note of the team", incoming(8, set("private", true), set("message_type", "outgoing"), set("sender.type", "user")), "Private message"},
		{"from a user", incoming(9, set("sender.type", "user")), "Sender is an agent"},
		{"from an agent", incoming(10, set("sender.type", "agent")), "Sender is an agent"},
		{"from a bot", incoming(11, set("sender.type", "agent_bot")), "Sender is an agent"},
		{"by a bot", incoming(12, set("message_type", 1), set("sender.type", "agent_bot")), "Message is not incoming"},
		{"another inbox", incoming(13, set("conversation.inbox_id", 3)), "No agent mapping for inbox 3"},
		{"no inbox", incoming(14, set("conversation.inbox_id", nil), set("inbox", nil)), "No agent mapping for inbox (none)"},
		{"another account", incoming(15, set("account.id", 8)), "No agent mapping for inbox 1"},
		{"a person in another inbox", incoming(16, set("message_type", 1), set("sender.type", "user"), set("conversation.inbox_id", 3)), "Message is not incoming"},
		{"nothing at all", object{}, "No agent mapping for inbox (none)"},
		{"a conversation nobody knows is resolved", object{"event": "conversation_status_changed", "id": 41, "status": "resolved", "account": object{"id": 7}}, `Event "conversation_status_changed" is not a message`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.report(t, hook, tt.report, "")
			want, _ := json.Marshal(object{"status": "ignored", "message": tt.why, "data": nil})
			if got, _ := json.Marshal(a.object); a.code != http.StatusOK || string(got) != string(want) {
				t.Errorf("%d %s\nwant %s", a.code, got, want)
			}
		})
	}
	if _, got := w.lines(t, c, "41"); len(got) > 0 {
		t.Errorf("left %q", got)
	}
}

func TestChatwootRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "whisper")
	good, err := json.Marshal(incoming(1))
	if err != nil {
		t.Fatal(err)
	}
	own := "/webhook/chatwoot/" + string(c.ID)
	stale := sign("whisper", time.Now().Add(-10*time.Minute), string(good))
	tests := []struct {
		name, path, body string
		header           http.Header
		code             int
		word             string
	}{
		{"no JSON", hook, "{", nil, 400, "INVALID_JSON"},
		{"no object", own, "[]", nil, 400, "INVALID_JSON"},
		{"empty", hook, "", nil, 400, "INVALID_JSON"},
		{"unsigned", hook, string(good), nil, 401, "INVALID_SIGNATURE"},
		{"unsigned at its own address", own, string(good), nil, 401, "INVALID_SIGNATURE"},
		{"another secret", hook, string(good), sign("shout", time.Now(), string(good)), 401, "INVALID_SIGNATURE"},
		{"another body", hook, string(good), sign("whisper", time.Now(), string(good)+" "), 401, "INVALID_SIGNATURE"},
		{"stale", hook, string(good), stale, 401, "INVALID_SIGNATURE"},
		{"of what is ignored", hook, `{"event":"message_updated","account":{"id":7}}`, nil, 401, "INVALID_SIGNATURE"},
		{"nobody's address", "/webhook/chatwoot/0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11", string(good), nil, 404, "NOT_FOUND"},
		{"no address", "/webhook/chatwoot/x", string(good), nil, 404, "NOT_FOUND"},
		{"too large", hook, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, "PAYLOAD_TOO_LARGE"},
		{"no message id", hook, `{"event":"message_created","message_type":0,"account":{"id":7},"conversation":{"id":1,"inbox_id":1}}`, http.Header{}, 400, "INVALID_PAYLOAD"},
		{"no conversation", hook, `{"event":"message_created","message_type":0,"id":4,"account":{"id":7},"inbox":{"id":1}}`, http.Header{}, 400, "INVALID_PAYLOAD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.header != nil && len(tt.header) == 0 {
				tt.header = sign("whisper", time.Now(), tt.body)
			}
			a := w.send(t, tt.path, tt.body, tt.header)
			if a.code != tt.code || a.object["error_code"] != tt.word || a.object["error"] == "" || a.object["details"] == "" || len(a.object) != 3 {
				t.Errorf("%d %s", a.code, a.body)
			}
		})
	}
	for _, path := range []string{hook, own + "?wait=0"} {
		if a := w.report(t, path, incoming(path), "whisper"); a.code != http.StatusOK || a.object["status"] != "accepted" {
			t.Errorf("signed: %d %s", a.code, a.body)
		}
	}
}

// A report is recorded once, whoever brings it however often and however its ids are written.
func TestChatwootRecordsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
	var all sync.WaitGroup
	answers := make([]answer, 24)
	for i := range answers {
		all.Go(func() {
			o := incoming(5)
			if i%2 == 0 {
				o = incoming("5", set("conversation.id", "41"), set("conversation.inbox_id", "1"), set("account.id", "7"), set("message_type", 0))
			}
			answers[i] = w.report(t, hook, o, "")
		})
	}
	all.Wait()
	for _, a := range answers {
		if a.code != http.StatusOK || a.object["status"] != "accepted" || a.body != answers[0].body {
			t.Errorf("%d %s\nthe first %s", a.code, a.body, answers[0].body)
		}
	}
	th, got := w.lines(t, c, "41")
	if len(got) != 1 || got[0] != "visitor Grace: Hello?" || th.Handling != domain.HandlingAgent || th.Channel != "chatwoot" {
		t.Errorf("%q in %+v", got, th)
	}
	contact, err := w.Contact(t.Context(), c.OrgID, th.ContactID)
	if err != nil || contact.Name != "Grace" || contact.Email != "grace@example.com" || contact.Phone != "+15550100" || contact.Stub {
		t.Errorf("%+v, %v", contact, err)
	}
	if n := w.dispatches(t, th.ID); n != 1 {
		t.Errorf("%d dispatches", n)
	}
	// Another conversation of the same person is another thread of the same contact.
	w.report(t, hook, incoming(6, set("conversation.id", 42), set("content", "And?")), "")
	other, got := w.lines(t, c, "42")
	if len(got) != 1 || other.ID == th.ID || other.ContactID != th.ContactID {
		t.Errorf("%q in %+v", got, other)
	}
}

// dispatches counts a thread's dispatches.
func (w *world) dispatches(t *testing.T, thread domain.ThreadID) (n int) {
	t.Helper()
	if err := w.NewRaw(`SELECT count(*) FROM dispatches WHERE thread_id = ?`, thread).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A person's line in Chatwoot silences the agent and stands in the record, once and with nothing sent back, until it is resolved.
func TestChatwootTakeOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
	anna := []func(object){set("message_type", "outgoing"), set("sender", object{"id": 3, "name": "Anna", "type": "user"}), set("content", "I am Anna."),
		set("conversation.meta", object{"sender": object{"id": 9, "name": "Grace"}})}
	w.report(t, hook, incoming(1), "")
	for range 3 {
		if a := w.report(t, hook, incoming(2, anna...), ""); a.object["status"] != "ignored" || a.object["data"] != nil {
			t.Errorf("%d %s", a.code, a.body)
		}
	}
	a := w.report(t, hook, incoming(3, set("content", "A person!")), "")
	if data, _ := a.object["data"].(object); a.object["status"] != "accepted" || data["skip_reason"] != "human_handling" {
		t.Errorf("%d %s", a.code, a.body)
	}
	th, got := w.lines(t, c, "41")
	if want := []string{"visitor Grace: Hello?", "human Anna: I am Anna.", "visitor Grace: A person!"}; fmt.Sprint(got) != fmt.Sprint(want) || th.Handling != domain.HandlingHuman {
		t.Fatalf("%q, %s", got, th.Handling)
	}
	var posted int
	if err := w.NewRaw(`SELECT count(*) FROM deliveries WHERE thread_id = ?`, th.ID).Scan(t.Context(), &posted); err != nil || posted != 0 {
		t.Errorf("%d deliveries of what is there already, %v", posted, err)
	}
	resolved := object{"event": "conversation_status_changed", "id": 41, "status": "resolved", "inbox_id": 1, "account": object{"id": 7}, "timestamp": 1}
	w.report(t, hook, resolved, "")
	if th, _ = w.lines(t, c, "41"); th.Handling != domain.HandlingClosed {
		t.Errorf("resolved: %s", th.Handling)
	}
	a = w.report(t, hook, incoming(4), "")
	if data, _ := a.object["data"].(object); a.object["status"] != "accepted" || data["skip_reason"] != nil {
		t.Errorf("after it was resolved: %s", a.body)
	}
	// Anna is back; the old report comes once more, and does not take it from her.
	w.report(t, hook, incoming(5, anna...), "")
	a = w.report(t, hook, resolved, "")
	if th, _ = w.lines(t, c, "41"); th.Handling != domain.HandlingHuman || a.code != http.StatusOK || a.object["status"] != "ignored" {
		t.Errorf("an old report: %s, %d %s", th.Handling, a.code, a.body)
	}
	w.report(t, hook, incoming(6, set("content", "Still there?")), "")
	n := w.dispatches(t, th.ID)
	w.report(t, hook, object{"event": "conversation_status_changed", "id": "41", "status": "pending", "account": object{"id": 7}}, "")
	if th, _ = w.lines(t, c, "41"); th.Handling != domain.HandlingAgent || w.dispatches(t, th.ID) != n+1 {
		t.Errorf("pending: %s, %d dispatches", th.Handling, w.dispatches(t, th.ID))
	}
}

// Chatwoot gives a change of status no id. A conversation that is resolved again is closed again; the same report once more is not.
func TestChatwootResolvedAgain(t *testing.T) {
	t.Parallel()
	bare := `{"event":"conversation_status_changed","id":41,"status":"resolved","account":{"id":7}`
	at := func(when string) string { return bare + `,"updated_at":` + when + `}` }
	now := time.Now()
	named := func(header, value string) http.Header { return http.Header{header: {value}} }
	tests := []struct {
		name          string
		first, second string
		h1, h2        http.Header
		again         bool
	}{
		{"at another time", at("1764280000.5"), at("1764280001.25"), nil, nil, true},
		{"at the same time", at("1764280000.5"), at("1764280000.5"), nil, nil, false},
		{"at the same time, told of twice", at("1764280000.5"), at("1764280000.5"), named("X-Chatwoot-Delivery", "a"), named("X-Chatwoot-Delivery", "b"), false},
		{"without a time, in another sending", bare + "}", bare + "}", named("X-Chatwoot-Delivery", "a"), named("X-Chatwoot-Delivery", "b"), true},
		{"without a time, in the same sending", bare + "}", bare + "}", named("X-Chatwoot-Delivery", "a"), named("X-Chatwoot-Delivery", "a"), false},
		{"without a time, signed later", bare + "}", bare + "}", sign("whisper", now.Add(-time.Minute), bare+"}"), sign("whisper", now, bare+"}"), true},
		{"without a time, signed at once", bare + "}", bare + "}", sign("whisper", now, bare+"}"), sign("whisper", now, bare+"}"), false},
		{"where nothing tells", bare + "}", bare + "}", nil, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
			for i, sent := range []struct {
				body   string
				header http.Header
			}{{tt.first, tt.h1}, {tt.second, tt.h2}} {
				w.report(t, hook, incoming(i+1), "")
				if a := w.send(t, hook, sent.body, sent.header); a.code != http.StatusOK {
					t.Fatalf("%d %s", a.code, a.body)
				}
				if th, _ := w.lines(t, c, "41"); (th.Handling == domain.HandlingClosed) != (i == 0 || tt.again) {
					t.Errorf("report %d: %s", i+1, th.Handling)
				}
			}
		})
	}
}

// A person may be the first to write in a conversation; who they write to becomes known with the answer.
func TestChatwootPersonBegins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
	w.report(t, hook, incoming(1, set("message_type", 1), set("sender", object{"id": 3, "name": "Anna", "type": "user"}), set("content", "Your parcel is here.")), "")
	th, got := w.lines(t, c, "41")
	if len(got) != 1 || th.Handling != domain.HandlingHuman || th.ContactID != "" {
		t.Fatalf("%q %+v", got, th)
	}
	w.report(t, hook, object{"event": "conversation_resolved", "id": 41, "account": object{"id": 7}}, "")
	a := w.report(t, hook, incoming(2), "")
	th, got = w.lines(t, c, "41")
	if data, _ := a.object["data"].(object); len(got) != 2 || th.ContactID == "" || data["skip_reason"] != nil {
		t.Errorf("%q %+v %s", got, th, a.body)
	}
}

// Organisations that have the same account do not get each other's reports.
func TestChatwootOrganisations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, rival := ledgertest.Seed(t, w.Ledger), ledgertest.Seed(t, w.Ledger)
	ours, theirs := w.sets(t, acme, "7", "whisper"), w.sets(t, rival, "7", "shout")
	for i, secret := range []string{"whisper", "shout"} {
		if a := w.report(t, hook, incoming(i), secret); a.object["status"] != "accepted" {
			t.Errorf("%s: %s", secret, a.body)
		}
	}
	for _, c := range []domain.Channel{ours, theirs} {
		if _, got := w.lines(t, c, "41"); len(got) != 1 {
			t.Errorf("%s has %q", c.OrgID, got)
		}
		if a := w.report(t, "/webhook/chatwoot/"+string(c.ID)+"?wait=0", incoming("x"), map[domain.ChannelID]string{ours.ID: "shout", theirs.ID: "whisper"}[c.ID]); a.code != http.StatusUnauthorized {
			t.Errorf("the other's secret: %d %s", a.code, a.body)
		}
	}
	// Who has no secret gets what comes to their own address, and nothing that was meant for somebody who has one.
	open := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
	if a := w.report(t, hook, incoming(20), ""); a.code != http.StatusUnauthorized {
		t.Errorf("unsigned: %d %s", a.code, a.body)
	}
	if a := w.report(t, "/webhook/chatwoot/"+string(open.ID)+"?wait=0", incoming(21), ""); a.object["status"] != "accepted" {
		t.Errorf("at its own address: %s", a.body)
	}
	if a := w.report(t, "/webhook/chatwoot/"+string(open.ID)+"?wait=0", incoming(22, set("account.id", 8)), ""); a.object["status"] != "ignored" {
		t.Errorf("another account's at its own address: %s", a.body)
	}
}

// Nothing is lost where an agent cannot be asked: it is recorded, and says why.
func TestChatwootAsksNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := ledgertest.Seed(t, w.Ledger)
	c := w.sets(t, f, "7", "")
	reason := func(o object) any {
		a := w.report(t, hook, o, "")
		data, _ := a.object["data"].(object)
		return data["skip_reason"]
	}
	if why := reason(incoming(1, set("conversation.id", 1), set("conversation.inbox_id", 2))); why != "no_agent" {
		t.Errorf("an inbox of people: %v", why)
	}
	if why := reason(incoming(2, set("conversation.id", 2), set("content", " "))); why != "empty_body" {
		t.Errorf("blank: %v", why)
	}
	var endless strings.Builder // it does not compress, or an index would take it
	for i := range 200 {
		fmt.Fprintf(&endless, "%x", sha256.Sum256([]byte{byte(i)}))
	}
	if why := reason(incoming(30, set("conversation.id", 30), set("sender.id", endless.String()))); why != "contact_unresolved" {
		t.Errorf("from somebody with an endless id: %q", why)
	}
	if why := reason(incoming(3, set("conversation.id", 3), set("sender", nil))); why != "contact_unresolved" {
		t.Errorf("of nobody: %v", why)
	}
	if why := reason(incoming(4, set("conversation.id", 4), set("content", ""), set("attachments", []object{{"data_url": "https://files.example/a.png"}}))); why != nil {
		t.Errorf("a file: %v", why)
	}
	if _, got := w.lines(t, c, "4"); len(got) != 1 || !strings.HasSuffix(got[0], ": https://files.example/a.png") {
		t.Errorf("a file is %q", got)
	}
	if why := reason(incoming(5, set("conversation.id", 5), set("content", strings.Repeat("ä", 20_000)))); why != nil {
		t.Errorf("very long: %v", why)
	}
	if _, got := w.lines(t, c, "5"); len(got) != 1 || len([]rune(got[0])) > 10_020 {
		t.Error("the very long line is not there, or whole")
	}
	ledgertest.Set(t, w.Ledger, "channels", c.ID, "enabled", false)
	if why := reason(incoming(6, set("conversation.id", 6))); why != "trigger_off" {
		t.Errorf("switched off: %v", why)
	}
	ledgertest.Set(t, w.Ledger, "channels", c.ID, "enabled", true)
	if err := w.account.DeleteAgent(t.Context(), f.Org, f.Agent); err != nil {
		t.Fatal(err)
	}
	for i, conversation := range []int{3, 7} {
		if why := reason(incoming(10+i, set("conversation.id", conversation))); why != "no_agent" {
			t.Errorf("the agent was deleted: %v", why)
		}
	}
}

// Whoever was erased and writes again is somebody new, in the same conversation.
func TestChatwootErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
	w.report(t, hook, incoming(1), "")
	before, _ := w.lines(t, c, "41")
	if _, err := w.EraseContact(t.Context(), c.OrgID, before.ContactID); err != nil {
		t.Fatal(err)
	}
	if a := w.report(t, hook, incoming(1), ""); a.object["status"] != "accepted" {
		t.Errorf("a repeat: %d %s", a.code, a.body)
	}
	w.report(t, hook, incoming(2, set("content", "It is me.")), "")
	after, got := w.lines(t, c, "41")
	if len(got) != 1 || after.ID == before.ID || after.ContactID == before.ContactID {
		t.Errorf("%q in %s, before %s", got, after.ID, before.ID)
	}
}

// An address that a contact gives there makes nobody of them who is known here.
func TestChatwootAddressesFindNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := ledgertest.Seed(t, w.Ledger)
	c := w.sets(t, f, "7", "")
	known, err := w.ResolveContact(t.Context(), f.Org, ledger.Identifiers{Name: "The real Grace", Email: "Grace@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	w.report(t, hook, incoming(1), "")
	th, _ := w.lines(t, c, "41")
	if who, err := w.Contact(t.Context(), f.Org, th.ContactID); err != nil || who.ID == known.ID || who.Email != "" || who.Phone != "+15550100" {
		t.Errorf("%+v, %v", who, err)
	}
}
