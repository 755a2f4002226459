package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsStyle []byte

var docsTemplate = template.Must(template.New("docs").Funcs(template.FuncMap{"spans": spans}).Parse(docsHTML))

// docs is the documentation for people: one page made from the OpenAPI document when the program starts, without any script.
type docs struct{ page []byte }

func (d docs) servePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	serveFile(w, r, "text/html; charset=utf-8", d.page)
}

func (docs) serveStyle(w http.ResponseWriter, r *http.Request) {
	serveFile(w, r, "text/css; charset=utf-8", docsStyle)
}

// serveFile answers with something that changes only with the program.
func serveFile(w http.ResponseWriter, r *http.Request, contentType string, b []byte) {
	sum := sha256.Sum256(b)
	w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// The view model of docs.html.
type (
	docPage struct {
		Title, Version string
		Introduction   []string
		Document       string // its URL
		Sections       []docSection
	}
	docSection struct {
		Name, ID, Description string
		Operations            []docOperation
	}
	docOperation struct {
		ID, Method, Path, Summary, Description string
		Scope                                  domain.Scope
		Parameters                             []docField
		Body                                   []docField
		Command                                string // for a shell
		Answers                                []docAnswer
		Failures                               []docAnswer
	}
	docAnswer struct {
		Status, Description, Code string
		Fields                    []docField
		Example                   string
	}
	docSpan struct {
		Text string
		Code bool
	}
	docField struct {
		Name, Where, Type, Description, Limits string
		Required                               bool
	}
)

// mustDocs makes the page, with the operations in the order given.
func mustDocs(api *huma.OpenAPI, operations []*huma.Operation) docs {
	p := docPage{Title: api.Info.Title, Version: api.Info.Version, Introduction: strings.Split(api.Info.Description, "\n\n"), Document: Prefix + "/openapi.json"}
	for _, tag := range api.Tags {
		s := docSection{Name: tag.Name, ID: strings.ReplaceAll(strings.ToLower(tag.Name), " ", "-"), Description: tag.Description}
		for _, o := range operations {
			if slices.Contains(o.Tags, tag.Name) {
				s.Operations = append(s.Operations, documented(api.Components.Schemas, o))
			}
		}
		p.Sections = append(p.Sections, s)
	}
	var b bytes.Buffer
	if err := docsTemplate.Execute(&b, p); err != nil {
		panic(err)
	}
	return docs{b.Bytes()}
}

// spans parts a description into words and what stands between backquotes.
func spans(description string) []docSpan {
	var all []docSpan
	for i, text := range strings.Split(description, "`") {
		all = append(all, docSpan{text, i%2 == 1})
	}
	return all
}

func documented(schemas huma.Registry, o *huma.Operation) docOperation {
	d := docOperation{ID: o.OperationID, Method: o.Method, Path: Prefix + o.Path, Summary: o.Summary, Description: o.Description, Scope: scopeOf(o), Command: command(o)}
	for _, p := range o.Parameters {
		f := field(schemas, p.Name, p.Schema, p.Required)
		f.Where, f.Description = p.In, p.Description
		d.Parameters = append(d.Parameters, f)
	}
	if o.RequestBody != nil {
		for _, body := range o.RequestBody.Content { // there is one
			d.Body = fields(schemas, "", body.Schema)
		}
	}
	for _, status := range sorted(o.Responses) {
		r := o.Responses[status]
		a := docAnswer{Status: status, Description: r.Description}
		if problem, ok := r.Content["application/problem+json"]; ok {
			a.Code = exampleCode(problem)
			d.Failures = append(d.Failures, a)
			continue
		}
		if body, ok := r.Content["application/json"]; ok {
			a.Fields, a.Example = answerFields(schemas, body.Schema), indented(body.Example)
		}
		d.Answers = append(d.Answers, a)
	}
	return d
}

// command is the operation as somebody would try it in a shell.
func command(o *huma.Operation) string {
	c := "curl"
	if o.Method != http.MethodGet {
		c += " -X " + o.Method
	}
	c += " $PARLEY" + Prefix + strings.ReplaceAll(o.Path, "{id}", "$ID") + " \\\n  -H \"Authorization: Bearer $KEY\""
	if o.RequestBody != nil && o.RequestBody.Content[multipartType] != nil {
		return c + " \\\n  -F 'file=@manual.pdf'"
	}
	if o.RequestBody != nil {
		body := indented(o.RequestBody.Content["application/json"].Example)
		c += " \\\n  -H 'Content-Type: application/json' \\\n  -d '" + strings.ReplaceAll(body, "\n", "\n  ") + "'"
	}
	return c
}

func indented(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}
