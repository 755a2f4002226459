package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/httprate"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

const resetHeader = "RateLimit-Reset"

// limit bounds each key's requests a minute and tells where it stands in the RateLimit headers.
func (a *API) limit() func(http.Handler) http.Handler {
	byKey := func(r *http.Request) (string, error) { return string(callerOf(r.Context()).key.ID), nil }
	limited := httprate.LimitBy(a.RatePerMinute, time.Minute, byKey,
		httprate.WithResponseHeaders(httprate.ResponseHeaders{Limit: "RateLimit-Limit", Remaining: "RateLimit-Remaining", Reset: resetHeader}),
		httprate.WithLimitHandler(func(w http.ResponseWriter, r *http.Request) {
			edge.WriteProblem(w, r, a.Log, &domain.Error{Kind: domain.Throttled, RetryAfter: untilReset(w),
				Msg: "this key has made too many requests: wait as long as Retry-After says"})
		}))
	return func(next http.Handler) http.Handler {
		return limited(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			untilReset(w)
			next.ServeHTTP(w, r)
		}))
	}
}

// untilReset turns the moment of the next window, in which httprate thinks, into the seconds until then, which the header means.
func untilReset(w http.ResponseWriter) time.Duration {
	at, err := strconv.ParseInt(w.Header().Get(resetHeader), 10, 64)
	if err != nil {
		return time.Minute
	}
	wait := max(time.Until(time.Unix(at, 0)).Round(time.Second), time.Second)
	w.Header().Set(resetHeader, strconv.Itoa(int(wait.Seconds())))
	return wait
}
