package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

// healthTimeout is how long the database may take to answer before it counts as gone.
const healthTimeout = 2 * time.Second

// health answers 200 while everything answers, else 503 with the failing part named.
func (s Surfaces) health(w http.ResponseWriter, r *http.Request) {
	status, body := s.check(r.Context())
	_ = edge.WriteJSON(w, status, body) // plain strings: cannot fail
}

// ready is health, and 503 too while the server drains, so that a balancer sends nobody here any more.
func (s Surfaces) ready(w http.ResponseWriter, r *http.Request) {
	status, body := s.check(r.Context())
	if !s.Ready() {
		status, body["status"] = http.StatusServiceUnavailable, "draining"
	}
	_ = edge.WriteJSON(w, status, body)
}

func (s Surfaces) check(ctx context.Context) (int, map[string]string) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	body := map[string]string{"status": "ok", "version": s.Version, "database": "ok"}
	if err := s.Health(ctx); err != nil {
		body["status"], body["database"] = "failing", "unreachable"
		return http.StatusServiceUnavailable, body
	}
	return http.StatusOK, body
}

// recoverer answers a handler's panic with a 500 that gives nothing away, and logs it with its stack.
func recoverer(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				if v == http.ErrAbortHandler {
					panic(v)
				}
				log.ErrorContext(r.Context(), "panic", "path", edge.LogPath(r), "value", v, "stack", string(debug.Stack()))
				if r.Header.Get("Connection") != "Upgrade" {
					edge.WriteProblem(w, r, log, &domain.Error{Kind: domain.Internal, Msg: "something went wrong on our side"})
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// rootSocket hands on who wants a WebSocket of the bare host, as clients do that know nothing but its name.
func (s Surfaces) rootSocket(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.RootSocket != nil && r.URL.Path == "/" && r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			s.RootSocket(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hsts asks browsers that came over TLS to do so from now on.
func hsts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// honest drops what a request says about the way it came, unless a trusted proxy says it: anybody could.
func honest(trusted []string) func(http.Handler) http.Handler {
	var proxies []netip.Prefix
	for _, cidr := range trusted {
		if p, err := netip.ParsePrefix(cidr); err == nil { // else the configuration was refused before
			proxies = append(proxies, p)
		}
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			peer, err := netip.ParseAddrPort(r.RemoteAddr)
			at := peer.Addr().Unmap().WithZone("")
			if err != nil || !slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(at) }) {
				r.Header.Del("X-Forwarded-Proto")
			}
			next.ServeHTTP(w, r)
		})
	}
}
