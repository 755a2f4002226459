package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
)

const (
	maxBody = 1 << 20 // bytes of a request body
	// A body that has not come by then will not. The same deadline ends the request if its handler is still at work, which only
	// a database outage brings about.
	bodyWait = 30 * time.Second
)

// operation begins the description of one; handlers add what is special about theirs. Reading is for every key, anything else for
// those that may write, unless needs says otherwise.
func operation(method, path, id, tag, summary, description string) huma.Operation {
	o := huma.Operation{
		Method: method, Path: path, OperationID: id, Tags: []string{tag}, Summary: summary, Description: description,
		MaxBodyBytes:    maxBody + 1, // huma refuses a body that reaches the limit
		BodyReadTimeout: bodyWait,
	}
	o = needs(domain.ScopeWrite, o)
	if method == http.MethodGet {
		o = needs(domain.ScopeRead, o)
	}
	if method == http.MethodPost {
		o.Parameters = []*huma.Param{{
			Name: idempotencyHeader, In: "header",
			Description: "Makes it safe to send the request again: within 24 hours the same key with the same request is answered with the first " +
				"answer, marked by `Idempotent-Replayed: true`. 1 to 255 characters, a UUID is best.",
			Schema: &huma.Schema{Type: huma.TypeString, Examples: []any{"6f0c2c9e-5d0a-4b7e-9a3b-1c2d3e4f5a6b"}},
		}}
	}
	return o
}

// ownerOperation is operation for what only owners do: it sets things up, spends, deletes or shows a secret.
func ownerOperation(method, path, id, tag, summary, description string) huma.Operation {
	return needs(domain.ScopeAdmin, operation(method, path, id, tag, summary, description))
}

// needs says which scope a key must have for an operation, where the document says it too.
func needs(scope domain.Scope, o huma.Operation) huma.Operation {
	o.Security = []map[string][]string{{securityScheme: {string(scope)}}}
	return o
}

// scopeOf is what needs has said.
func scopeOf(o *huma.Operation) domain.Scope { return domain.Scope(o.Security[0][securityScheme][0]) }

// creates is an operation that answers 201.
func creates(o huma.Operation) huma.Operation {
	o.DefaultStatus = http.StatusCreated
	return o
}

// changes is an operation that can be made to depend on what the caller has seen.
func changes(o huma.Operation) huma.Operation {
	o.Errors = append(o.Errors, http.StatusPreconditionFailed)
	return o
}

// contested is an operation that something can be in the way of.
func contested(o huma.Operation) huma.Operation {
	o.Errors = append(o.Errors, http.StatusConflict)
	return o
}

// add registers an operation whose handler fails with the errors of the domain. The documentation shows operations in this order.
func add[I, O any](a *API, o huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.refusal(ctx, err)
		}
		return out, nil
	})
}

// expect says what a body that makes something must have, and documents what an absent field is taken for.
func (a *API) expect(schema string, required []string, defaults map[string]any) {
	s := a.huma.OpenAPI().Components.Schemas.Map()[schema]
	s.Required = required
	for field, value := range defaults {
		s.Properties[field].Default = value
	}
	s.PrecomputeMessages() // huma looks required fields up there
}

// choose bounds a body's field to values that only the domain knows.
func choose[T ~string](a *API, schema, field string, values []T) {
	s := a.huma.OpenAPI().Components.Schemas.Map()[schema].Properties[field]
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	s.PrecomputeMessages()
}

// Answer is a response with a body.
type Answer[T any] struct{ Body T }

// Nothing is a response without one.
type Nothing struct{}

// Path names what an operation is about.
type Path struct {
	ID string `path:"id" format:"uuid" doc:"Its id." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
}
