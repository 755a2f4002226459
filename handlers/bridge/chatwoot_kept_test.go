package bridge

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// crowds lets many wait to be told that what they bring is recorded.
func (w *world) crowds(t *testing.T) (leave func()) {
	t.Helper()
	var all []func()
	for range 20 {
		all = append(all, w.Acknowledging())
	}
	leave = func() {
		for _, done := range all {
			done()
		}
	}
	t.Cleanup(leave)
	return leave
}

func (w *world) eventually(t *testing.T, c domain.Channel, conversation string, want ...string) {
	t.Helper()
	var got []string
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, got = w.lines(t, c, conversation); slices.Equal(got, want) {
			return
		}
	}
	t.Errorf("conversation %s: %q, want %q", conversation, got, want)
}

func eventOf(t *testing.T, a answer) string {
	t.Helper()
	data, _ := a.object["data"].(object)
	id, _ := data["event_id"].(string)
	if a.code != 200 || a.object["status"] != "accepted" || id == "" {
		t.Errorf("%d %s", a.code, a.body)
	}
	return id
}

// In a crowd a report is acknowledged once it is kept. It is recorded as what was promised, also by another node than the one that took it.
func TestChatwootKeepsInACrowd(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
	leave := w.crowds(t)
	const conversations = 10
	var promised []string
	for i := range conversations {
		for line := range 2 {
			promised = append(promised, eventOf(t, w.report(t, hook, incoming(10*i+line, set("conversation.id", i), set("content", fmt.Sprint(line))), "")))
		}
		if _, got := w.lines(t, c, fmt.Sprint(i)); len(got) > 0 {
			t.Errorf("recorded before it was acknowledged: %q", got)
		}
	}
	leave()
	w.records(t) // nothing in this process knows of them any more but the ledger
	for i := range conversations {
		w.eventually(t, c, fmt.Sprint(i), "visitor Grace: 0", "visitor Grace: 1")
	}
	for i, event := range promised {
		again := eventOf(t, w.report(t, hook, incoming(10*(i/2)+i%2, set("conversation.id", i/2), set("content", fmt.Sprint(i%2))), ""))
		if again != event {
			t.Errorf("report %d was promised to be %s, and is %s", i, event, again)
		}
	}
	var events int
	if err := w.NewRaw(`SELECT count(*) FROM events WHERE kind = 'message_received' AND id::text IN (?)`, bun.List(promised)).Scan(t.Context(), &events); err != nil || events != len(promised) {
		t.Errorf("%d of %d are there as what they were promised to be, %v", events, len(promised), err)
	}
}

// Whatever comes after a report that is only kept comes after it in the thread, too.
func TestChatwootKeepsTheOrder(t *testing.T) {
	t.Parallel()
	anna := []func(object){set("message_type", "outgoing"), set("sender", object{"id": 3, "name": "Anna", "type": "user"}), set("content", "I am Anna."),
		set("conversation.meta", object{"sender": object{"id": 9, "name": "Grace"}})}
	const customer = "visitor Grace: Hello?"
	tests := []struct {
		name     string
		path     string
		then     object
		want     []string
		handling domain.Handling
	}{
		{"a person writes", hook, incoming(2, anna...), []string{customer, "human Anna: I am Anna."}, domain.HandlingHuman},
		{"it is resolved", hook, object{"event": "conversation_status_changed", "id": 41, "status": "resolved", "account": object{"id": 7}}, []string{customer}, domain.HandlingClosed},
		{"the next is waited for", "/webhook/chatwoot?wait=0.001", incoming(2, set("content", "And?")), []string{customer, "visitor Grace: And?"}, domain.HandlingAgent},
		{"it comes again", hook, incoming(1), []string{customer}, domain.HandlingAgent},
		{"it comes again, and is waited for", "/webhook/chatwoot?wait=0.001", incoming(1), []string{customer}, domain.HandlingAgent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newIdleWorld(t)
			c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
			leave := w.crowds(t)
			eventOf(t, w.report(t, hook, incoming(1), ""))
			leave()
			if a := w.report(t, tt.path, tt.then, ""); a.code != 200 {
				t.Fatalf("%d %s", a.code, a.body)
			}
			th, got := w.lines(t, c, "41")
			if !slices.Equal(got, tt.want) || th.Handling != tt.handling {
				t.Errorf("%q, %s", got, th.Handling)
			}
			w.records(t)
			w.eventually(t, c, "41", tt.want...)
			if a := w.report(t, hook, incoming(9, set("conversation.id", 99)), ""); a.code != 200 { // what was kept before it is recorded by then
				t.Errorf("%d %s", a.code, a.body)
			}
			if th, _ := w.lines(t, c, "41"); th.Handling != tt.handling {
				t.Errorf("afterwards %s", th.Handling)
			}
		})
	}
}

// What cannot be recorded holds up nothing of other conversations, whatever the reason is, and not for a moment: it is still being tried
// when they are there.
func TestChatwootKeepsGoing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]string{
		"unreadable":            `UPDATE chatwoot_reports SET line = '{' WHERE external_id::int < 70`,
		"nobody's, and for now": `UPDATE chatwoot_reports SET org_id = gen_random_uuid(), attempts = -1000 WHERE external_id::int < 70`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newIdleWorld(t)
			c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
			leave := w.crowds(t)
			for i := range 100 {
				eventOf(t, w.report(t, hook, incoming(i, set("conversation.id", i)), ""))
			}
			if _, err := w.NewRaw(spoil).Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			leave()
			w.records(t)
			w.eventually(t, c, "99", "visitor Grace: Hello?")
			w.eventually(t, c, "70", "visitor Grace: Hello?")
			var why string
			if err := w.NewRaw(`SELECT error FROM chatwoot_reports WHERE external_id = '0'`).Scan(t.Context(), &why); err != nil || why == "" {
				t.Errorf("why is %q, %v", why, err)
			}
		})
	}
}

// What cannot be recorded keeps nobody from what comes after it in its own conversation: above all not a person from taking it over.
func TestChatwootGoesOnBehindWhatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	w := newIdleWorld(t)
	c := w.sets(t, ledgertest.Seed(t, w.Ledger), "7", "")
	leave := w.crowds(t)
	for i := range 3 {
		eventOf(t, w.report(t, hook, incoming(i, set("content", fmt.Sprint(i))), ""))
	}
	leave()
	if _, err := w.NewRaw(`UPDATE chatwoot_reports SET line = '{' WHERE external_id = '1'`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	anna := incoming(9, set("message_type", "outgoing"), set("sender", object{"id": 3, "name": "Anna", "type": "user"}), set("content", "I am Anna."))
	if a := w.report(t, hook, anna, ""); a.code != 200 {
		t.Errorf("%d %s", a.code, a.body)
	}
	th, got := w.lines(t, c, "41")
	if want := []string{"visitor Grace: 0", "visitor Grace: 2", "human Anna: I am Anna."}; !slices.Equal(got, want) || th.Handling != domain.HandlingHuman {
		t.Errorf("%q, %s, want %q", got, th.Handling, want)
	}
}
