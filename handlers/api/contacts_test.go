package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestContactRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme.client
	made := c.post(t, "/contacts", map[string]any{"name": " Grace Hopper ", "email": "grace@example.com", "external_id": "c-1"}).want(t, http.StatusCreated).
		check(t, map[string]any{"name": "Grace Hopper", "email": "grace@example.com", "phone": "", "external_id": "c-1", "stub": false, "opted_out": false,
			"profile": map[string]any{"attribution": nil, "device": nil, "first_page": nil, "geo": nil, "referrer": nil}, "erased_at": nil})
	path := "/contacts/" + made.str("id")
	steps := []struct {
		name string
		body map[string]any
		want map[string]any
	}{
		{"one field", map[string]any{"phone": "+49 30 1234"}, map[string]any{"phone": "+49 30 1234", "name": "Grace Hopper", "email": "grace@example.com"}},
		{"null forgets", map[string]any{"email": nil, "external_id": nil}, map[string]any{"email": "", "external_id": nil, "name": "Grace Hopper"}},
		{"unknown keys are ignored", map[string]any{"colour": "red", "opted_out": true}, map[string]any{"opted_out": true, "stub": false}},
		{"nothing left is a stub", map[string]any{"name": "", "phone": ""}, map[string]any{"stub": true, "opted_out": true}},
		{"nothing", map[string]any{}, map[string]any{"stub": true}},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			c.patch(t, path, s.body).want(t, http.StatusOK).check(t, s.want)
			c.get(t, path).want(t, http.StatusOK).check(t, s.want)
		})
	}
	c.do(t, http.MethodDelete, Prefix+path, nil).want(t, http.StatusNoContent)
	c.get(t, path).problem(t, http.StatusNotFound, "not_found")
	w.says(t, w.acme, "1", "Hello?")
	c.do(t, http.MethodDelete, Prefix+"/contacts/"+string(w.acme.Contact), nil).want(t, http.StatusNoContent)
	c.get(t, "/threads/"+string(w.acme.Thread)).problem(t, http.StatusNotFound, "not_found")
}

func TestContactRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.acme.post(t, "/contacts", map[string]any{"external_id": "taken"}).want(t, http.StatusCreated)
	w.rival.post(t, "/contacts", map[string]any{"external_id": "taken"}).want(t, http.StatusCreated)
	w.acme.post(t, "/contacts", map[string]any{"external_id": "taken"}).problem(t, http.StatusConflict, "conflict")
	w.acme.patch(t, "/contacts/"+string(w.acme.Contact), map[string]any{"external_id": "taken"}).problem(t, http.StatusConflict, "conflict")
	for field, bad := range map[string][]any{
		"email":       {"grace", "a@b@c", "x\x00@example.com", strings.Repeat("a", 250) + "@example.com", 7, true},
		"name":        {strings.Repeat("n", 201), "a\x00b", "a\nb", []string{"x"}},
		"phone":       {"call me", "12", strings.Repeat("1", 41)},
		"external_id": {strings.Repeat("x", 201), "a\x00", map[string]any{}},
		"opted_out":   {"yes", 1},
	} {
		for _, v := range bad {
			w.acme.post(t, "/contacts", map[string]any{field: v}).badField(t, field)
			w.acme.patch(t, "/contacts/"+string(w.acme.Contact), map[string]any{field: v}).badField(t, field)
		}
	}
}

func TestContactsAreListedAndFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 5 {
		w.acme.post(t, "/contacts", map[string]any{"name": fmt.Sprintf("100%% Nr %d", i), "email": fmt.Sprintf("Nr%d@Example.com", i), "phone": fmt.Sprintf("555000%d", i),
			"external_id": fmt.Sprintf("c-%d", i)}).want(t, http.StatusCreated)
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		a := w.acme.get(t, "/contacts?limit=2&cursor="+cursor).want(t, http.StatusOK)
		for _, item := range a.items(t) {
			if id := item["id"].(string); seen[id] {
				t.Errorf("%s comes twice", id)
			} else {
				seen[id] = true
			}
		}
		if cursor = a.str("next_cursor"); cursor == "" {
			break
		}
	}
	if len(seen) != 6 { // the fixture's visitor too
		t.Errorf("%d contacts in all", len(seen))
	}
	for query, want := range map[string]int{"q=nr+3": 1, "q=100%25+n": 5, "q=100%25x": 0, "q=C-2": 1, "q=5550004": 1, "email=nr1@example.COM": 1, "external_id=c-4": 1,
		"external_id=c": 0, "phone=5550002": 1, "email=nr1@example.com&phone=5550002": 0} {
		if n := len(w.acme.get(t, "/contacts?"+query).want(t, http.StatusOK).items(t)); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	w.acme.get(t, "/contacts?cursor=nonsense").badField(t, "cursor")
}

// Two that change different fields at once do not take each other's change back.
func TestConcurrentChangesOfOtherFieldsBothStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contact, agent, widget, thread := "/contacts/"+string(w.acme.Contact), "/agents/"+string(w.acme.Agent), "/widgets/"+string(w.acme.Widget), "/threads/"+string(w.acme.Thread)
	w.says(t, w.acme, "1", "Hello?")
	for i := range 8 {
		var both sync.WaitGroup
		for path, bodies := range map[string][2]map[string]any{
			contact: {{"name": fmt.Sprint("n", i)}, {"phone": fmt.Sprint("55500", i)}},
			agent:   {{"name": fmt.Sprint("n", i)}, {"settle_ms": i}},
			widget:  {{"name": fmt.Sprint("n", i)}, {"daily_message_cap": i + 1}},
			thread:  {{"labels": []string{fmt.Sprint("l", i)}}, {"handling": []string{"human", "agent"}[i%2]}},
		} {
			for _, body := range bodies {
				both.Go(func() {
					if a := w.acme.patch(t, path, body); a.status != http.StatusOK {
						t.Errorf("%s %v: %s", path, body, a.raw)
					}
				})
			}
		}
		both.Wait()
		w.acme.get(t, contact).check(t, map[string]any{"name": fmt.Sprint("n", i), "phone": fmt.Sprint("55500", i)})
		w.acme.get(t, agent).check(t, map[string]any{"name": fmt.Sprint("n", i), "settle_ms": i})
		w.acme.get(t, widget).check(t, map[string]any{"name": fmt.Sprint("n", i), "daily_message_cap": i + 1})
		w.acme.get(t, thread).check(t, map[string]any{"labels": []string{fmt.Sprint("l", i)}, "handling": []string{"human", "agent"}[i%2]})
	}
}

// Of many who change what they have all seen, one may; the others are told.
func TestIfMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	for path, body := range map[string]func(i int) map[string]any{
		"/contacts/" + string(w.acme.Contact): func(i int) map[string]any { return map[string]any{"name": fmt.Sprint("n", i)} },
		"/agents/" + string(w.acme.Agent):     func(i int) map[string]any { return map[string]any{"name": fmt.Sprint("n", i)} },
		"/widgets/" + string(w.acme.Widget):   func(i int) map[string]any { return map[string]any{"name": fmt.Sprint("n", i)} },
		"/threads/" + string(w.acme.Thread):   func(i int) map[string]any { return map[string]any{"labels": []string{fmt.Sprint("l", i)}} },
	} {
		tag := w.acme.get(t, path).want(t, http.StatusOK).header.Get("ETag")
		if !strings.HasPrefix(tag, `"`) || tag != w.acme.get(t, path).header.Get("ETag") {
			t.Fatalf("%s: ETag %s", path, tag)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		count := map[int]int{}
		for i := range 6 {
			all.Go(func() {
				a := w.acme.do(t, http.MethodPatch, Prefix+path, body(i), "If-Match", tag)
				mu.Lock()
				defer mu.Unlock()
				if count[a.status]++; a.status == http.StatusPreconditionFailed && a.body["code"] != "conflict" {
					t.Errorf("%s: %s", path, a.raw)
				}
			})
		}
		all.Wait()
		if count[http.StatusOK] != 1 || count[http.StatusPreconditionFailed] != 5 {
			t.Errorf("%s: %v, want one to come through", path, count)
		}
		now := w.acme.get(t, path).header.Get("ETag")
		if now == tag {
			t.Errorf("%s: the ETag has stayed", path)
		}
		a := w.acme.do(t, http.MethodPatch, Prefix+path, body(7), "If-Match", `"other", `+now).want(t, http.StatusOK)
		if got := w.acme.get(t, path).header.Get("ETag"); got != a.header.Get("ETag") {
			t.Errorf("%s: a change answers with the ETag %s, and it is %s", path, a.header.Get("ETag"), got)
		}
		w.acme.do(t, http.MethodPatch, Prefix+path, body(8), "If-Match", "*").want(t, http.StatusOK)
		for _, wrong := range []string{now, "W/" + now, "nonsense", `"`, ","} {
			w.acme.do(t, http.MethodPatch, Prefix+path, body(9), "If-Match", wrong).problem(t, http.StatusPreconditionFailed, "conflict")
		}
	}
}

const private = "Zaphod" // in everything that the contact of the tests below is and hears

// confide fills every place that can hold something of the tenant's contact.
func (w *world) confide(t *testing.T, of tenant) {
	t.Helper()
	ctx := t.Context()
	of.patch(t, "/contacts/"+string(of.Contact), map[string]any{"name": private, "email": private + "@example.com", "external_id": private}).want(t, http.StatusOK)
	ledgertest.Set(t, w.ledger, "contacts", of.Contact, "profile", `{"geo":{"city":"`+private+`"}}`)
	ledgertest.Set(t, w.ledger, "sessions", of.Session.ID, "page", `{"url":"https://x.example/`+private+`","referrer":"https://y.example/`+private+`"}`)
	w.says(t, of, private, "I am "+private)
	claims, err := w.ledger.Claim(ctx, 9, time.Minute, ledger.Pauses{})
	if err != nil || len(claims) != 1 {
		t.Fatalf("claimed %v, %v", claims, err)
	}
	steps := []ledger.Step{{Kind: domain.ToolCall, Detail: map[string]any{"arguments": private, "ms": 3}}}
	if _, err := w.ledger.Append(ctx, ledger.Append{OrgID: of.Org, ThreadID: of.Thread, Change: ledger.TurnEnd{TurnRef: claims[0].TurnRef,
		Said: &ledger.Said{Content: "Hello " + private, Citations: []domain.Citation{{Title: private}}}, Steps: steps, Handoff: private + " wants a person"}}); err != nil {
		t.Fatal(err)
	}
	thread := "/threads/" + string(of.Thread)
	of.post(t, thread+"/messages", map[string]any{"content": "Dear " + private}).want(t, http.StatusCreated)
	of.post(t, thread+"/notes", map[string]any{"content": private + " is odd"}).want(t, http.StatusCreated)
	of.patch(t, thread, map[string]any{"labels": []string{private}, "handling": "agent"}).want(t, http.StatusOK)
	file := fmt.Appendf(nil, "%s was here", private)
	a, err := w.ledger.CreateUpload(ctx, ledger.Upload{OrgID: of.Org, Sender: ledger.Sender{SessionID: of.Session.ID}, ContactID: of.Contact, Token: "t" + string(of.Contact),
		Name: private + ".txt", Mime: "text/plain", Bytes: file})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.Append(ctx, ledger.Append{OrgID: of.Org, ThreadID: of.Thread,
		Change: ledger.Line{SessionID: of.Session.ID, ClientID: "file", Content: private, Attachments: []domain.AttachmentID{a.ID}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.CreateUpload(ctx, ledger.Upload{OrgID: of.Org, Sender: ledger.Sender{SessionID: of.Session.ID}, ContactID: of.Contact, Token: "u" + string(of.Contact),
		Name: private + ".txt", Mime: "text/plain", Bytes: file}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.NewRaw(`INSERT INTO golden_threads (id, org_id, thread_id, tape) VALUES (?0, ?1, ?0, ?2::jsonb)`, of.Thread, of.Org, `{"said":"`+private+`"}`).Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.Enqueue(ctx, ledger.Delivery{OrgID: of.Org, ThreadID: of.Thread, Transport: "mail", Target: private + "@example.com", Payload: []byte(`{"to":"` + private + `"}`)}); err != nil {
		t.Fatal(err)
	}
}

// mentions lists the tables of the database in which something of the contact stands.
func (w *world) mentions(t *testing.T) (tables []string) {
	t.Helper()
	var all []string
	if err := w.ledger.NewRaw(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`).Scan(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, table := range all {
		n := 0
		if err := w.ledger.NewRaw(`SELECT count(*) FROM `+table+` AS r WHERE r::text ILIKE '%' || ?0 || '%' OR r::text LIKE '%' || encode(?0::bytea, 'hex') || '%'`, private).
			Scan(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			tables = append(tables, table)
		}
	}
	return tables
}

func TestEraseLeavesNothingButNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.confide(t, w.acme)
	if before := w.mentions(t); len(before) < 8 {
		t.Fatalf("only %v mention the contact", before)
	}
	// A turn is on its way while all of it goes.
	claims, err := w.ledger.Claim(t.Context(), 9, time.Minute, ledger.Pauses{})
	if err != nil || len(claims) != 1 {
		t.Fatalf("claimed %v, %v", claims, err)
	}
	thread := "/threads/" + string(w.acme.Thread)
	before := w.acme.get(t, thread).want(t, http.StatusOK)
	kinds := func() (all []string) {
		for _, i := range w.acme.get(t, thread+"/timeline").want(t, http.StatusOK).items(t) {
			all = append(all, i["kind"].(string))
		}
		return all
	}
	was := kinds()
	a := w.acme.post(t, "/contacts/"+string(w.acme.Contact)+"/erase", nil).want(t, http.StatusOK).
		check(t, map[string]any{"name": "", "email": "", "external_id": nil, "stub": true, "profile.geo": nil, "profile.first_page": nil})
	if !moment.MatchString(a.str("erased_at")) {
		t.Errorf("erased_at: %s", a.raw)
	}
	if after := w.mentions(t); len(after) > 0 {
		t.Errorf("%v still mention the contact", after)
	}
	if now := kinds(); fmt.Sprint(now) != fmt.Sprint(was) {
		t.Errorf("the timeline was %v and is %v", was, now)
	}
	w.acme.get(t, thread).want(t, http.StatusOK).check(t, map[string]any{"last_seq": before.at("last_seq"), "status": "closed", "labels": []string{}})
	if n := len(w.acme.get(t, thread+"/messages").want(t, http.StatusOK).items(t)); n != 4 {
		t.Errorf("%d messages are left of 4", n)
	}

	// What was on its way comes to nothing.
	out, err := w.ledger.Append(t.Context(), ledger.Append{OrgID: w.acme.Org, ThreadID: w.acme.Thread, Change: ledger.TurnEnd{TurnRef: claims[0].TurnRef,
		Said: &ledger.Said{Content: "Hello " + private}, Steps: []ledger.Step{{Kind: domain.ToolCall, Detail: map[string]any{"arguments": private}}}}})
	if err != nil || !out.Suppressed {
		t.Errorf("a turn's late words: %+v, %v", out, err)
	}
	_, err = w.ledger.Append(t.Context(), ledger.Append{OrgID: w.acme.Org, ThreadID: w.acme.Thread, Change: ledger.Line{SessionID: w.acme.Session.ID, ClientID: "late", Content: private}})
	if domain.CodeOf(err) != domain.CodeSessionExpired {
		t.Errorf("a late line of the visitor: %v", err)
	}
	if err := w.ledger.SetContactDetails(t.Context(), w.acme.Org, w.acme.Contact, private, "", ""); domain.KindOf(err) != domain.NotFound {
		t.Errorf("late details: %v", err)
	}
	w.acme.patch(t, "/contacts/"+string(w.acme.Contact), map[string]any{"name": private}).problem(t, http.StatusConflict, "conflict")
	if after := w.mentions(t); len(after) > 0 {
		t.Errorf("afterwards %v mention the contact", after)
	}
	w.acme.post(t, "/contacts/"+string(w.acme.Contact)+"/erase", nil).want(t, http.StatusOK).check(t, map[string]any{"erased_at": a.at("erased_at")})
	living := map[domain.SessionID]bool{w.acme.Session.ID: false}
	if err := w.chat.Living(t.Context(), map[string]bool{}, living); err != nil || living[w.acme.Session.ID] {
		t.Errorf("their visit goes on: %v, %v", living, err)
	}
}

func TestExportHasAllThatIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.confide(t, w.acme)
	a := w.acme.get(t, "/contacts/"+string(w.acme.Contact)+"/export").want(t, http.StatusOK).check(t, map[string]any{
		"contact.name": private, "contact.profile.geo.city": private, "contact.profile.referrer": "https://y.example/" + private})
	if d := a.header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") {
		t.Errorf("Content-Disposition %q", d)
	}
	for _, words := range []string{"I am " + private, "Hello " + private, "Dear " + private, private + " is odd", private + ".txt", "https://x.example/" + private, "/files/t"} {
		if !strings.Contains(string(a.raw), words) {
			t.Errorf("%q is missing", words)
		}
	}
	if strings.Contains(string(a.raw), "token_hash") {
		t.Error("the export tells a secret")
	}
}
