package edge

import (
	"cmp"
	"net/http"
	"strings"
)

// Origin is where whoever made a request finds this server: at its public URL, or if there is none, where they found it just now.
func Origin(publicURL string, r *http.Request) string {
	if OverTLS(r) {
		return cmp.Or(publicURL, "https://"+r.Host)
	}
	return cmp.Or(publicURL, "http://"+r.Host)
}

// OverTLS reports whether a request came over TLS, to us or to a proxy in front. A client that only claims so harms nobody but itself:
// its cookies become stricter.
func OverTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
