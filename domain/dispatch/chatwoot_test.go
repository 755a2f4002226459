package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// there is a Chatwoot that goes wrong as a test says.
type there struct {
	*httptest.Server
	mu     sync.Mutex
	posted map[string][]string // by conversation
	notes  map[string][]string // that only the people there see
	status map[string][]string
	typing map[string][]string
	asked  int // posts and signs so far
	looked int // for what was posted
	wrong  func(r *http.Request, n int) (status int, lost bool)
}

func newThere(t *testing.T) *there {
	c := &there{posted: map[string][]string{}, notes: map[string][]string{}, status: map[string][]string{}, typing: map[string][]string{}}
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.Close)
	return c
}

func (c *there) serve(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Content string
		Private bool
		Typing  string `json:"typing_status"`
		Status  string
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	parts := strings.Split(r.URL.Path, "/") // /api/v1/accounts/7/conversations/41/messages
	if r.Header.Get("api_access_token") != "tok" || len(parts) != 8 || parts[4] != "7" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	conversation := parts[6]
	if r.Method == http.MethodGet {
		c.looked++
		all := []map[string]any{}
		for i, s := range c.posted[conversation] {
			all = append(all, map[string]any{"id": 100 + i, "content": s, "message_type": 1, "created_at": time.Now().Unix()})
		}
		for i, s := range c.notes[conversation] {
			all = append(all, map[string]any{"id": 500 + i, "content": s, "message_type": 1, "private": true, "created_at": time.Now().Unix()})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"payload": all})
		return
	}
	c.asked++
	status, lost := 0, false
	if c.wrong != nil {
		status, lost = c.wrong(r, c.asked)
	}
	if status < 0 || lost && parts[7] == "toggle_typing_status" {
		panic(http.ErrAbortHandler)
	}
	if status > 0 {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		return
	}
	if parts[7] == "toggle_typing_status" {
		c.typing[conversation] = append(c.typing[conversation], in.Typing)
		return
	}
	id := 0
	switch {
	case parts[7] == "toggle_status":
		c.status[conversation] = append(c.status[conversation], fmt.Sprint(in.Status, " after ", len(c.posted[conversation]), " and ", len(c.notes[conversation])))
	case in.Private:
		c.notes[conversation] = append(c.notes[conversation], in.Content)
		id = 499 + len(c.notes[conversation])
	default:
		c.posted[conversation] = append(c.posted[conversation], in.Content)
		id = 99 + len(c.posted[conversation])
	}
	if lost {
		panic(http.ErrAbortHandler)
	}
	_, _ = fmt.Fprintf(w, `{"id":%d}`, id)
}

func (c *there) fail(how func(r *http.Request, n int) (status int, lost bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong, c.asked = how, 0
}

func (c *there) heard(conversation string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.posted[conversation])
}

// told are the notes of a conversation, and how its status was set after how many posts and notes.
func (c *there) told(conversation string) (notes, status []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.notes[conversation]), slices.Clone(c.status[conversation])
}

func (c *there) signs(conversation string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.typing[conversation])
}

// account sets the account up; its inbox 1 is answered by the fixture's agent.
func (c *there) account(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) domain.Channel {
	t.Helper()
	ch, err := account.New(l).CreateChannel(t.Context(), f.Org, account.ChannelInput{Name: "chatwoot", Kind: domain.ChannelChatwoot, Enabled: true,
		Config: fmt.Appendf(nil, `{"base_url":%q,"account_id":7,"api_access_token":"tok","inboxes":[{"inbox_id":1,"agent_id":%q}],"fallback_text":"Sorry."}`, c.URL, f.Agent)})
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// conversation makes the fixture's thread one of the account.
func conversation(t *testing.T, l *ledger.Ledger, ch domain.Channel, f ledgertest.Fixture, id string) ledgertest.Fixture {
	t.Helper()
	th, err := l.EnsureChannelThread(t.Context(), ledger.ChannelThread{OrgID: f.Org, ContactID: f.Contact, Channel: ch.Name, Key: domain.ChatwootKey(ch.ID, id), AgentID: f.Agent, SetAgent: true})
	if err != nil {
		t.Fatal(err)
	}
	f.Thread = th.ID
	return f
}

func hears(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture, id string) {
	t.Helper()
	do(t, l, f, ledger.Inbound{Channel: "chatwoot", Kind: string(domain.MessageReceived), ExternalID: id, Content: "line " + id})
}

func deliver(t *testing.T, l *ledger.Ledger, way *dispatch.Chatwoot) {
	t.Helper()
	courier := dispatch.NewCourier(l, map[string]dispatch.Transport{ledger.TransportChatwoot: way}, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = courier.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never saw " + what)
		}
	}
}

// Whatever goes wrong on the way, every reply is in its conversation once, in order.
func TestChatwootGetsEveryReplyOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		wrong func(r *http.Request, n int) (status int, lost bool)
		looks bool
	}{
		{"nothing", nil, false},
		{"too many requests", func(_ *http.Request, n int) (int, bool) { return map[bool]int{true: 429}[n%3 == 1], false }, false},
		{"server errors", func(_ *http.Request, n int) (int, bool) { return map[bool]int{true: 500}[n%3 == 1], false }, false},
		{"gateway errors", func(_ *http.Request, n int) (int, bool) { return map[bool]int{true: 502}[n%3 == 1], false }, true},
		{"resets", func(_ *http.Request, n int) (int, bool) { return map[bool]int{true: -1}[n%3 == 1], false }, true},
		{"answers lost", func(_ *http.Request, n int) (int, bool) { return 0, n%3 == 1 }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, c := ledgertest.New(t), newThere(t)
			f := ledgertest.Seed(t, l)
			ch := c.account(t, l, f)
			c.fail(tt.wrong)
			deliver(t, l, &dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}})
			const replies = 6
			var want []string
			for i := range replies {
				want = append(want, fmt.Sprint("reply ", i/2)) // each twice: the same words are not the same message
				for _, id := range []string{"41", "42"} {
					do(t, l, conversation(t, l, ch, f, id), ledger.PersonReply{User: f.User, ClientID: fmt.Sprint(id, i), Content: want[i]})
				}
			}
			within(t, "all replies", func() bool { return len(c.heard("41")) >= replies && len(c.heard("42")) >= replies })
			within(t, "the end of all deliveries", func() bool {
				var open int
				err := l.NewRaw(`SELECT count(*) FROM deliveries WHERE status <> 'done'`).Scan(context.Background(), &open)
				return err == nil && open == 0
			})
			for _, id := range []string{"41", "42"} {
				if got := c.heard(id); !slices.Equal(got, want) {
					t.Errorf("%s: %q", id, got)
				}
			}
			if (c.looked > 0) != tt.looks {
				t.Errorf("looked %d times for what was posted before", c.looked)
			}
		})
	}
}

// Chatwoot's own report of a reply ends its delivery, also when the answer to the post was lost and nobody can look.
func TestChatwootTellsOfWhatArrived(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	ch := c.account(t, l, f)
	f = conversation(t, l, ch, f, "41")
	c.fail(func(_ *http.Request, n int) (int, bool) { return map[bool]int{true: 503}[n > 1], n == 1 })
	do(t, l, f, ledger.PersonReply{User: f.User, ClientID: "1", Content: "Hello  there."})
	if ours, err := l.Echo(t.Context(), f.Org, f.Thread, "100", "Hello there."); err != nil || ours {
		t.Fatalf("before anything was posted: %t, %v", ours, err)
	}
	deliver(t, l, &dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}})
	within(t, "reply", func() bool { return len(c.heard("41")) == 1 })
	for range 2 {
		if ours, err := l.Echo(t.Context(), f.Org, f.Thread, "100", "Hello there."); err != nil || !ours {
			t.Fatalf("the echo: %t, %v", ours, err)
		}
	}
	if ours, err := l.Echo(t.Context(), f.Org, f.Thread, "101", "Hello there."); err != nil || ours {
		t.Errorf("a person who says the same: %t, %v", ours, err)
	}
	within(t, "the end of the delivery", func() bool {
		var done int
		return l.NewRaw(`SELECT count(*) FROM deliveries WHERE status = 'done'`).Scan(context.Background(), &done) == nil && done == 1
	})
	if got := c.heard("41"); len(got) != 1 {
		t.Errorf("posted %q", got)
	}
}

// What is refused for good waits for a person, and holds up nobody else.
func TestChatwootDeadLetters(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	ch := c.account(t, l, f)
	for _, status := range []int{301, 400, 401, 403, 404, 410, 422} {
		c.fail(func(*http.Request, int) (int, bool) { return status, false })
		one := conversation(t, l, ch, f, fmt.Sprint(status))
		do(t, l, one, ledger.PersonReply{User: f.User, ClientID: "1", Content: "Hello."})
		if status == 301 {
			deliver(t, l, &dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}})
		}
		within(t, "a dead letter", func() bool {
			dead, err := l.ChannelDeliveries(t.Context(), f.Org, ch.ID, []string{"dead"}, 100)
			return err == nil && slices.ContainsFunc(dead, func(d ledger.Delivery) bool {
				return d.ThreadID == one.Thread && d.Attempts == 1 && strings.Contains(d.LastError, fmt.Sprint(status))
			})
		})
	}
	c.fail(nil)
	if n, err := l.RetryChannel(t.Context(), ledgertest.Seed(t, l).Org, ch.ID); err != nil || n != 0 {
		t.Errorf("another organisation's: %d, %v", n, err)
	}
	if n, err := l.RetryChannel(t.Context(), f.Org, ch.ID); err != nil || n != 7 {
		t.Errorf("%d tried again, %v", n, err)
	}
	within(t, "what was refused", func() bool { return len(c.heard("401")) == 1 && len(c.heard("422")) == 1 })
}

// shows is a dispatcher that shows in the account who types.
func shows(t *testing.T, l *ledger.Ledger, v voice) (node, *dispatch.ChatwootTyping) {
	t.Helper()
	typing := dispatch.NewChatwootTyping(&dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}}, slog.New(slog.DiscardHandler))
	n := start(t, l, v, dispatch.Options{Typing: typing.Set, Grace: time.Second, Lease: 2 * time.Second})
	return n, typing
}

// Whatever becomes of a turn, and however Chatwoot takes it, the sign that somebody types goes out in the end.
func TestChatwootTypingEnds(t *testing.T) {
	t.Parallel()
	failing := func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		return agent.Result{}, &agent.Failure{Reason: "broken", Permanent: true, Err: errors.New("broken")}
	}
	hanging := func(ctx context.Context, _ agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		<-ctx.Done()
		return agent.Result{}, ctx.Err()
	}
	offFails := func(r *http.Request, n int) (int, bool) {
		return map[bool]int{true: []int{500, 429, -1}[n%3]}[n > 1 && n < 5 && strings.HasSuffix(r.URL.Path, "status")], false
	}
	tests := []struct {
		name  string
		voice voice
		wrong func(*http.Request, int) (int, bool)
		then  func(t *testing.T, n node, f ledgertest.Fixture)
		want  []string
	}{
		{"an answer", func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) { return answer("Hello.") }, nil, nil, []string{"on", "off"}},
		{"a failure", failing, nil, nil, []string{"on", "off"}},
		{"no answer", func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
			return agent.Result{}, nil
		}, nil, nil, nil},
		{"a person takes over", hanging, nil, func(t *testing.T, n node, f ledgertest.Fixture) {
			do(t, n.Ledger, f, ledger.Elsewhere{Channel: "chatwoot", ExternalID: "7", Name: "Anna", Content: "I am here."})
		}, []string{"on", "off"}},
		{"it is resolved", hanging, nil, func(t *testing.T, n node, f ledgertest.Fixture) {
			do(t, n.Ledger, f, ledger.MovedElsewhere{Channel: "chatwoot", ExternalID: "7", To: domain.HandlingClosed})
		}, []string{"on", "off"}},
		{"a shutdown", hanging, nil, func(_ *testing.T, n node, _ ledgertest.Fixture) { n.stop() }, []string{"on", "off"}},
		{"off is refused for a while", failing, offFails, nil, []string{"on", "off"}},
		{"on is lost", failing, func(_ *http.Request, n int) (int, bool) { return map[bool]int{true: 500}[n == 1], false }, nil, []string{"off"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, c := ledgertest.New(t), newThere(t)
			f := ledgertest.Seed(t, l)
			f = conversation(t, l, c.account(t, l, f), f, "41")
			c.fail(tt.wrong)
			n, typing := shows(t, l, tt.voice)
			hears(t, l, f, "1")
			if tt.then != nil {
				within(t, "somebody typing", func() bool { return len(c.signs("41")) > 0 })
				tt.then(t, n, f)
			}
			within(t, "the sign going out", func() bool { s := c.signs("41"); return len(s) > 0 && s[len(s)-1] == "off" })
			n.stop()
			typing.Close(t.Context())
			if got := c.signs("41"); tt.want != nil && !slices.Equal(got, tt.want) || got[len(got)-1] != "off" {
				t.Errorf("shown %q", got)
			}
		})
	}
}

// A worker that dies leaves the sign on; who takes its turn over switches it off.
func TestChatwootTypingOutlivesAWorker(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	f = conversation(t, l, c.account(t, l, f), f, "41")
	hears(t, l, f, "1")
	if claimed, err := l.Claim(t.Context(), 1, time.Millisecond, ledger.Pauses{}); err != nil || len(claimed) != 1 { // by a worker that never comes back
		t.Fatalf("%v, %v", claimed, err)
	}
	_, typing := shows(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) { return answer("Hello.") })
	defer typing.Close(context.Background())
	within(t, "the sign going out", func() bool { s := c.signs("41"); return len(s) > 0 && s[len(s)-1] == "off" })
}

// Nothing of a webchat's turns reaches a Chatwoot, and none of what only the team sees.
func TestChatwootTypingOnlyThere(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	c.account(t, l, f)
	_, typing := shows(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) { return answer("Hello.") })
	say(t, l, f, "1")
	eventually(t, l, f, "an answer", agentSaid(1))
	typing.Close(t.Context())
	if c.asked > 0 {
		t.Errorf("asked %d times", c.asked)
	}
}

// When an agent has failed for good the contact is told so there, and a person is wanted.
func TestChatwootFallback(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	f = conversation(t, l, c.account(t, l, f), f, "41")
	deliver(t, l, &dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}})
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		return agent.Result{}, &agent.Failure{Reason: "broken", Permanent: true, Err: io.ErrUnexpectedEOF}
	}, dispatch.Options{})
	hears(t, l, f, "1")
	within(t, "the fallback text", func() bool { return slices.Equal(c.heard("41"), []string{"Sorry."}) })
	if th, err := l.Thread(t.Context(), f.Org, f.Thread); err != nil || th.Handling != domain.HandlingWaiting {
		t.Errorf("%s, %v", th.Handling, err)
	}
	within(t, "the open conversation", func() bool { _, status := c.told("41"); return slices.Equal(status, []string{"open after 1 and 0"}) })
}

// Services that were made for a Chatwoot bridge hear of its ids, not of Parley's.
func TestChatwootOrigin(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	f = conversation(t, l, c.account(t, l, f), f, "41")
	ledgertest.Set(t, l, "agents", f.Agent, "kind", "websocket")
	got := make(chan agent.TurnRequest, 1)
	start(t, l, func(_ context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		got <- r
		return answer("Hello.")
	}, dispatch.Options{})
	for _, id := range []string{"900", "901"} { // the turn of the second begins with it
		do(t, l, f, ledger.Inbound{Channel: "chatwoot", Kind: string(domain.MessageReceived), ExternalID: id, Content: "Hello?",
			Payload: json.RawMessage(`{"conversation":{"inbox_id":"1","channel":"Channel::Api","additional_attributes":{"a":1}},"sender":{"id":"9"}}`)})
		r := <-got
		o := r.Origin
		if o == nil || o.ConversationID != "41" || o.InboxID != "1" || o.SenderID != "9" || o.Channel != "Channel::Api" || string(o.Attributes) != `{"a": 1}` ||
			len(o.MessageIDs) != 1 || o.MessageIDs[r.Messages[len(r.Messages)-1].ID] != id {
			t.Errorf("%+v", o)
		}
		within(t, "the answer", func() bool {
			var open bool
			err := l.NewRaw(`SELECT EXISTS (SELECT FROM dispatches WHERE thread_id = ? AND status IN ('queued', 'running'))`, f.Thread).Scan(t.Context(), &open)
			return err == nil && !open
		})
	}
}
