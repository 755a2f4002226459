package mcp

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// somebody is an id that nothing has.
const somebody = "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"

// world is a server with two organisations, each with a client that is an agent from outside.
type world struct {
	ledger  *ledger.Ledger
	account *account.Service
	server  *httptest.Server
	log     *strings.Builder
	acme    tenant
	rival   tenant
}

type tenant struct {
	ledgertest.Fixture
	key     string
	session *mcp.ClientSession
}

func newWorld(t *testing.T, set ...func(*Deps)) *world {
	t.Helper()
	l := ledgertest.New(t)
	w := &world{ledger: l, account: account.New(l), log: &strings.Builder{}}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	deps := Deps{Chat: chat.New(l, relay.New(l, log), log), Account: w.account, Version: "0.0.1", Log: log,
		TryAgent: func(_ context.Context, a domain.Agent) domain.AgentTest {
			return domain.AgentTest{OK: true, ConnectMS: 1.5, FirstResponseMS: 2.25, Response: "I am " + a.Name}
		}}
	for _, f := range set {
		f(&deps)
	}
	r := chi.NewRouter()
	New(deps).Routes(r)
	w.server = httptest.NewServer(r)
	t.Cleanup(w.server.Close)
	w.acme, w.rival = w.tenant(t), w.tenant(t)
	return w
}

func (w *world) tenant(t *testing.T) tenant {
	t.Helper()
	f := ledgertest.Seed(t, w.ledger)
	key, _, err := w.account.CreateAPIKey(t.Context(), f.Org, account.APIKeyInput{Name: "Robot", Scope: domain.ScopeAdmin})
	if err != nil {
		t.Fatal(err)
	}
	return tenant{f, key, w.connect(t, key)}
}

// as is the tenant with a key of another scope.
func (w *world) as(t *testing.T, of tenant, scope domain.Scope) tenant {
	t.Helper()
	key, _, err := w.account.CreateAPIKey(t.Context(), of.Org, account.APIKeyInput{Name: "Robot", Scope: scope})
	if err != nil {
		t.Fatal(err)
	}
	of.key, of.session = key, w.connect(t, key)
	return of
}

// connect is a real client of the protocol with a key.
func (w *world) connect(t *testing.T, key string) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: w.server.URL + Path, HTTPClient: &http.Client{Transport: bearing{key}}, DisableStandaloneSSE: true, MaxRetries: -1,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

type bearing struct{ key string }

func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return http.DefaultTransport.RoundTrip(r)
}

// says lets the tenant's visitor write a line.
func (w *world) says(t *testing.T, of tenant, clientID, content string) {
	t.Helper()
	if _, err := w.ledger.Append(t.Context(), ledger.Append{OrgID: of.Org, ThreadID: of.Thread,
		Change: ledger.Line{SessionID: of.Session.ID, ClientID: clientID, Content: content}}); err != nil {
		t.Fatal(err)
	}
}

// arguments are a tool's.
type arguments map[string]any

// call uses a tool and returns its result's text, and whether it is an error.
func (of tenant) call(t *testing.T, name string, args any) (text string, isError bool) {
	t.Helper()
	res, err := of.session.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	for _, c := range res.Content {
		if one, ok := c.(*mcp.TextContent); ok {
			text += one.Text
		}
	}
	return text, res.IsError
}

// use is call for one that has to come off; what it answers fits T.
func use[T any](t *testing.T, of tenant, name string, args any) (out T) {
	t.Helper()
	text, isError := of.call(t, name, args)
	if isError {
		t.Fatalf("%s %v: %s", name, args, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s: %v in %s", name, err, text)
	}
	return out
}

// refused is call for one that has to be refused, with this code and these words.
func refused(t *testing.T, of tenant, name string, args any, code, words string) {
	t.Helper()
	text, isError := of.call(t, name, args)
	if !isError || !strings.HasPrefix(text, code+": ") || !strings.Contains(text, words) {
		t.Errorf("%s %v: error %v, %s; want %s with %q", name, args, isError, text, code, words)
	}
}
