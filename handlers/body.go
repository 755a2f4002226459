package handlers

import (
	"net/http"
	"time"
)

// bodyTime is how long the body of a request may take to arrive when nothing reads it. Handlers that read one set a time of their own.
const bodyTime = time.Minute

// bodyWithin bounds how long a request's body may take to arrive, also one that nothing reads: the server waits for its end before it
// answers, and would wait for ever for somebody who announces a body to hold a connection.
func bodyWithin(limit time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength != 0 {
				_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(limit)) // a writer that cannot is a test's
			}
			next.ServeHTTP(w, r)
		})
	}
}
