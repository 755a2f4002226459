package edge

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/httprate"

	"github.com/parley-chat/parley/domain"
)

const resetHeader = "RateLimit-Reset"

// LimitKeys bounds the requests a minute of each API key and tells where it stands in the RateLimit headers. keyOf names the key
// that a request came with.
func LimitKeys(log *slog.Logger, perMinute int, keyOf func(*http.Request) domain.APIKeyID) func(http.Handler) http.Handler {
	byKey := func(r *http.Request) (string, error) { return string(keyOf(r)), nil }
	limited := httprate.LimitBy(perMinute, time.Minute, byKey,
		httprate.WithResponseHeaders(httprate.ResponseHeaders{Limit: "RateLimit-Limit", Remaining: "RateLimit-Remaining", Reset: resetHeader}),
		httprate.WithLimitHandler(func(w http.ResponseWriter, r *http.Request) {
			WriteProblem(w, r, log, &domain.Error{Kind: domain.Throttled, RetryAfter: untilReset(w),
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
