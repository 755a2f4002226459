package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// spec is the OpenAPI document as a client would read it.
type spec struct {
	OpenAPI    string
	Servers    []struct{ URL string }
	Tags       []struct{ Name string }
	Paths      map[string]map[string]specOperation
	Components struct {
		Schemas         map[string]map[string]any
		SecuritySchemes map[string]map[string]any
	}
}

type specOperation struct {
	OperationID, Summary string
	Tags                 []string
	Parameters           []struct {
		Name, In, Description string
		Required              bool
	}
	Security    []map[string][]string
	RequestBody *specBody
	Responses   map[string]specBody
}

type specBody struct {
	Description string
	Content     map[string]struct {
		Schema  map[string]any
		Example any
	}
}

func readSpec(t *testing.T, w *world) (s spec, raw []byte) {
	t.Helper()
	a := client{base: w.server.URL}.do(t, http.MethodGet, Prefix+"/openapi.json", nil).want(t, http.StatusOK)
	if err := json.Unmarshal(a.raw, &s); err != nil {
		t.Fatal(err)
	}
	return s, a.raw
}

func TestDocumentIsValid(t *testing.T) {
	t.Parallel()
	s, raw := readSpec(t, newWorld(t))
	if !strings.HasPrefix(s.OpenAPI, "3.1.") || len(s.Servers) != 1 || s.Servers[0].URL != Prefix {
		t.Errorf("openapi %s, servers %v", s.OpenAPI, s.Servers)
	}
	if scheme := s.Components.SecuritySchemes["apiKey"]; scheme["type"] != "http" || scheme["scheme"] != "bearer" {
		t.Errorf("security scheme %v", scheme)
	}
	var whole any
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	follow(t, whole, whole)
	ids, tags := map[string]bool{}, map[string]bool{}
	for _, tag := range s.Tags {
		tags[tag.Name] = true
	}
	for path, methods := range s.Paths {
		for method, o := range methods {
			at := strings.ToUpper(method) + " " + path
			if o.OperationID == "" || ids[o.OperationID] {
				t.Errorf("%s: operationId %q is missing or not its own", at, o.OperationID)
			}
			ids[o.OperationID] = true
			if o.Summary == "" || len(o.Tags) != 1 || !tags[o.Tags[0]] {
				t.Errorf("%s: summary %q, tags %v", at, o.Summary, o.Tags)
			}
			checkOperation(t, at, path, method, o)
		}
	}
	if len(ids) < 25 {
		t.Errorf("only %d operations", len(ids))
	}
}

func checkOperation(t *testing.T, at, path, method string, o specOperation) {
	t.Helper()
	var inPath []string
	for _, p := range o.Parameters {
		if p.Description == "" {
			t.Errorf("%s: parameter %s is not described", at, p.Name)
		}
		if p.In == "path" {
			inPath = append(inPath, "{"+p.Name+"}")
			if !p.Required {
				t.Errorf("%s: path parameter %s must be required", at, p.Name)
			}
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(segment, "{") && !slices.Contains(inPath, segment) {
			t.Errorf("%s: %s is not a parameter", at, segment)
		}
	}
	if method == "post" && !slices.ContainsFunc(o.Parameters, func(p struct {
		Name, In, Description string
		Required              bool
	}) bool {
		return p.Name == idempotencyHeader
	}) {
		t.Errorf("%s: %s is not documented", at, idempotencyHeader)
	}
	want := []string{"401", "429", "500", "503"}
	if len(inPath) > 0 {
		want = append(want, "404", "422")
	}
	if o.RequestBody != nil {
		want = append(want, "400", "422")
	}
	for _, status := range want {
		if o.Responses[status].Content["application/problem+json"].Example == nil {
			t.Errorf("%s: no example of %s", at, status)
		}
	}
	successes := 0
	for status, r := range o.Responses {
		if r.Description == "" {
			t.Errorf("%s: %s is not described", at, status)
		}
		if status < "3" {
			successes++
			if body, ok := r.Content["application/json"]; status != "204" && (!ok || body.Example == nil || body.Schema == nil) {
				t.Errorf("%s: %s has no schema or example", at, status)
			}
		}
	}
	if successes == 0 {
		t.Errorf("%s: no success", at)
	}
}

// follow follows every $ref of the document, and looks for words of JSON Schema and OpenAPI that cannot be.
func follow(t *testing.T, whole, at any) {
	t.Helper()
	switch v := at.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			target := whole
			for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
				m, _ := target.(map[string]any)
				target = m[part]
			}
			if target == nil || !strings.HasPrefix(ref, "#/") {
				t.Errorf("%s leads nowhere", ref)
			}
		}
		if properties, ok := v["properties"].(map[string]any); ok {
			if required, ok := v["required"].([]any); ok {
				for _, name := range required {
					if properties[fmt.Sprint(name)] == nil {
						t.Errorf("%v is required but not a property of %v", name, properties)
					}
				}
			}
		}
		for _, inner := range v {
			follow(t, whole, inner)
		}
	case []any:
		for _, inner := range v {
			follow(t, whole, inner)
		}
	}
}

// Every request example must be one that works.
func TestExamplesWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	w.answers(t, w.acme, "Hello!")
	s, _ := readSpec(t, w)
	for path, methods := range s.Paths {
		for method, o := range methods {
			if o.RequestBody == nil {
				continue
			}
			if _, isJSON := o.RequestBody.Content["application/json"]; !isJSON { // files have tests of their own
				continue
			}
			body := o.RequestBody.Content["application/json"].Example
			if a := w.acme.do(t, strings.ToUpper(method), Prefix+own(t, w.acme, path), body); a.status >= 300 {
				t.Errorf("%s %s: %d %s", method, path, a.status, a.raw)
			}
		}
	}
}

// own fills in a tenant's id of what a path is about. A new noun needs a line here.
func own(t *testing.T, of tenant, path string) string {
	t.Helper()
	ids := map[string]string{
		"agents":     string(of.Agent),
		"widgets":    string(of.Widget),
		"threads":    string(of.Thread),
		"articles":   string(of.article),
		"contacts":   string(of.Contact),
		"channels":   string(of.channel),
		"deliveries": string(of.delivery),
		"replays":    string(of.replay),
		"webhooks":   string(of.webhook),
		"api-keys":   string(of.spare),
		"users":      string(of.User.ID),

		"invitations": string(of.asked),
	}
	noun := strings.Split(path, "/")[1]
	if strings.Contains(path, "{") && ids[noun] == "" {
		t.Fatalf("whose id goes into %s?", path)
	}
	return strings.NewReplacer("{id}", ids[noun], "{delivery}", string(of.told)).Replace(path)
}
