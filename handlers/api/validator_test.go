package api

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// outside is the document as somebody else's library understands it.
var outside struct {
	once sync.Once
	doc  *openapi3.T
	mu   sync.Mutex
	seen map[string]int // operation and status → answers checked
}

// checkedEach is how many answers of a kind are checked: the next ones look the same.
const checkedEach = 4

func outsideDocument(t *testing.T, raw []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// The document is OpenAPI 3.1 in the eyes of a library that we have not written, with every example as its schema wants it.
func TestDocumentIsValidForOthers(t *testing.T) {
	t.Parallel()
	_, raw := readSpec(t, newWorld(t))
	doc := outsideDocument(t, raw)
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("%s: %v", doc.OpenAPI, err)
	}
}

// fits fails the test unless the answer to a request is one that the document speaks of, with a body as its schema wants it.
func (a answer) fits(t *testing.T, c client, method, path string) {
	t.Helper()
	path, _, _ = strings.Cut(strings.TrimPrefix(path, Prefix), "?")
	if path == "/openapi.json" {
		return
	}
	outside.once.Do(func() {
		outside.doc = outsideDocument(t, c.send(t, "GET", Prefix+"/openapi.json", nil).raw)
		outside.seen = map[string]int{}
	})
	at, o := operationAt(outside.doc, method, path)
	if o == nil { // a path or method that there is not
		return
	}
	key := at + " " + strconv.Itoa(a.status)
	outside.mu.Lock()
	outside.seen[key]++
	n := outside.seen[key]
	outside.mu.Unlock()
	if n > checkedEach {
		return
	}
	said := o.Responses.Status(a.status)
	if said == nil {
		t.Errorf("%s: the document knows no %d: %s", at, a.status, a.raw)
		return
	}
	content := said.Value.Content.Get(a.header.Get("Content-Type"))
	if content == nil {
		if len(a.raw) > 0 {
			t.Errorf("%s: the document knows no %s: %s", key, a.header.Get("Content-Type"), a.raw)
		}
		return
	}
	var body any
	if err := json.Unmarshal(a.raw, &body); err != nil {
		t.Errorf("%s: %v: %s", key, err, a.raw)
	} else if err := outside.doc.ValidateSchemaJSON(content.Schema.Value, body, openapi3.EnableJSONSchema2020(), openapi3.VisitAsResponse()); err != nil {
		t.Errorf("%s: %v", key, err)
	}
}

// operationAt finds the operation that a path is answered by; one without parameters goes before one with.
func operationAt(doc *openapi3.T, method, path string) (at string, o *openapi3.Operation) {
	segments := strings.Split(path, "/")
	for template, item := range doc.Paths.Map() {
		parts := strings.Split(template, "/")
		fit := len(parts) == len(segments)
		for i := 0; fit && i < len(parts); i++ {
			fit = parts[i] == segments[i] || strings.HasPrefix(parts[i], "{") && segments[i] != ""
		}
		if found := item.GetOperation(method); fit && found != nil && (o == nil || !strings.Contains(template, "{")) {
			at, o = method+" "+template, found
		}
	}
	return at, o
}
