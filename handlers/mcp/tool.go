package mcp

import (
	"context"
	"errors"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

// effect is what a tool does to the world, for clients that ask their user before they let a model use it.
type effect uint8

const (
	reads    effect = iota // nothing
	adds                   // something comes to what is there, each time anew
	moves                  // a thread changes hands; what is so already stays
	resolves               // likewise, and nobody looks at the thread any more
	talks                  // somebody outside hears of it, each time anew
	arrives                // something comes in from outside, once, and somebody may hear an answer
)

func (e effect) annotations(title string) *mcp.ToolAnnotations {
	destructive, open := e == resolves, e == talks || e == arrives
	return &mcp.ToolAnnotations{
		Title: title, ReadOnlyHint: e == reads, DestructiveHint: &destructive, IdempotentHint: e == reads || e == moves || e == resolves || e == arrives, OpenWorldHint: &open,
	}
}

// tool is one thing a model may do.
type tool struct {
	name, title, about string
	effect             effect
	owners             bool             // only owners would do it: it takes a key with the scope admin
	enums              map[string][]any // argument → the values it may have; of a list, those of its items
}

// scope is what a key must have to use the tool.
func (t tool) scope() domain.Scope {
	switch {
	case t.owners:
		return domain.ScopeAdmin
	case t.effect == reads:
		return domain.ScopeRead
	}
	return domain.ScopeWrite
}

// add offers a tool whose arguments are an In and whose result is an Out, both as the client's model finds them described.
func add[In, Out any](s *Surface, server *mcp.Server, t tool, do func(context.Context, In) (Out, error)) {
	schema, err := jsonschema.For[In](nil)
	if err != nil {
		panic("mcp: " + t.name + ": " + err.Error())
	}
	for argument, values := range t.enums {
		p := schema.Properties[argument]
		if p.Items != nil {
			p = p.Items
		}
		p.Enum = values
	}
	mcp.AddTool(server, &mcp.Tool{Name: t.name, Title: t.title, Description: t.about, Annotations: t.effect.annotations(t.title), InputSchema: schema},
		func(ctx context.Context, _ *mcp.CallToolRequest, in In) (_ *mcp.CallToolResult, out Out, err error) {
			if err = callerOf(ctx).key.Require(t.scope()); err == nil {
				out, err = do(ctx, in)
			}
			if err != nil {
				var none Out
				return nil, none, s.refusal(ctx, err)
			}
			return nil, out, nil
		})
}

// refusal is an error of the domain as a model reads it: the code, and what to do about it in one sentence. What is ours is logged.
func (s *Surface) refusal(ctx context.Context, err error) error {
	p := edge.ProblemOf(err)
	edge.LogFailure(ctx, s.Log, callerOf(ctx).request, p.Status, err)
	return errors.New(string(p.Code) + ": " + p.Detail)
}

// unfit begins what the protocol's library says about arguments that do not fit their schema.
const unfit = `validating "arguments": `

// explain puts what the library says about bad arguments, in a validator's words, under the code that a model meets everywhere.
func (s *Surface) explain(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, r mcp.Request) (mcp.Result, error) {
		res, err := next(ctx, method, r)
		called, ok := res.(*mcp.CallToolResult)
		if err != nil || !ok || !called.IsError || len(called.Content) == 0 {
			return res, err
		}
		if text, ok := called.Content[0].(*mcp.TextContent); ok {
			if problem, ok := strings.CutPrefix(text.Text, unfit); ok {
				text.Text = string(domain.CodeBadField) + ": the arguments do not fit the tool's input schema: " + clip(problem, 500)
			} else if strings.HasPrefix(text.Text, misfit) {
				text.Text = ofField(text.Text)
			}
		}
		return res, nil
	}
}

// clip cuts a text to at most limit bytes, and shows that it did.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
