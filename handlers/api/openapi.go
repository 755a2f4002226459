package api

import (
	"cmp"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

const (
	tagAgents   = "Agents"
	tagWidgets  = "Widgets"
	tagContacts = "Contacts"
	tagChannels = "Channels"
	tagEvents   = "Events"
	tagThreads  = "Threads"
	tagMessages = "Messages"
	tagArticles = "Articles"
	tagWebhooks = "Webhooks"
	tagKeys     = "API keys"
	tagTeam     = "Team"

	tagDeliveries = "Deliveries"
)

const securityScheme = "apiKey"

// introduction is Markdown of the plainest sort: paragraphs, and code between backquotes, which stand as ' here.
var introduction = strings.ReplaceAll(`For programs that act for one organisation: everything they read or write belongs to it, and whatever belongs to another does not exist for them.

Send an API key with every request, as in 'Authorization: Bearer <key>'. Owners make them in the portal's settings or with 'parley apikey create'.

A key has a scope: 'read' reads whatever there is but secrets and keys, 'write' also does what the team does, and 'admin' also what only owners do. Each operation says which one it needs; a narrower key is answered with 403. A key may have an end, after which it is answered with 401.

Bodies are JSON. Unknown keys are ignored, on both sides. In a request an absent key, or null where the schema does not speak of null, means the default when something is made and "as it was" when it is changed. Times are RFC 3339 in UTC with milliseconds; ids are UUIDs.

Lists come in pages: give 'next_cursor' of one page as 'cursor' of the next, until it is null.

Reading one thing answers with an 'ETag'; with that as 'If-None-Match' the next answer is 304, without a body, while nothing has changed. A PATCH with that as 'If-Match' changes it only if it is still the same, and is answered with 412 otherwise; without 'If-Match' it changes the fields it names and no others.

Any POST may carry an 'Idempotency-Key' and can then safely be sent again. An API key has a number of requests a minute, which the 'RateLimit-Remaining' header counts down.

Failures are 'application/problem+json' (RFC 9457) with a 'code' to tell them by; 'errors' names each bad field.`, "'", "`")

// config is huma's, with nothing in it that would reach out of this process or add to the shapes of answers. added hears of
// every operation, in order.
func config(version string, added func(*huma.Operation)) huma.Config {
	c := huma.DefaultConfig("Parley", cmp.Or(version, "1"))
	c.CreateHooks, c.OpenAPIPath, c.DocsPath, c.SchemasPath = nil, "", "", ""
	c.Formats = map[string]huma.Format{"application/json": jsonFormat(), "json": jsonFormat()}
	c.AllowAdditionalPropertiesByDefault = true
	c.Info.Description = introduction
	c.Info.License = &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}
	c.Servers = []*huma.Server{{URL: Prefix}}
	c.Security = []map[string][]string{{securityScheme: {}}}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		securityScheme: {Type: "http", Scheme: "bearer", Description: "An API key of the organisation. Operations name the scope it must have: read, write or admin, of which each includes those before it."},
	}
	c.Tags = []*huma.Tag{
		{Name: tagAgents, Description: "AI agents: the runtime that gives them their voice, its config, and how they have been doing."},
		{Name: tagWidgets, Description: "Chats that sites embed: the agent behind them, who may embed them, limits and looks."},
		{Name: tagContacts, Description: "The people the organisation talks with: who they are, everything that is kept of them, and letting go of it."},
		{Name: tagChannels, Description: "Ways by which messages travel that are not Parley's own: who answers there, and where replies go."},
		{Name: tagEvents, Description: "What happens on whatever channel, recorded once, and what it leads to."},
		{Name: tagThreads, Description: "Conversations: who handles them, what happened in them, and handing them over."},
		{Name: tagMessages, Description: "What is said in a thread, and what the team notes beside it."},
		{Name: tagArticles, Description: "The knowledge that agents answer from."},
		{Name: tagDeliveries, Description: "What leaves by another way than Parley's own: mails, replies over channels, what webhooks are told. Each is tried for a day."},
		{Name: tagWebhooks, Description: webhooksText},
		{Name: tagTeam, Description: "Who signs in to the portal, and whom a link was made for to do so."},
		{Name: tagKeys, Description: "What lets programs act for the organisation: how far each reaches, until when, and ending it."},
	}
	c.OnAddOperation = []huma.AddOpFunc{complete, func(_ *huma.OpenAPI, o *huma.Operation) { added(o) }}
	return c
}

// failures is what each kind of failure looks like in the document.
var failures = map[int]struct {
	when    string
	example error
}{
	http.StatusBadRequest:          {"The body is not JSON.", &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body must be valid JSON"}},
	http.StatusUnauthorized:        {"There is no API key, or it is not good any more.", &domain.Error{Kind: domain.Unauthenticated, Msg: "send an API key of your organisation, as in Authorization: Bearer <key>"}},
	http.StatusForbidden:           {"The key's scope does not reach that far.", domain.APIKey{Scope: domain.ScopeRead}.Require(domain.ScopeWrite)},
	http.StatusNotFound:            {"It does not exist, or not for this organisation.", domain.NotFoundf("there is no such thing")},
	http.StatusConflict:            {"Something is in the way, such as the same request that is still being worked on: look again before you try again.", domain.Conflictf("the first request with this Idempotency-Key is still being worked on: try again in a moment")},
	http.StatusPreconditionFailed:  {"It has changed since the state that If-Match names.", outdated},
	http.StatusUnprocessableEntity: {"A field is not as it should be. Sending the same again will not help.", domain.InvalidField("name", "is needed")},
	http.StatusTooManyRequests:     {"The key has made too many requests.", &domain.Error{Kind: domain.Throttled, Msg: "this key has made too many requests: wait as long as Retry-After says"}},
	http.StatusInternalServerError: {"Something went wrong on our side.", &domain.Error{}},
	http.StatusServiceUnavailable:  {"The database cannot be reached for now. The same request is worth sending again.", &domain.Error{Kind: domain.Unavailable, Msg: "the service is not available just now: try again in a moment"}},
}

// complete adds to an operation what all of its sort have in common: how it can fail, and an example of every body.
func complete(api *huma.OpenAPI, o *huma.Operation) {
	schemas := api.Components.Schemas
	readsAgain(o)
	problem := schemas.Schema(reflect.TypeFor[Problem](), true, "")
	delete(o.Responses, "default") // huma's word for "anything else"; we name them all
	may := []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if len(o.Parameters) > 0 || o.RequestBody != nil {
		may = append(may, http.StatusUnprocessableEntity)
	}
	if o.RequestBody != nil {
		may = append(may, http.StatusBadRequest)
	}
	if scopeOf(o) != domain.ScopeRead {
		may = append(may, http.StatusForbidden)
	}
	if strings.Contains(o.Path, "{") {
		may = append(may, http.StatusNotFound)
	}
	if o.Method == http.MethodPost { // of two with the same Idempotency-Key
		may = append(may, http.StatusConflict)
	}
	for _, status := range append(may, o.Errors...) {
		o.Responses[strconv.Itoa(status)] = failure(status, problem)
	}
	for status, r := range o.Responses {
		exemplify(schemas, r.Content)
		if o.Method == http.MethodPost && status < "3" {
			r.Headers = map[string]*huma.Param{replayedHeader: text("true, if this is what the same request was answered with before.")}
		}
	}
	if o.RequestBody != nil {
		exemplify(schemas, o.RequestBody.Content)
	}
}

func failure(status int, schema *huma.Schema) *huma.Response {
	f := failures[status]
	r := &huma.Response{
		Description: f.when,
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema, Example: edge.ProblemOf(f.example)}},
		Headers:     map[string]*huma.Param{},
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		r.Headers["WWW-Authenticate"] = text("The challenge, RFC 6750.")
	case http.StatusTooManyRequests:
		r.Headers["Retry-After"] = text("Seconds to wait.")
		r.Headers["RateLimit-Limit"] = text("How many requests the key has in a minute.")
		r.Headers["RateLimit-Remaining"] = text("How many are left.")
		r.Headers["RateLimit-Reset"] = text("Seconds until there are more.")
	case http.StatusServiceUnavailable:
		r.Headers["Retry-After"] = text("Seconds to wait, if that is known.")
	}
	return r
}

// text describes a header.
func text(description string) *huma.Param {
	return &huma.Param{Description: description, Schema: &huma.Schema{Type: huma.TypeString}}
}

func exemplify(schemas huma.Registry, bodies map[string]*huma.MediaType) {
	for _, body := range bodies {
		if body.Example == nil && body.Schema != nil {
			body.Example = sample(schemas, body.Schema)
		}
	}
}

// sample is a value of a schema: its example if it has one, else one made of its parts' examples.
func sample(schemas huma.Registry, s *huma.Schema) any {
	if len(s.Examples) > 0 {
		return s.Examples[0]
	}
	if s.Ref != "" {
		return sample(schemas, schemas.SchemaFromRef(s.Ref))
	}
	switch s.Type {
	case huma.TypeObject:
		object := map[string]any{}
		for name, property := range s.Properties {
			v := sample(schemas, property)
			if needed := slices.Contains(s.Required, name); needed && v == nil {
				object[name] = nothingOf(schemas, property)
			} else if v != nil && (v != "" || needed) {
				object[name] = v
			}
		}
		return object
	case huma.TypeArray:
		if item := sample(schemas, s.Items); item != nil {
			return []any{item}
		}
		return []any{}
	}
	return nil
}

// nothingOf is the value of a schema that says least.
func nothingOf(schemas huma.Registry, s *huma.Schema) any {
	switch s = resolved(schemas, s); {
	case s.Nullable:
		return nil
	case s.Type == huma.TypeBoolean:
		return false
	case s.Type == huma.TypeInteger, s.Type == huma.TypeNumber:
		return 0
	case s.Format == "uuid":
		return "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"
	}
	return ""
}

func mustDocument(api *huma.OpenAPI) []byte {
	b, err := json.Marshal(api)
	if err != nil {
		panic(err)
	}
	return b
}

// serveDocument is public: what the API can do is no secret, and tools fetch it without a key.
func (a *API) serveDocument(w http.ResponseWriter, r *http.Request) {
	document := a.document
	if strings.HasSuffix(r.URL.Path, "/openapi-3.0.json") {
		document = a.older
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	serveFile(w, r, "application/json", document)
}
