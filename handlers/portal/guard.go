package portal

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/views"
)

// policy lets a page load what this server has and nothing else: no inline script, no style attribute, no frame of others.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors "

// strict sets the headers that every answer of the portal carries.
func (p *Portal) strict(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy+"'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store") // nothing of a signed-out session stays behind the back button
		h.Set("Vary", "HX-Request, Cookie")
		next.ServeHTTP(w, r)
	})
}

// framed lets the portal's own pages show this one in a frame.
func framed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy+"'self'")
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses whatever another site's page makes a browser send.
func (p *Portal) sameOrigin() func(http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	if p.PublicURL != "" {
		if err := guard.AddTrustedOrigin(p.PublicURL); err != nil {
			panic("portal: the public URL was to be checked before: " + err.Error())
		}
	}
	guard.SetDenyHandler(p.page(func(http.ResponseWriter, *http.Request) error {
		return &domain.Error{Kind: domain.Forbidden, Msg: "this form was sent from another site, so nothing was done"}
	}))
	return guard.Handler
}

// What a client address may try. A person mistypes a few times; a program that guesses is slowed to a crawl.
const (
	signInTries  = 30
	signInWindow = time.Minute
)

// limitSignIn refuses an address that tries too often.
func (p *Portal) limitSignIn() func(http.Handler) http.Handler {
	address := func(r *http.Request) (string, error) {
		return httprate.CanonicalizeIP(middleware.GetClientIP(r.Context())), nil
	}
	return httprate.LimitBy(signInTries, signInWindow, address,
		httprate.WithLimitHandler(p.page(func(http.ResponseWriter, *http.Request) error {
			return &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: signInWindow,
				Msg: "there were too many attempts to sign in from your address; wait a minute"}
		})))
}

const sessionCookie = "parley_session"

type memberKey struct{}

// memberOf is who is signed in. Only handlers behind signedIn may ask.
func memberOf(r *http.Request) account.Member {
	m, _ := r.Context().Value(memberKey{}).(account.Member)
	return m
}

// signedIn lets only members through. Others are led to the sign-in, or on a fresh installation to the setup.
func (p *Portal) signedIn(next http.Handler) http.Handler {
	return p.through(next, p.Account.MemberByToken)
}

// watching is signedIn for what open pages ask for by themselves. Nobody need be there: it is no use of a sign-in, so that one ends in time
// also where a page was left open.
func (p *Portal) watching(next http.Handler) http.Handler {
	return p.through(next, p.Account.PeekMember)
}

// findMember finds whose token it is. It fails with Unauthenticated.
type findMember func(ctx context.Context, token string) (account.Member, error)

func (p *Portal) through(next http.Handler, find findMember) http.Handler {
	return p.page(func(w http.ResponseWriter, r *http.Request) error {
		m, err := p.member(r, find)
		switch {
		case err == nil:
			p.Hosts.Learn(r)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), memberKey{}, m)))
			return nil
		case domain.KindOf(err) != domain.Unauthenticated:
			return err
		}
		if fresh, err := p.fresh(r.Context()); err != nil || fresh {
			if err == nil {
				leadTo(w, r, "/setup")
			}
			return err
		}
		if r.Method == http.MethodPost && r.Header.Get("HX-Request") == "" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			return keepTyped(w, r)
		}
		leadTo(w, r, "/signin"+comeBack(r))
		return nil
	})
}

// secretWords are in the names of fields whose content is never sent back.
var secretWords = []string{"password", "current", "secret", "token", "key", "headers"}

// keepTyped answers a form of somebody who was signed out meanwhile with what they typed, so that it is not lost.
func keepTyped(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	var fields []views.Typed
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		if slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) }) {
			continue
		}
		for _, value := range r.PostForm[name] {
			fields = append(fields, views.Typed{Name: name, Value: value})
		}
	}
	if len(fields) == 0 { // a button: nothing is lost
		leadTo(w, r, "/signin"+comeBack(r))
		return nil
	}
	return render(w, r, http.StatusUnauthorized, views.SignedOut(r.URL.Path, fields))
}

// member finds who sent the request. It fails with Unauthenticated.
func (p *Portal) member(r *http.Request, find findMember) (account.Member, error) {
	token := sessionOf(r)
	if token == "" {
		return account.Member{}, &domain.Error{Kind: domain.Unauthenticated, Msg: "please sign in"}
	}
	return find(r.Context(), token)
}

// sessionOf is the token of the session that a request comes in; empty: none.
func sessionOf(r *http.Request) string {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// fresh reports whether nobody owns anything here yet.
func (p *Portal) fresh(ctx context.Context) (bool, error) {
	if p.owned.Load() {
		return false, nil
	}
	has, err := p.Account.HasOwner(ctx)
	if has {
		p.owned.Store(true)
	}
	return !has && err == nil, err
}

// leadTo sends a browser elsewhere. A stream is simply refused: whoever opened it would take the page for events.
func leadTo(w http.ResponseWriter, r *http.Request, to string) {
	switch {
	case r.Header.Get("HX-Request") != "":
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusUnauthorized)
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		w.WriteHeader(http.StatusUnauthorized)
	default:
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

// comeBack is the query that leads back to where one was going, as far as that can be gone to.
func comeBack(r *http.Request) string {
	to := ""
	if here, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && here.Path != "" {
		to = here.RequestURI()
	} else if r.Method == http.MethodGet {
		to = r.URL.RequestURI()
	}
	if to = local(to); to == "" || to == "/" {
		return ""
	}
	return "?next=" + url.QueryEscape(to)
}

// local is a path of ours, or empty for anything that leads elsewhere.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return ""
	}
	return to
}

// seconds is d for a Max-Age.
func seconds(d time.Duration) int { return int(d / time.Second) }

// atoi reads a number of a query that only ever makes sense when positive; anything else is 0.
func atoi(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
