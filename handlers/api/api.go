// Package api is the REST API: /api/v1 for programs that act for one organisation with its key, the OpenAPI document that describes
// it, and the pages for people made from that document. It must never decide anything itself, and never answer with what another
// organisation owns or with a stored credential.
package api

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/replay"
	"github.com/parley-chat/parley/handlers/edge"
)

// Prefix is where version 1 lives.
const Prefix = "/api/v1"

// DefaultRatePerMinute is how many requests a minute a key has unless Deps says otherwise: enough for a busy integration, too few
// for a loop gone wild.
const DefaultRatePerMinute = 6000

// Deps is what the API stands on. All but PublicURL, RatePerMinute and Version is needed.
type Deps struct {
	Chat          *chat.Service
	Account       *account.Service
	Replays       *replay.Service
	Answers       *ledger.Ledger                                           // remembers what POSTs with an Idempotency-Key were answered
	TryAgent      func(context.Context, domain.Agent) domain.AgentTest     // asks an agent one question outside any thread
	TryChannel    func(context.Context, domain.Channel) domain.ChannelTest // asks what is at a channel's other end
	PublicURL     string                                                   // scheme and host under which others reach this server; empty = the request's
	RatePerMinute int                                                      // requests of one key on this node; 0 = DefaultRatePerMinute
	Version       string                                                   // of the program, for the document
	Log           *slog.Logger
}

// API serves it. It is safe for concurrent use and keeps nothing but the request counts of its rate limit.
type API struct {
	Deps
	router   chi.Router
	huma     huma.API
	document []byte // OpenAPI 3.1 as JSON
	older    []byte // the same as OpenAPI 3.0, for generators that know no other
	docs     docs
}

// New makes the API, its OpenAPI document and its documentation. It panics if two operations contradict each other, which no
// request can bring about.
func New(d Deps) *API {
	if d.RatePerMinute == 0 {
		d.RatePerMinute = DefaultRatePerMinute
	}
	a := &API{Deps: d, router: chi.NewRouter()}
	a.router.Use(noStore)
	a.router.NotFound(a.notFound)
	a.router.MethodNotAllowed(edge.MethodNotAllowed(a.Log, a.router))
	a.router.Get("/openapi.json", a.serveDocument)
	a.router.Get("/openapi-3.0.json", a.serveDocument)
	var operations []*huma.Operation
	a.router.Group(func(r chi.Router) {
		scopes := reach{}
		r.Use(a.authenticate, edge.LimitKeys(a.Log, a.RatePerMinute, keyOf), scopes.guard(a), a.idempotent, unchanged)
		a.huma = humachi.New(r, config(d.Version, func(o *huma.Operation) {
			operations = append(operations, o)
			scopes.learn(o)
		}))
		a.agentOperations()
		a.agentTestOperations()
		a.budgetOperations()
		a.widgetOperations()
		a.articleOperations()
		a.contactOperations()
		a.channelOperations()
		a.eventOperations()
		a.threadOperations()
		a.replayOperations()
		a.deliveryOperations()
		a.webhookOperations()
		a.messageOperations()
		a.attachmentOperations(r)
		a.suggestionOperations()
		a.settingsOperations()
		a.teamOperations()
		a.apiKeyOperations()
	})
	a.document, a.older = mustDocument(a.huma.OpenAPI()), mustOlder(a.huma.OpenAPI())
	a.docs = mustDocs(a.huma.OpenAPI(), operations)
	return a
}

// Routes mounts all URLs of this surface on the program's root router.
func (a *API) Routes(r chi.Router) {
	r.Mount(Prefix, a.router)
	r.Get("/agents/status", a.openStatus()) // what watches a deployment does not care for versions
	r.Get("/api/docs", a.docs.servePage)
	r.Get("/api/docs/style.css", a.docs.serveStyle)
}

// noStore keeps answers, which hold people's words, out of every cache.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}
