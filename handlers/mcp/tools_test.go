package mcp

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// An agent from outside can work the inbox: find who waits, read, take over, answer, and give the thread to people, its agent or nobody.
func TestWorkTheInbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := w.acme
	w.says(t, me, "1", "Where is my bicycle?")
	thread := arguments{"thread_id": me.Thread}

	listed := use[Threads](t, me, "list_threads", arguments{"handling": []string{"agent"}})
	if len(listed.Threads) != 1 || listed.Threads[0].ID != string(me.Thread) || listed.Threads[0].LastText != "Where is my bicycle?" || listed.Threads[0].LastBy != "visitor" {
		t.Fatalf("listed %+v", listed)
	}
	if got := use[Thread](t, me, "take_over", thread); got.Handling != "human" || got.AssigneeID != "" {
		t.Errorf("taken over %+v", got)
	}
	said := use[Replied](t, me, "reply", arguments{"thread_id": me.Thread, "content": " On its way. ", "name": "Grace", "client_id": "a"})
	if said.Message.Content != "On its way." || said.Message.Name != "Grace" || said.Message.By != "human" || said.Message.Seq != 2 || said.Duplicate {
		t.Errorf("said %+v", said)
	}
	again := use[Replied](t, me, "reply", arguments{"thread_id": me.Thread, "content": "On its way.", "name": "Grace", "client_id": "a"})
	if !again.Duplicate || again.Message.Seq != 2 || again.Thread.LastSeq != 2 {
		t.Errorf("said again %+v", again)
	}
	use[Noted](t, me, "add_note", arguments{"thread_id": me.Thread, "content": "She called as well."})
	if got := use[Thread](t, me, "hand_to_team", thread); got.Handling != "waiting" {
		t.Errorf("handed to the team %+v", got)
	}
	if got := use[Threads](t, me, "list_threads", arguments{"handling": []string{"waiting"}, "status": "open"}); len(got.Threads) != 1 {
		t.Errorf("waiting %+v", got)
	}
	if got := use[Thread](t, me, "hand_back", thread); got.Handling != "agent" {
		t.Errorf("handed back %+v", got)
	}
	if got := use[Thread](t, me, "close_thread", thread); got.Handling != "closed" {
		t.Errorf("closed %+v", got)
	}
	refused(t, me, "hand_to_team", thread, "conflict", "closed")

	timeline := use[Timeline](t, me, "read_timeline", arguments{"thread_id": me.Thread, "limit": 100})
	var kinds []string
	for _, i := range timeline.Items {
		kinds = append(kinds, i.Kind)
		if i.Kind == "note_added" && (i.Detail["content"] != "She called as well." || i.Detail["name"] != "Robot") {
			t.Errorf("note %+v", i)
		}
	}
	for _, kind := range []string{"message_received", "human_joined", "reply_stored", "note_added", "handed_off", "handed_back", "closed"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no %s in %v", kind, kinds)
		}
	}
	if text, _ := me.call(t, "read_thread", thread); strings.Contains(text, "She called") {
		t.Errorf("a note stands among the messages: %s", text)
	}
}

// Writing takes a thread over by itself, and opens a closed one.
func TestReplyTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	use[Thread](t, w.acme, "close_thread", arguments{"thread_id": w.acme.Thread})
	got := use[Replied](t, w.acme, "reply", arguments{"thread_id": w.acme.Thread, "content": "Hi."})
	if got.Thread.Handling != "human" || got.Message.Name != "Acme" {
		t.Errorf("%+v", got)
	}
}

func TestFiltersAndSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := w.acme
	w.says(t, me, "1", "The délivery is 100% late.")
	for _, tt := range []struct {
		args arguments
		want int
	}{
		{arguments{}, 1},
		{arguments{"handling": []string{"human"}}, 0},
		{arguments{"status": "closed"}, 0},
		{arguments{"status": "open"}, 1},
		{arguments{"status": "closed", "handling": []string{"agent"}}, 0},
		{arguments{"channel": "webchat"}, 1},
		{arguments{"channel": "mail"}, 0},
		{arguments{"contact": me.Contact}, 1},
		{arguments{"contact": somebody}, 0},
		{arguments{"assignee": me.User.ID}, 0},
		{arguments{"limit": 5000}, 1},
	} {
		if got := use[Threads](t, me, "list_threads", tt.args); len(got.Threads) != tt.want || got.Threads == nil {
			t.Errorf("list_threads %v: %d, want %d", tt.args, len(got.Threads), tt.want)
		}
	}
	for query, want := range map[string]int{"délivery": 1, "100%": 1, "%": 1, "_": 0, "bicycle": 0, "x\x00": 0, "'; DROP TABLE threads; --": 0} {
		if got := use[Threads](t, me, "search_threads", arguments{"query": query}); len(got.Threads) != want {
			t.Errorf("search_threads %q: %d, want %d", query, len(got.Threads), want)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := w.acme
	long := strings.Repeat("ä", domain.MaxMessageChars) // 8000 bytes
	for i := range 12 {
		w.says(t, me, string(rune('a'+i)), long)
	}
	newest := use[Conversation](t, me, "read_thread", arguments{"thread_id": me.Thread, "limit": 3})
	if len(newest.Messages) != 3 || newest.Messages[2].Seq != 12 || newest.Earlier != 9 || newest.NextCursor != "" {
		t.Errorf("the newest: %d from %d, earlier %d, next %q", len(newest.Messages), newest.Messages[0].Seq, newest.Earlier, newest.NextCursor)
	}
	var seqs []int64
	for cursor := ""; ; {
		args := arguments{"thread_id": me.Thread, "limit": 100, "after_seq": 0, "cursor": cursor}
		if text, _ := me.call(t, "read_thread", args); len(text) > pageBytes+6<<10 {
			t.Errorf("a result of %d bytes", len(text))
		}
		page := use[Conversation](t, me, "read_thread", args)
		for _, m := range page.Messages {
			seqs = append(seqs, m.Seq)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if !slices.Equal(seqs, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) {
		t.Errorf("seqs %v", seqs)
	}
	all := use[Timeline](t, me, "read_timeline", arguments{"thread_id": me.Thread, "limit": 100})
	var items []TimelineItem
	for cursor := ""; ; {
		page := use[Timeline](t, me, "read_timeline", arguments{"thread_id": me.Thread, "limit": 7, "cursor": cursor})
		items = append(items, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if a, b := jsonOf(t, all.Items), jsonOf(t, items); a != b || len(items) < 24 {
		t.Errorf("in pages: %s\nwhole: %s", b, a)
	}
}

// A detail too long for a page is cut: the recorder keeps whole prompts if it is told to.
func TestLongDetailsAreCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	use[Noted](t, w.acme, "add_note", arguments{"thread_id": w.acme.Thread, "content": strings.Repeat("ö", 3000)})
	got := use[Timeline](t, w.acme, "read_timeline", arguments{"thread_id": w.acme.Thread})
	cut, _ := got.Items[len(got.Items)-1].Detail["cut"].(string)
	if len(cut) < 1000 || len(cut) > detailBytes+3 || !strings.HasSuffix(cut, "…") {
		t.Errorf("a detail of %d bytes: %.200s", len(cut), jsonOf(t, got))
	}
}

func TestAgents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := w.acme
	made, err := w.account.CreateAgent(t.Context(), me.Org, account.AgentInput{Name: "Bob", Kind: domain.AgentHTTP, SendMode: domain.Suggest, MaxAttempts: 1,
		Config: json.RawMessage(`{"url":"https://bob.example/","secret":"hush-hush"}`)})
	if err != nil {
		t.Fatal(err)
	}
	first := use[Agents](t, me, "list_agents", arguments{"limit": 1})
	if len(first.Agents) != 1 || first.Agents[0].Name != "Ada" || !slices.Equal(first.Agents[0].Widgets, []string{"Shop"}) || first.NextCursor == "" {
		t.Errorf("first page %+v", first)
	}
	second := use[Agents](t, me, "list_agents", arguments{"cursor": first.NextCursor})
	if len(second.Agents) != 1 || second.Agents[0].ID != string(made.ID) || second.Agents[0].SendMode != "suggest" || second.NextCursor != "" {
		t.Errorf("second page %+v", second)
	}
	if text, _ := me.call(t, "list_agents", nil); strings.Contains(text, "hush") || strings.Contains(text, "bob.example") {
		t.Errorf("it tells: %s", text)
	}
	if got := use[domain.AgentTest](t, me, "test_agent", arguments{"agent_id": made.ID}); !got.OK || got.Response != "I am Bob" {
		t.Errorf("test %+v", got)
	}
}

// Only what visitors may know is found.
func TestKnowledge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for title, class := range map[string]domain.Classification{"Delivery times": domain.ClassPublic, "Delivery margins": domain.ClassInternal} {
		if _, err := w.account.CreateArticle(t.Context(), w.acme.Org, account.ArticleInput{Title: title, Content: "Delivery takes three days.", Classification: class}); err != nil {
			t.Fatal(err)
		}
	}
	got := use[Passages](t, w.acme, "search_knowledge", arguments{"query": "delivery"})
	if len(got.Passages) != 1 || got.Passages[0].Title != "Delivery times" {
		t.Errorf("%+v", got)
	}
	if got := use[Passages](t, w.rival, "search_knowledge", arguments{"query": "delivery"}); len(got.Passages) != 0 {
		t.Errorf("the rival finds %+v", got)
	}
}

// A thread that has become part of another one says of which.
func TestMergedThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	ledgertest.Set(t, w.ledger, "threads", w.acme.Thread, "merged_into", w.rival.Thread)
	refused(t, w.acme, "read_thread", arguments{"thread_id": w.acme.Thread}, "not_found", string(w.rival.Thread))
}

// An agent from outside brings what happened on a channel of its own, once, and hears what it led to.
func TestRecordAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	event := arguments{"channel": "sms", "external_id": "SM1", "contact": arguments{"name": "Grace", "phone": "+15550100"}, "agent_id": w.acme.Agent, "content": "Where is my parcel?", "payload": arguments{"from": "+15550100"}}
	first := use[Recorded](t, w.acme, "record_and_dispatch", event)
	if first.Status != "queued" || first.ThreadID == "" || first.MessageID == "" || first.Duplicate {
		t.Fatalf("%+v", first)
	}
	again := use[Recorded](t, w.acme, "record_and_dispatch", event)
	if again.EventID != first.EventID || !again.Duplicate {
		t.Errorf("again: %+v", again)
	}
	read := use[Conversation](t, w.acme, "read_thread", arguments{"thread_id": first.ThreadID})
	if len(read.Messages) != 1 || read.Messages[0].Content != "Where is my parcel?" || read.Thread.Channel != "sms" || read.Thread.ContactName != "Grace" {
		t.Errorf("%+v", read)
	}
	asIn := arguments{"channel": "sms", "external_id": "SM2", "contact": arguments{"phone": "+15550100"}, "agent_id": w.acme.Agent, "payload": arguments{"content": "And the other one?", "from": "x"}}
	if got := use[Recorded](t, w.acme, "record_and_dispatch", asIn); got.Status != "queued" || got.MessageID == "" {
		t.Errorf("said where the API has it: %+v", got)
	}
	refused(t, w.acme, "record_and_dispatch", arguments{"channel": "sms", "external_id": "SM3", "contact": arguments{"phone": "+15550100"}, "payload": arguments{"content": 7}}, "bad_field", "payload")
	for reason, args := range map[string]arguments{
		"no_agent":           {"channel": "letters", "external_id": "1", "contact": arguments{"phone": "+15550100"}, "content": "Hello?"},
		"empty_body":         {"channel": "sms", "kind": "opened", "external_id": "1", "contact": arguments{"phone": "+15550100"}, "agent_id": w.acme.Agent},
		"cross_org":          {"channel": "sms", "external_id": "2", "contact": arguments{"phone": "+15550101"}, "agent_id": w.rival.Agent, "content": "Hello?"},
		"contact_unresolved": {"channel": "sms", "external_id": "3", "contact": arguments{}, "agent_id": w.acme.Agent, "content": "Hello?"},
	} {
		if got := use[Recorded](t, w.acme, "record_and_dispatch", args); got.Status != "skipped" || got.SkipReason != reason {
			t.Errorf("%s: %+v", reason, got)
		}
	}
	if got := use[Threads](t, w.rival, "list_threads", nil); len(got.Threads) != 0 {
		t.Errorf("the rival has %+v", got)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
