package edge

import (
	"cmp"
	"net/http"
	"strings"
)

// Origin is where whoever made a request finds this server: at its public URL, or if there is none, where they found it just now.
func Origin(publicURL string, r *http.Request) string {
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		return cmp.Or(publicURL, "https://"+r.Host)
	}
	return cmp.Or(publicURL, "http://"+r.Host)
}
