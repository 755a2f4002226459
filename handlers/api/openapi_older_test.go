package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// Generators that know only OpenAPI 3.0 find the same operations there, in words that it has: null is no type of its own.
func TestOlderDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	read := func(path string) (d map[string]any) {
		a := client{base: w.server.URL}.do(t, http.MethodGet, Prefix+path, nil).want(t, http.StatusOK)
		if err := json.Unmarshal(a.raw, &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	now, older := read("/openapi.json"), read("/openapi-3.0.json")
	if now["openapi"] != "3.1.0" || older["openapi"] != "3.0.3" {
		t.Errorf("they are %v and %v", now["openapi"], older["openapi"])
	}
	if a, b := operationsOf(now), operationsOf(older); fmt.Sprint(a) != fmt.Sprint(b) || len(a) < 50 {
		t.Errorf("%d operations, of which the older document has %d", len(a), len(b))
	}
	wants30(t, "", older)
	properties := func(schema string) map[string]any {
		return older["components"].(map[string]any)["schemas"].(map[string]any)[schema].(map[string]any)["properties"].(map[string]any)
	}
	profile := properties("Contact")["profile"].(map[string]any)["properties"].(map[string]any)
	for _, p := range []any{properties("Thread")["assignee_id"], profile["geo"]} {
		if p, ok := p.(map[string]any); !ok || p["nullable"] != true {
			t.Errorf("it is not said to be null at times: %v", p)
		}
	}
}

func operationsOf(document map[string]any) map[string]bool {
	ids := map[string]bool{}
	for path, item := range document["paths"].(map[string]any) {
		for method, o := range item.(map[string]any) {
			if o, ok := o.(map[string]any); ok {
				ids[fmt.Sprint(method, " ", path, " ", o["operationId"])] = true
			}
		}
	}
	return ids
}

// wants30 finds what OpenAPI 3.0 has no word for.
func wants30(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			wants30(t, fmt.Sprint(at, "/", i), item)
		}
	case map[string]any:
		if _, many := v["type"].([]any); many || v["type"] == "null" {
			t.Errorf("%s has the type %v", at, v["type"])
		}
		if _, is := v["identifier"]; is && at == "/info/license" {
			t.Errorf("%s has an identifier", at)
		}
		for name, item := range v {
			if name != "example" {
				wants30(t, at+"/"+name, item)
			}
		}
	}
}
