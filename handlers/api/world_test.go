package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/domain/replay"
)

// world is a server with two organisations that have everything there is.
type world struct {
	ledger  *ledger.Ledger
	account *account.Service
	chat    *chat.Service
	replays *replay.Service
	server  *httptest.Server
	acme    tenant
	rival   tenant
}

// tenant is an organisation and a client with its key.
type tenant struct {
	ledgertest.Fixture
	client
	article  domain.ArticleID
	delivery domain.DeliveryID // one that is dead
	replay   domain.ReplayID   // one that nobody makes
	webhook  domain.WebhookID  // it hears of nothing but ratings, and was told of one
	told     domain.DeliveryID
	channel  domain.ChannelID
	spare    domain.APIKeyID // of a key that nobody uses
	asked    domain.InvitationID
}

func newWorld(t *testing.T, set ...func(*Deps)) *world {
	t.Helper()
	return newWorldOn(t, ledgertest.New(t), set...)
}

func newWorldOn(t *testing.T, l *ledger.Ledger, set ...func(*Deps)) *world {
	t.Helper()
	w := newServerOn(t, l, set...)
	w.acme, w.rival = w.tenant(t), w.tenant(t)
	return w
}

// newServerOn is a world nobody lives in yet.
func newServerOn(t *testing.T, l *ledger.Ledger, set ...func(*Deps)) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	w := &world{ledger: l, account: account.New(l), chat: chat.New(l, relay.New(l, log), log)}
	w.replays = replay.New(l, replay.Options{Log: log})
	deps := Deps{Chat: w.chat, Account: w.account, Replays: w.replays, Answers: l, Version: "0.0.1", Log: log,
		TryAgent: func(_ context.Context, a domain.Agent) domain.AgentTest {
			return domain.AgentTest{OK: a.Name != "Mute", ConnectMS: 1.5, FirstResponseMS: 2.25, Response: "I am " + a.Name}
		},
		TryChannel: func(_ context.Context, c domain.Channel) domain.ChannelTest {
			return domain.ChannelTest{OK: c.Token == "good", MS: 3.5, Inboxes: []domain.ChannelInbox{{ID: "1", Name: "Website"}}}
		}}
	for _, f := range set {
		f(&deps)
	}
	r := chi.NewRouter()
	r.Use(middleware.GetHead) // as the program's
	New(deps).Routes(r)
	w.server = httptest.NewServer(r)
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) tenant(t *testing.T) tenant {
	t.Helper()
	f := ledgertest.Seed(t, w.ledger)
	key, _, err := w.account.CreateAPIKey(t.Context(), f.Org, account.APIKeyInput{Name: "Robot", Scope: domain.ScopeAdmin})
	if err != nil {
		t.Fatal(err)
	}
	article, err := w.account.CreateArticle(t.Context(), f.Org, account.ArticleInput{Title: "Delivery", Content: "Three days."})
	if err != nil {
		t.Fatal(err)
	}
	looks := w.account.DefaultWidget() // the fixture's widget has none
	looks.Name, looks.AgentID, looks.RateMessages = "Shop", f.Agent, 1000
	if _, err := w.account.UpdateWidget(t.Context(), f.Org, f.Widget, looks); err != nil {
		t.Fatal(err)
	}
	delivery := ledger.NewID[domain.DeliveryID]()
	if _, err := w.ledger.NewRaw(`INSERT INTO deliveries (id, org_id, transport, target, status, last_error, due_at, created_at, updated_at)
VALUES (?, ?, 'mail', 'anna@example.com', 'dead', 'connection refused', now(), now(), now())`, delivery, f.Org).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := domain.Replay{ID: ledger.NewID[domain.ReplayID](), OrgID: f.Org, ThreadID: f.Thread, AgentID: f.Agent, AgentName: "Ada", AskedBy: "a secret"}
	if err := w.ledger.QueueReplay(t.Context(), r, domain.Tape{}); err != nil {
		t.Fatal(err)
	}
	hook, err := w.account.CreateWebhook(t.Context(), f.Org, account.WebhookInput{URL: "https://hook.example/", Kinds: []domain.TimelineKind{domain.Rated}, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	told := ledger.NewID[domain.DeliveryID]()
	if _, err := w.ledger.NewRaw(`INSERT INTO deliveries (id, org_id, thread_id, transport, target, payload, status, answer_status, answer, due_at, created_at, updated_at)
VALUES (?, ?, ?, 'webhook', ?, '{"kind":"rated","secret":"a secret"}', 'done', 200, 'ok', now(), now(), now())`, told, f.Org, f.Thread, hook.ID).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	ledgertest.Set(t, w.ledger, "contacts", f.Contact, "external_id", "customer-4711")
	letters, err := w.account.CreateChannel(t.Context(), f.Org, account.ChannelInput{Name: "letters", Kind: domain.ChannelGeneric, AgentID: f.Agent, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	_, spare, err := w.account.CreateAPIKey(t.Context(), f.Org, account.APIKeyInput{Name: "Spare", Scope: domain.ScopeRead})
	if err != nil {
		t.Fatal(err)
	}
	_, asked, err := w.account.Invite(t.Context(), f.Org, f.User.ID, "asked."+f.User.Email, domain.RoleMember, account.ByLink)
	if err != nil {
		t.Fatal(err)
	}
	return tenant{f, client{w.server.URL, key}, article.ID, delivery, r.ID, hook.ID, told, letters.ID, spare.ID, asked.ID}
}

// as is the tenant with a key of another scope.
func (w *world) as(t *testing.T, of tenant, scope domain.Scope) tenant {
	t.Helper()
	var err error
	if of.client.key, _, err = w.account.CreateAPIKey(t.Context(), of.Org, account.APIKeyInput{Name: "Scoped", Scope: scope}); err != nil {
		t.Fatal(err)
	}
	return of
}

// says lets the tenant's visitor write a line.
func (w *world) says(t *testing.T, of tenant, clientID, content string) domain.Message {
	t.Helper()
	out, err := w.ledger.Append(t.Context(), ledger.Append{OrgID: of.Org, ThreadID: of.Thread,
		Change: ledger.Line{SessionID: of.Session.ID, ClientID: clientID, Content: content}})
	if err != nil {
		t.Fatal(err)
	}
	return *out.Message
}

// client sends requests under a key.
type client struct{ base, key string }

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any // of a JSON object
}

// do sends body, a string as it is and anything else as JSON; headers come in pairs. The answer must be one that the document speaks of.
func (c client) do(t *testing.T, method, path string, body any, headers ...string) answer {
	t.Helper()
	a := c.send(t, method, path, body, headers...)
	if strings.HasPrefix(path, Prefix) {
		a.fits(t, c, method, path)
	}
	return a
}

func (c client) send(t *testing.T, method, path string, body any, headers ...string) answer {
	t.Helper()
	var b []byte
	switch v := body.(type) {
	case nil:
	case string:
		b = []byte(v)
	default:
		var err error
		if b, err = json.Marshal(v); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, c.base+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	a := answer{status: res.StatusCode, header: res.Header}
	if a.raw, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(a.raw, &a.body)
	return a
}

func (c client) get(t *testing.T, path string) answer {
	t.Helper()
	return c.do(t, http.MethodGet, Prefix+path, nil)
}

func (c client) post(t *testing.T, path string, body any, headers ...string) answer {
	t.Helper()
	return c.do(t, http.MethodPost, Prefix+path, body, headers...)
}

func (c client) patch(t *testing.T, path string, body any) answer {
	t.Helper()
	return c.do(t, http.MethodPatch, Prefix+path, body)
}

// want fails the test unless the answer has the status.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	return a
}

// problem fails the test unless the answer is problem+json with this status and code.
func (a answer) problem(t *testing.T, status int, code string) answer {
	t.Helper()
	a.want(t, status)
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("Content-Type %q: %s", ct, a.raw)
	}
	if a.body["code"] != code || a.body["status"] != float64(status) || a.body["type"] != "about:blank" || a.body["detail"] == "" {
		t.Fatalf("want code %s: %s", code, a.raw)
	}
	return a
}

// badField is problem for a 422 that names this field.
func (a answer) badField(t *testing.T, field string) answer {
	t.Helper()
	a.problem(t, http.StatusUnprocessableEntity, "bad_field")
	if _, named := a.at("errors").(map[string]any)[field]; !named {
		t.Fatalf("want a problem with %s: %s", field, a.raw)
	}
	return a
}

// at is the value under a path of keys, a.b.c.
func (a answer) at(path string) any {
	var v any = a.body
	for key := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func (a answer) str(path string) string {
	s, _ := a.at(path).(string)
	return s
}

// items are a list's, as objects.
func (a answer) items(t *testing.T) []map[string]any {
	t.Helper()
	list, ok := a.body["items"].([]any)
	if !ok {
		t.Fatalf("no items: %s", a.raw)
	}
	items := make([]map[string]any, len(list))
	for i, item := range list {
		items[i], _ = item.(map[string]any)
	}
	return items
}

// check compares what stands under each path with what is wanted, as JSON.
func (a answer) check(t *testing.T, want map[string]any) answer {
	t.Helper()
	for path, v := range want {
		got, _ := json.Marshal(a.at(path))
		exp, _ := json.Marshal(v)
		if !bytes.Equal(got, exp) {
			t.Errorf("%s is %s, want %s", path, got, exp)
		}
	}
	return a
}
