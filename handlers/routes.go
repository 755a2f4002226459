// Package handlers is the HTTP edge: Routes mounts every surface and says where each lives. It must never hold a surface's own
// logic: the portal, the widget's public side and the API are packages of their own.
package handlers

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/parley-chat/parley/static"
)

// Surface adds its URLs, each with its own middleware, to a router.
type Surface interface{ Routes(r chi.Router) }

// Surfaces are what Routes mounts.
type Surfaces struct {
	Portal Surface // /, /signin, /inbox, /threads, /agents, /widgets …
	Widget Surface // /widget.js, /w/{key}/…, /demo
	API    Surface // /api/v1, /api/docs, /agents/status
	Bridge Surface // /api/sessions, /compat/construct/api/…
	MCP    Surface // /mcp

	Chatwoot Surface // /webhook/chatwoot

	// RootSocket takes what asks the portal's front door for a WebSocket; nil: nobody does.
	RootSocket     http.HandlerFunc
	Health         func(context.Context) error // reports whether the database answers
	Ready          func() bool                 // false while draining
	Metrics        http.Handler
	Trace          func(http.Handler) http.Handler // around everything; nil: nothing is
	Version        string
	TrustedProxies []string // CIDRs whose X-Forwarded-For counts
	Log            *slog.Logger
}

// Routes is the whole server.
func Routes(s Surfaces) http.Handler {
	r := chi.NewRouter()
	if s.Trace != nil {
		r.Use(s.Trace)
	}
	r.Use(unescaped, honest(s.TrustedProxies))
	if len(s.TrustedProxies) > 0 {
		r.Use(middleware.ClientIPFromXFF(s.TrustedProxies...))
	} else {
		r.Use(middleware.ClientIPFromRemoteAddr)
	}
	r.Use(recoverer(s.Log), bodyWithin(bodyTime), hsts, middleware.GetHead, s.rootSocket)

	r.Get("/health", s.health)
	r.Get("/ready", s.ready)
	r.Handle("/metrics", s.Metrics)
	r.Handle(static.Prefix+"*", static.Handler())
	s.Widget.Routes(r)
	s.API.Routes(r)
	s.Bridge.Routes(r)
	s.Chatwoot.Routes(r)
	s.MCP.Routes(r)
	s.Portal.Routes(r)
	return r
}
