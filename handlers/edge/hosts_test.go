package edge_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/parley-chat/parley/handlers/edge"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	own := func(h *edge.Hosts, host string) bool {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		return h.Own(r)
	}
	for _, tt := range []struct {
		host string
		own  bool
	}{
		{"127.0.0.1", true}, {"127.0.0.1:8080", true}, {"192.168.1.5:80", true}, {"[::1]:8080", true}, {"[fe80::1]", true},
		{"localhost", true}, {"LocalHost:8080", true}, {"parley.localhost:8080", true},
		{"evil.example", false}, {"evil.example:8080", false}, {"localhost.evil.example", false}, {"127.0.0.1.evil.example:80", false},
		{"notlocalhost", false}, {"", false},
	} {
		if got := own(&edge.Hosts{}, tt.host); got != tt.own {
			t.Errorf("%q: own = %v", tt.host, got)
		}
		if got := own(nil, tt.host); got != tt.own {
			t.Errorf("%q, nobody learns: own = %v", tt.host, got)
		}
	}
	h := &edge.Hosts{}
	learn := func(host string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		h.Learn(r)
	}
	learn("Chat.example.com:8443")
	if !own(h, "chat.example.com:8443") || own(h, "chat.example.com") || own(h, "evil.example:8443") {
		t.Error("a name is learned as it is, with its port, and no other")
	}
	for n := range 1000 {
		learn(fmt.Sprintf("n%d.example", n))
	}
	if own(h, "n999.example") {
		t.Error("there is no end to what is learned")
	}
}
