package widget

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/handlers/edge"
)

// preflightAge is how long browsers may remember what a page is allowed. Each request is checked again whatever they remember.
const preflightAge = "7200" // seconds; Chrome keeps no longer

// admit lets in pages that may embed the widget, answers their preflights, and hands the widget on to the handlers. Who was not
// refused for their origin may read why else a request fails.
func (s *Surface) admit(next http.Handler) http.Handler {
	return edge.JSON(s.log, func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Vary", "Origin")
		h.Set("X-Content-Type-Options", "nosniff")
		wid, err := s.find(r.Context(), r, chi.URLParam(r, "key"))
		if origin := r.Header.Get("Origin"); origin != "" && domain.CodeOf(err) != domain.CodeOriginNotAllowed {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "ETag, Retry-After")
		}
		if err != nil {
			return err
		}
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
			h.Set("Access-Control-Max-Age", preflightAge)
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), widgetKey{}, wid)))
		return nil
	})
}

// find is the widget, if the page that sent r may embed it.
func (s *Surface) find(ctx context.Context, r *http.Request, key string) (domain.Widget, error) {
	return s.findFor(ctx, s.pageOf(r), key)
}

func (s *Surface) findFor(ctx context.Context, is page, key string) (domain.Widget, error) {
	return s.chat.Widget(ctx, key, is.origin, is.own)
}

// page is where a request comes from.
type page struct {
	origin string // empty: nobody knows
	own    bool   // it is one of this server's
}

func (s *Surface) pageOf(r *http.Request) page {
	origin := pageOrigin(r)
	return page{origin, origin != "" && origin == s.ownOrigin(r) && (s.publicURL != "" || s.hosts.Own(r))}
}

// pageOrigin is the origin of the page that asks. Browsers leave the header out where page and server are the same, but then
// say that they are.
func pageOrigin(r *http.Request) string {
	origin := strings.Join(r.Header.Values("Origin"), ", ") // of two that are claimed neither is believed
	if origin != "" || r.Header.Get("Sec-Fetch-Site") != "same-origin" {
		return origin
	}
	return edge.Origin("", r)
}

// ownOrigin is the origin of this server's own pages: the configured one, or else the one the request was sent to.
func (s *Surface) ownOrigin(r *http.Request) string { return edge.Origin(s.publicURL, r) }

// speak is the protocol as whoever sent r is to hear it.
func (s *Surface) speak(r *http.Request) dialect.Parley {
	return dialect.Parley{Origin: s.ownOrigin(r)}
}

type widgetKey struct{}

// widgetOf is the widget that admit has found.
func widgetOf(r *http.Request) domain.Widget { return r.Context().Value(widgetKey{}).(domain.Widget) }

// visitor is h for requests that bear the token of a session.
func (s *Surface) visitor(h func(w http.ResponseWriter, r *http.Request, v *chat.Visitor) error) http.HandlerFunc {
	return edge.JSON(s.log, func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.chat.Visitor(r.Context(), widgetOf(r), token(r))
		if err != nil {
			return err
		}
		return h(w, r, &v)
	})
}

// socketProtocol is the WebSocket subprotocol spoken here; a browser can offer its token only as another one.
const (
	socketProtocol = "parley.v1"
	bearerProtocol = "bearer."
)

// token finds the session's token: in the header, among the subprotocols or, for a bare EventSource, in the query.
func token(r *http.Request) string {
	if scheme, t, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(t) != "" {
		return strings.TrimSpace(t)
	}
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for p := range strings.SplitSeq(line, ",") {
			if t, ok := strings.CutPrefix(strings.TrimSpace(p), bearerProtocol); ok {
				return t
			}
		}
	}
	return r.URL.Query().Get("token")
}

// address is where a request comes from, as far as limits care: of IPv6, the /64 that one client has to itself. It is empty for
// this machine itself: behind a proxy that is not trusted to say for whom it asks, all visitors come from there, and one of them
// must not use up the places of the others.
func address(r *http.Request) string {
	ip := clientIP(r)
	switch {
	case ip.IsLoopback():
		return ""
	case !ip.IsValid(): // who hides where they come from shares one place
		return "unknown"
	}
	return httprate.CanonicalizeIP(ip.String())
}

// clientIP is where a request comes from, as the trusted proxies tell; not valid where nobody knows.
func clientIP(r *http.Request) netip.Addr {
	ip := middleware.GetClientIP(r.Context())
	if ip == "" {
		ip, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	a, _ := netip.ParseAddr(ip)
	return a.Unmap()
}

// seldom bounds how often in a minute one address may do what leaves something behind, such as asking for a session.
func (s *Surface) seldom(times int, refusal string) func(http.Handler) http.Handler {
	limited := httprate.LimitBy(times, time.Minute,
		func(r *http.Request) (string, error) { return address(r), nil },
		httprate.WithResponseHeaders(httprate.ResponseHeaders{}),
		httprate.WithLimitHandler(edge.JSON(s.log, func(http.ResponseWriter, *http.Request) error {
			return &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: time.Minute, Msg: refusal}
		})))
	return func(next http.Handler) http.Handler {
		bounded := limited(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if address(r) == "" {
				next.ServeHTTP(w, r)
				return
			}
			bounded.ServeHTTP(w, r)
		})
	}
}

func nothingHere(http.ResponseWriter, *http.Request) error {
	return domain.NotFoundf("there is nothing here")
}

// mayArrive reports whether another session may be opened from where r came, and counts it.
func (s *Surface) mayArrive(r *http.Request) (may bool) {
	s.seldomly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { may = true })).ServeHTTP(unheard{}, r)
	return may
}

// unheard is the answer to nobody.
type unheard struct{}

func (unheard) Header() http.Header         { return http.Header{} }
func (unheard) Write(b []byte) (int, error) { return len(b), nil }
func (unheard) WriteHeader(int)             {}
