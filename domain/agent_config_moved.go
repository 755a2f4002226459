package domain

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// moved reports whether a config names another server than before. Whoever may edit an agent need not know its secrets, and must
// not get at them by sending them to a server of their own.
func moved(was, is json.RawMessage) bool {
	before, after := server(was), server(is)
	return before != "" && after != "" && after != before
}

// server is the scheme, host and port that a config's requests go to; empty if it names none.
func server(config json.RawMessage) string {
	var c struct {
		URL     string `json:"url"`
		BaseURL string `json:"base_url"`
	}
	if json.Unmarshal(config, &c) != nil {
		return ""
	}
	return serverAt(c.URL + c.BaseURL) // a kind has one of them
}

// serverAt is the scheme, host and port of an address; empty if it has none.
func serverAt(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// wantAgain asks for every secret that would be kept although nobody gave it again.
func (p agentProblems) wantAgain(next, given map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(next)) {
		if given[key] == next[key] {
			continue
		}
		field := "config." + key
		if strings.HasPrefix(key, headerSecret) {
			field = "config.headers"
		}
		p.add(field, "must be given again, because the address is now another server's")
	}
}
