package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// event is a good one that a test spoils.
func event(external string, set ...func(map[string]any)) map[string]any {
	e := map[string]any{"channel": "letters", "kind": "message", "external_id": external,
		"contact": map[string]any{"external_id": "c-9", "name": "Grace"}, "payload": map[string]any{"content": "Hello?", "stamp": 7}}
	for _, f := range set {
		f(e)
	}
	return e
}

func with(field string, v any) func(map[string]any) {
	return func(e map[string]any) { e[field] = v }
}

func TestEventsSkipForAReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.acme.post(t, "/contacts", map[string]any{"external_id": "out", "opted_out": true}).want(t, http.StatusCreated)
	mute := w.acme.post(t, "/agents", map[string]any{"name": "Mute", "kind": "builtin", "enabled": false}).want(t, http.StatusCreated).str("id")
	w.acme.post(t, "/channels", map[string]any{"name": "off", "agent_id": w.acme.Agent, "enabled": false}).want(t, http.StatusCreated)
	person := func(id string) func(map[string]any) { return with("contact", map[string]any{"external_id": id}) }
	tests := []struct {
		name   string
		event  map[string]any
		status string
		reason string
	}{
		{"an agent is asked", event("1", person("a")), "queued", ""},
		{"by the event", event("2", person("b"), with("channel", "smoke"), with("agent_id", w.acme.Agent)), "queued", ""},
		{"another word with content", event("3", person("c"), with("kind", "letter")), "queued", ""},
		{"no kind", event("4", person("d"), with("kind", nil)), "queued", ""},
		{"nobody there", event("5", person("e"), with("channel", "smoke")), "skipped", "no_agent"},
		{"disabled", event("6", person("f"), with("agent_id", mute)), "skipped", "agent_disabled"},
		{"another organisation's agent", event("7", person("g"), with("agent_id", w.rival.Agent)), "skipped", "cross_org"},
		{"nobody's agent", event("8", person("h"), with("agent_id", somebody)), "skipped", "cross_org"},
		{"switched off", event("9", person("i"), with("channel", "off")), "skipped", "trigger_off"},
		{"opted out", event("10", person("out")), "skipped", "opted_out"},
		{"from nobody", event("11", with("contact", map[string]any{"name": "Grace"})), "skipped", "contact_unresolved"},
		{"no contact", event("12", with("contact", nil)), "skipped", "contact_unresolved"},
		{"blank", event("13", person("j"), with("payload", map[string]any{"content": " \n"})), "skipped", "empty_body"},
		{"no payload", event("14", person("k"), with("payload", nil)), "skipped", "empty_body"},
		{"something happened", event("15", person("l"), with("kind", "order_placed"), with("payload", map[string]any{"total": 12})), "skipped", "empty_body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.acme.post(t, "/events", tt.event).want(t, http.StatusCreated)
			if a.str("dispatch.status") != tt.status || a.str("dispatch.skip_reason") != tt.reason || a.str("event_id") == "" {
				t.Fatalf("%s", a.raw)
			}
			again := w.acme.post(t, "/events", tt.event).want(t, http.StatusOK)
			if string(again.raw) != string(a.raw) {
				t.Errorf("the second time %s\nthe first %s", again.raw, a.raw)
			}
			items := w.acme.get(t, "/threads/"+a.str("thread_id")+"/timeline").want(t, http.StatusOK).items(t)
			said := 0
			for _, i := range items {
				if i["kind"] == "message_received" && i["message_id"] != nil {
					said++
				}
			}
			if want := map[bool]int{true: 0, false: 1}[tt.reason == "empty_body"]; said != want {
				t.Errorf("%d lines in %v", said, items)
			}
		})
	}
	taken := w.acme.post(t, "/events", event("20", person("t"))).want(t, http.StatusCreated)
	w.acme.patch(t, "/threads/"+taken.str("thread_id"), map[string]any{"handling": "human"}).want(t, http.StatusOK)
	w.acme.post(t, "/events", event("21", person("t"))).want(t, http.StatusCreated).check(t, map[string]any{"dispatch.skip_reason": "human_handling", "thread_id": taken.at("thread_id")})
	w.acme.patch(t, "/threads/"+taken.str("thread_id"), map[string]any{"status": "closed"}).want(t, http.StatusOK)
	w.acme.post(t, "/events", event("22", person("t"))).want(t, http.StatusCreated).check(t, map[string]any{"dispatch.status": "queued", "thread_id": taken.at("thread_id")})
	// The foreign agent's name is nowhere.
	if a := w.acme.get(t, "/threads?limit=100"); strings.Contains(string(a.raw), string(w.rival.Agent)) {
		t.Errorf("%s", a.raw)
	}
}

func TestEventsFindTheirContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	make := func(body map[string]any) string {
		return w.acme.post(t, "/contacts", body).want(t, http.StatusCreated).str("id")
	}
	byID, byEmail, byPhone := make(map[string]any{"external_id": "x-1"}), make(map[string]any{"email": "Grace@example.com"}), make(map[string]any{"phone": "555 0100"})
	w.rival.post(t, "/contacts", map[string]any{"external_id": "x-2"}).want(t, http.StatusCreated)
	n := 0
	contact := func(c map[string]any) string {
		n++
		a := w.acme.post(t, "/events", event(fmt.Sprint(n), with("contact", c))).want(t, http.StatusCreated)
		return w.acme.get(t, "/threads/"+a.str("thread_id")).want(t, http.StatusOK).str("contact_id")
	}
	for name, got := range map[string][2]string{
		"external id first": {contact(map[string]any{"external_id": "x-1", "email": "grace@example.com", "phone": "555 0100"}), byID},
		"then e-mail":       {contact(map[string]any{"external_id": "new", "email": "grace@EXAMPLE.com", "phone": "555 0100"}), byEmail},
		"then phone":        {contact(map[string]any{"phone": "555 0100", "name": "Pat"}), byPhone},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %s, want %s", name, got[0], got[1])
		}
	}
	w.acme.get(t, "/contacts/"+byPhone).check(t, map[string]any{"name": "Pat", "phone": "555 0100"})
	w.acme.get(t, "/contacts/"+byEmail).check(t, map[string]any{"external_id": "new", "email": "Grace@example.com"})
	fresh := contact(map[string]any{"external_id": "x-2"})
	w.acme.get(t, "/contacts/"+fresh).want(t, http.StatusOK).check(t, map[string]any{"stub": false})
	w.acme.post(t, "/contacts/"+byID+"/erase", nil).want(t, http.StatusOK)
	if again := contact(map[string]any{"external_id": "x-1"}); again == byID {
		t.Error("an erased contact is found again")
	}
}

// However many post the same event at once, and on whichever node, it is recorded once; and of one person they make one contact.
func TestEventsAreRecordedOnce(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	w := newWorldOn(t, ledgertest.Open(t, dsn))
	other := newWorldOn(t, ledgertest.Open(t, dsn))
	nodes := []client{w.acme.client, {other.server.URL, w.acme.key}}
	var all sync.WaitGroup
	var mu sync.Mutex
	ids, made := map[string]map[string]bool{}, map[string]int{}
	const events, times = 12, 6
	for i := range events * times {
		all.Go(func() {
			name := fmt.Sprint("e", i%events)
			who := map[string]any{"email": "one@example.com", "phone": "+49301234"}
			if i%3 == 0 {
				who = map[string]any{"phone": "+49301234"}
			}
			kind := []string{"message", "seen"}[i%events%2]
			a := nodes[i%2].post(t, "/events", event(name, with("kind", kind), with("contact", who)))
			mu.Lock()
			defer mu.Unlock()
			if a.status != http.StatusCreated && a.status != http.StatusOK {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
				return
			}
			if ids[name] == nil {
				ids[name] = map[string]bool{}
			}
			if ids[name][a.str("event_id")] = true; a.status == http.StatusCreated {
				made[name]++
			}
		})
	}
	all.Wait()
	for name, of := range ids {
		if len(of) != 1 || made[name] != 1 {
			t.Errorf("%s: ids %v, made %d times", name, of, made[name])
		}
	}
	if n := len(w.acme.get(t, "/contacts?phone=%2B49301234").items(t)); n != 1 {
		t.Errorf("%d contacts of one person", n)
	}
	threads := w.acme.get(t, "/threads?channel=letters").items(t)
	if len(threads) != 1 || threads[0]["last_seq"] != float64(events) {
		t.Errorf("threads %v, want one with %d lines", threads, events)
	}
}

func TestEventsOfHostileChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := strings.Repeat("x", 300)
	for field, bad := range map[string][]any{
		"channel":         {"", nil, " ", "team", "agent", long, "a\x00b", 7, []string{"x"}},
		"kind":            {long, "reply_stored", "human_joined", "note_added", "closed", "a\x00", 7},
		"external_id":     {"", nil, long, "a\nb", 7},
		"agent_id":        {"nonsense", 7},
		"payload":         {"text", 7, []string{"x"}, map[string]any{"content": "x", "more": strings.Repeat("y", 70<<10)}},
		"contact":         {"Grace", 7},
		"payload.content": {7, []string{"x"}, map[string]any{}, strings.Repeat("ж", 10001)},
		"contact.email":   {"grace", long + "@example.com", "a@b@c", 7},
		"contact.name":    {long, "a\x00"},
		"contact.phone":   {long},
	} {
		for _, v := range bad {
			body := event("x", with("contact", map[string]any{"external_id": "c"}), with("payload", map[string]any{"content": "x"}))
			if outer, inner, nested := strings.Cut(field, "."); nested {
				body[outer].(map[string]any)[inner] = v
			} else {
				body[field] = v
			}
			if a := w.acme.post(t, "/events", body); a.status != http.StatusUnprocessableEntity || a.body["code"] != "bad_field" {
				t.Errorf("%s = %.40v: %d %s", field, v, a.status, a.raw)
			}
		}
	}
	good := w.acme.post(t, "/events", event(`'; DROP TABLE events; --`, with("payload", map[string]any{"content": "a\x00<script>", "nul": "\x00", "more": map[string]any{"x": "\\u0000"}}))).want(t, http.StatusCreated)
	if items := w.acme.get(t, "/threads/"+good.str("thread_id")+"/messages").items(t); len(items) != 1 || items[0]["content"] != "a<script>" {
		t.Errorf("%v", items)
	}
	w.acme.post(t, "/events", "[]").problem(t, http.StatusUnprocessableEntity, "bad_field")
	w.acme.post(t, "/events", "{").problem(t, http.StatusBadRequest, "bad_json")
}

func TestWritingUnasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme.client
	// A visitor who has written reads it in their own thread, and the agent keeps it.
	w.says(t, w.acme, "1", "Hello?")
	a := c.post(t, "/messages", map[string]any{"contact_id": w.acme.Contact, "content": "Your parcel has arrived.", "client_id": "p1"}).want(t, http.StatusCreated).
		check(t, map[string]any{"thread_id": w.acme.Thread, "seq": 2, "direction": "outbound", "author.kind": "human", "author.name": "Acme", "content": "Your parcel has arrived."})
	c.post(t, "/messages", map[string]any{"contact_id": w.acme.Contact, "content": "Your parcel has arrived.", "client_id": "p1"}).want(t, http.StatusOK).check(t, map[string]any{"id": a.at("id")})
	c.get(t, "/threads/"+string(w.acme.Thread)).check(t, map[string]any{"handling": "agent", "last_seq": 2})
	c.post(t, "/messages", map[string]any{"conversation_id": w.acme.Thread, "content": "Again."}).want(t, http.StatusCreated).check(t, map[string]any{"seq": 3})
	for range 2 {
		c.post(t, "/messages", map[string]any{"external_id": "customer-4711", "content": "Once."}, "Idempotency-Key", "k").want(t, http.StatusCreated).check(t, map[string]any{"seq": 4})
	}
	// Somebody who never came gets a thread, and finds it when they do.
	fresh := c.post(t, "/contacts", map[string]any{"external_id": "never-came"}).want(t, http.StatusCreated).str("id")
	first := c.post(t, "/messages", map[string]any{"external_id": "never-came", "content": "Welcome."}).want(t, http.StatusCreated).check(t, map[string]any{"seq": 1})
	c.get(t, "/threads/"+first.str("thread_id")).check(t, map[string]any{"channel": "webchat", "contact_id": fresh, "handling": "agent"})
	if _, err := w.ledger.Identify(t.Context(), w.acme.Org, w.acme.Session.ID, ledger.Identity{ExternalID: "never-came"}); err != nil {
		t.Fatal(err)
	}
	sms := c.post(t, "/messages", map[string]any{"contact_id": fresh, "channel": "sms", "content": "By SMS."}).want(t, http.StatusCreated)
	if sms.str("thread_id") == first.str("thread_id") {
		t.Error("another channel is another thread")
	}
	// To whom it must not be.
	c.patch(t, "/contacts/"+fresh, map[string]any{"opted_out": true}).want(t, http.StatusOK)
	c.post(t, "/messages", map[string]any{"contact_id": fresh, "content": "Buy!"}).problem(t, http.StatusConflict, "conflict")
	for _, body := range []map[string]any{{"contact_id": w.rival.Contact}, {"conversation_id": w.rival.Thread}, {"external_id": "nobody"}, {"contact_id": somebody}} {
		body["content"] = "Hello."
		c.post(t, "/messages", body).problem(t, http.StatusNotFound, "not_found")
	}
	for _, body := range []map[string]any{{}, {"contact_id": fresh, "external_id": "x"}, {"contact_id": "nonsense"}} {
		body["content"] = "Hello."
		c.post(t, "/messages", body).problem(t, http.StatusUnprocessableEntity, "bad_field")
	}
	for _, content := range []any{"", " ", nil} {
		c.post(t, "/messages", map[string]any{"contact_id": w.acme.Contact, "content": content}).want(t, http.StatusUnprocessableEntity)
	}
}

// A reply is on its way to the channel in the moment it is said, whoever said it.
func TestRepliesAreWrittenDownForTheirChannel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme.client
	channel := c.post(t, "/channels", map[string]any{"name": "sms", "agent_id": w.acme.Agent, "reply_url": "http://127.0.0.1:9/", "secret": "hush"}).want(t, http.StatusCreated).
		check(t, map[string]any{"signed": true, "kind": "generic", "enabled": true})
	if strings.Contains(string(channel.raw), "hush") {
		t.Error("the secret is shown")
	}
	e := c.post(t, "/events", event("1", with("channel", "sms"))).want(t, http.StatusCreated)
	claims, err := w.ledger.Claim(t.Context(), 9, time.Minute, ledger.Pauses{})
	if err != nil || len(claims) != 1 {
		t.Fatalf("claimed %v, %v", claims, err)
	}
	if _, err := w.ledger.Append(t.Context(), ledger.Append{OrgID: w.acme.Org, ThreadID: claims[0].ThreadID,
		Change: ledger.TurnEnd{TurnRef: claims[0].TurnRef, Said: &ledger.Said{Content: "From the agent."}}}); err != nil {
		t.Fatal(err)
	}
	c.post(t, "/threads/"+e.str("thread_id")+"/messages", map[string]any{"content": "From a person."}).want(t, http.StatusCreated)
	c.post(t, "/threads/"+e.str("thread_id")+"/notes", map[string]any{"content": "Not for them."}).want(t, http.StatusCreated)
	w.acme.post(t, "/threads/"+string(w.acme.Thread)+"/messages", map[string]any{"content": "In the widget."}).want(t, http.StatusCreated)
	var contents []string
	if err := w.ledger.NewRaw(`SELECT m.content FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE d.transport = 'reply_url' AND d.target = ? AND d.status = 'queued' ORDER BY d.ord`,
		channel.str("id")).Scan(t.Context(), &contents); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(contents) != "[From the agent. From a person.]" {
		t.Errorf("on their way: %q", contents)
	}
	c.patch(t, "/channels/"+channel.str("id"), map[string]any{"enabled": false}).want(t, http.StatusOK).check(t, map[string]any{"signed": true, "reply_url": "http://127.0.0.1:9/"})
	c.post(t, "/threads/"+e.str("thread_id")+"/messages", map[string]any{"content": "Nowhere."}).want(t, http.StatusCreated)
	if n, err := w.ledger.NewSelect().Table("deliveries").Where("transport = 'reply_url'").Count(t.Context()); err != nil || n != 2 {
		t.Errorf("%d on their way, %v", n, err)
	}
}

func TestChannelRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme.client
	c.post(t, "/channels", map[string]any{"name": "letters"}).problem(t, http.StatusConflict, "conflict")
	other := c.post(t, "/channels", map[string]any{"name": "other", "agent_id": nil, "config": map[string]any{"a": 1}}).want(t, http.StatusCreated).
		check(t, map[string]any{"agent_id": nil, "config.a": 1, "reply_url": "", "signed": false}).str("id")
	c.patch(t, "/channels/"+other, map[string]any{"name": "letters"}).problem(t, http.StatusConflict, "conflict")
	for field, bad := range map[string][]any{
		"name": {"", " ", "webchat", "team", strings.Repeat("x", 65), "a\x00"}, "kind": {"carrier_pigeon", ""}, "agent_id": {w.rival.Agent, somebody, "x"},
		"reply_url": {"ftp://x.example/", "//x", "http://user:pass@x.example/", "javascript:1"}, "secret": {strings.Repeat("x", 501)}, "config": {"x", []int{1}},
	} {
		for _, v := range bad {
			body := map[string]any{"name": "fresh", field: v}
			c.post(t, "/channels", body).badField(t, field)
			if _, isName := body["name"]; isName {
				c.patch(t, "/channels/"+other, map[string]any{field: v}).badField(t, field)
			}
		}
	}
	if got := c.get(t, "/channels/"+other).header.Get("ETag"); got == "" {
		t.Error("no ETag")
	}
	if got := len(c.get(t, "/channels").items(t)); got != 2 {
		t.Errorf("%d channels", got)
	}
	c.do(t, http.MethodDelete, Prefix+"/channels/"+other, nil).want(t, http.StatusNoContent)
	c.get(t, "/channels/"+other).problem(t, http.StatusNotFound, "not_found")
}
