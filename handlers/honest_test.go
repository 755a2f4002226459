package handlers

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyATrustedProxySaysHowARequestCame(t *testing.T) {
	for name, tt := range map[string]struct {
		trusted []string
		peer    string
		want    string
	}{
		"nobody is trusted":        {nil, "203.0.113.7:80", ""},
		"not even this machine":    {nil, "127.0.0.1:80", ""},
		"the proxy":                {[]string{"10.0.0.0/8"}, "10.1.2.3:80", "https"},
		"somebody else":            {[]string{"10.0.0.0/8"}, "203.0.113.7:80", ""},
		"the proxy in other words": {[]string{"10.0.0.0/8"}, "[::ffff:10.1.2.3]:80", "https"},
		"over IPv6":                {[]string{"fd00::/8"}, "[fd00::1]:80", "https"},
		"no address at all":        {[]string{"10.0.0.0/8"}, "@", ""},
	} {
		var got string
		h := honest(tt.trusted)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("X-Forwarded-Proto") }))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = tt.peer
		r.Header.Set("X-Forwarded-Proto", "https")
		if h.ServeHTTP(httptest.NewRecorder(), r); got != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
