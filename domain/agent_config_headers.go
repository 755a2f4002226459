package domain

import (
	"maps"
	"net/textproto"
	"slices"
	"strings"
)

// headerSecret prefixes the name of a header in Agent.Secrets.
const headerSecret = "header:"

// Headers are the secret headers of the agent's requests, name → value.
func (a Agent) Headers() map[string]string { return headersIn(a.Secrets) }

// HeaderNames are the names of those headers in order, for display.
func (a Agent) HeaderNames() []string { return slices.Sorted(maps.Keys(a.Headers())) }

func headersIn(secrets map[string]string) map[string]string {
	headers := map[string]string{}
	for key, value := range secrets {
		if name, ok := strings.CutPrefix(key, headerSecret); ok {
			headers[name] = value
		}
	}
	return headers
}

// headers reads the write-only headers object as Agent.Secrets holds it. Names come out in their canonical spelling.
func (r *configReader) headers() map[string]string {
	var given map[string]*string
	readKey(r, "headers", &given, "must be an object of names and texts")
	secrets := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] == nil { // null: without this one
			continue
		}
		key := headerSecret + textproto.CanonicalMIMEHeaderKey(name)
		if _, twice := secrets[key]; twice {
			r.problems.add("config.headers", name+" is given twice")
		}
		secrets[key] = strings.TrimSpace(*given[name])
	}
	return secrets
}
