package handlers

import (
	"net/http"
	"strings"
)

// unescaped lets a path mean the same however a client has escaped it: by itself the router tells %77 from w. A slash that is escaped is
// part of a name and parts nothing, so such a path stays as it came.
func unescaped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if raw := r.URL.RawPath; raw != "" && !strings.Contains(strings.ToLower(raw), "%2f") {
			plain, u := *r, *r.URL
			u.RawPath, plain.URL = "", &u
			r = &plain
		}
		next.ServeHTTP(w, r)
	})
}
