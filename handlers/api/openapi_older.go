package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// mustOlder is the document in OpenAPI 3.0, for the generators that know no other. Nothing is left out of it but examples beyond the first.
func mustOlder(api *huma.OpenAPI) []byte {
	b, err := api.Downgrade()
	if err != nil {
		panic(err)
	}
	var document map[string]any
	if err := json.Unmarshal(b, &document); err != nil {
		panic(err)
	}
	if info, ok := document["info"].(map[string]any); ok {
		info["license"] = map[string]any{"name": api.Info.License.Name}
	}
	nullable(document)
	if b, err = json.Marshal(document); err != nil {
		panic(err)
	}
	return b
}

// nullable says in the words of 3.0, which has no type null, what may be one thing or null: huma's own pass leaves these.
func nullable(v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			nullable(item)
		}
	case map[string]any:
		for _, item := range v {
			nullable(item)
		}
		choices, _ := v["anyOf"].([]any)
		var left []any
		for _, c := range choices {
			if is, ok := c.(map[string]any); !ok || is["type"] != "null" {
				left = append(left, c)
			}
		}
		if len(left) == len(choices) {
			return
		}
		v["nullable"], v["anyOf"] = true, left
		if len(left) == 1 {
			delete(v, "anyOf")
			v["allOf"] = left
		}
	}
}
