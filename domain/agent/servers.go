package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
)

// Tools of others. An owner names MCP servers and, of each, the tools that the model may use; nothing else of a server reaches the
// model or the turn, and nothing of the turn reaches a server but the arguments that the model wrote.

const (
	serverAnswer = 512 << 10 // bytes of one answer
	serverPages  = 10        // of a list of tools
	resultLimit  = 8000      // characters of a result that the model reads
	resultShown  = 1000      // of them on the record
	aboutLimit   = 1000      // characters of a tool's description
	schemaLimit  = 8 << 10   // bytes of its parameters
	between      = "__"      // between a server's name and its tool's
)

// toolServer is a server in one turn.
type toolServer struct {
	domain.ToolServer
	headers map[string]string
	through *http.Client
	errand  *errand
	lend    func(tool string) error
	lists   *ToolLists
	key     listKey
	session *mcp.ClientSession // nil: nothing was asked of it yet, it is away, or the last one broke off
	broken  []*mcp.ClientSession
	tools   []tool
	trouble string // why it is away, for the record
	took    time.Duration
}

// newToolServers knows the servers of an agent. It does no I/O.
func newToolServers(a domain.Agent, config domain.OpenAIConfig, d Deps) []toolServer {
	var all []toolServer
	for _, s := range config.MCPServers {
		headers := a.ServerHeaders(s.Name)
		all = append(all, toolServer{ToolServer: s, headers: headers, through: d.Outbound.Client(), lend: d.Lend, lists: d.Lists, key: listKeyOf(a, s, headers)})
	}
	return all
}

// reach lists the tools of all servers that this turn may use, asking them at the same time, except for those asked a short while ago. If
// a server is away, that is recorded, and the model is not offered its tools.
func (t *modelTurn) reach(ctx context.Context) {
	for _, s := range t.openAI.servers {
		s.Allow = s.For(domain.Classification(t.r.Classification))
		if len(s.Allow) > 0 {
			s.key = s.key.of(s.Allow)
			t.open = append(t.open, &s)
		}
	}
	var all sync.WaitGroup
	for _, s := range t.open {
		all.Go(func() {
			began := time.Now()
			if err := s.learn(ctx); err != nil {
				s.trouble, s.tools = s.why(ctx, err), nil
			}
			s.took = time.Since(began)
		})
	}
	all.Wait()
	for _, s := range t.open {
		if s.trouble != "" {
			t.step(domain.ToolCall, map[string]any{"name": s.Name, "arguments": json.RawMessage("{}")})
			t.step(domain.ToolResult, map[string]any{"name": s.Name, "ok": false, "ms": millis(s.took), "summary": clip("its tools are not offered: "+s.trouble, 300)})
		}
	}
}

// leave ends the sessions with all servers.
func (t *modelTurn) leave() {
	var all sync.WaitGroup
	for _, s := range t.open {
		if s.session != nil {
			s.broken = append(s.broken, s.session)
		}
		for _, session := range s.broken {
			all.Go(func() { _ = session.Close() }) // it is over either way
		}
	}
	all.Wait()
}

// learn finds out which of the allowed tools the server offers.
func (s *toolServer) learn(ctx context.Context) error {
	if tools, ok := s.lists.known(s.key); ok {
		for _, t := range tools {
			s.offer(t)
		}
		return nil
	}
	ctx, cancel := timed(ctx, s.Timeout())
	defer cancel()
	if err := s.connect(ctx); err != nil {
		return err
	}
	var allowed []*mcp.Tool
	cursor := ""
	for range serverPages {
		page, err := s.session.ListTools(ctx, &mcp.ListToolsParams{Cursor: cursor})
		if err != nil {
			return err
		}
		for _, offered := range page.Tools {
			if s.offer(offered) {
				allowed = append(allowed, offered)
			}
		}
		if cursor = page.NextCursor; cursor == "" || len(s.tools) == len(s.Allow) {
			break
		}
	}
	s.lists.keep(s.key, allowed)
	return nil
}

// connect begins a session, if there is none. No capability is offered: the server cannot ask anything of us.
func (s *toolServer) connect(ctx context.Context) error {
	if s.session != nil {
		return nil
	}
	s.errand = &errand{next: s.through.Transport, headers: s.headers}
	client := mcp.NewClient(&mcp.Implementation{Name: "parley", Version: "1"}, &mcp.ClientOptions{
		Capabilities:           &mcp.ClientCapabilities{},
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { s.lists.forget(s.key) },
	})
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: s.URL, HTTPClient: &http.Client{Transport: s.errand, CheckRedirect: s.through.CheckRedirect}, DisableStandaloneSSE: true, MaxRetries: -1, MaxEventSize: serverAnswer,
	}, nil)
	if err != nil {
		return err
	}
	s.session = session
	return nil
}

// offer takes one tool in, if it is allowed and not there already.
func (s *toolServer) offer(o *mcp.Tool) bool {
	if o == nil || !slices.Contains(s.Allow, o.Name) {
		return false
	}
	name := fitName(s.Name + between + o.Name)
	if slices.ContainsFunc(s.tools, func(known tool) bool { return known.name == name }) {
		return false
	}
	theirs := o.Name
	s.tools = append(s.tools, tool{name: name, about: clip(oneLine(cmp.Or(o.Description, o.Title, theirs)), aboutLimit), parameters: parametersOf(o.InputSchema),
		run: func(t *modelTurn, ctx context.Context, raw json.RawMessage) (toolOutcome, error) {
			return s.call(ctx, theirs, raw)
		}})
	return true
}

// fitName is a name as models' providers take it.
func fitName(name string) string {
	name = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return '_'
	}, name)
	return name[:min(len(name), 64)]
}

// parametersOf is a tool's schema if it is one of an object and not too large; whoever lies about it gets any object, and says
// itself what it wanted.
func parametersOf(schema any) string {
	raw, err := json.Marshal(schema)
	var object struct {
		Type       string                     `json:"type"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err != nil || len(raw) > schemaLimit || json.Unmarshal(raw, &object) != nil || object.Type != "object" {
		return `{"type":"object"}`
	}
	if object.Properties == nil { // some providers want it
		return `{"type":"object","properties":{}}`
	}
	return string(raw)
}

// call lets the server run one of its tools. Whatever goes wrong there is an answer for the model.
func (s *toolServer) call(ctx context.Context, name string, raw json.RawMessage) (toolOutcome, error) {
	var args map[string]json.RawMessage // as the model has written them: a number that is an id must not be rounded
	if err := arguments(raw, &args); err != nil {
		return toolOutcome{}, err
	}
	if s.lend != nil {
		if err := s.lend(s.Name + between + name); err != nil {
			return toolOutcome{answer: map[string]any{"ok": true, "note": err.Error()}, summary: err.Error()}, nil
		}
	}
	limited, cancel := timed(ctx, s.Timeout())
	defer cancel()
	var res *mcp.CallToolResult
	err := s.connect(limited)
	if err == nil {
		res, err = s.session.CallTool(limited, &mcp.CallToolParams{Name: name, Arguments: args})
	}
	if err != nil { // the tool may be gone, or the server another one by now: the next turn asks
		s.lists.forget(s.key)
		defer s.breakOff(limited, err)
	}
	switch {
	case err != nil && context.Cause(ctx) != nil:
		return toolOutcome{}, cutShort(ctx)
	case err != nil:
		return toolOutcome{}, complaint(s.why(limited, err) + "; answer without it or ask a person")
	}
	text := s.words(res)
	if res.IsError {
		return toolOutcome{}, complaint(clip("the tool says: "+text, resultShown))
	}
	return toolOutcome{answer: map[string]any{"result": clip(text, resultLimit)}, summary: cmp.Or(clip(oneLine(text), 200), "nothing"), shown: clip(text, resultShown)}, nil
}

// breakOff lets the next call begin a session of its own if this one did not end as the protocol has it: the library uses no connection
// again whose answer it could not read. A server that refuses, or is slow, keeps its session.
func (s *toolServer) breakOff(ctx context.Context, err error) {
	_, said := errors.AsType[*jsonrpc.Error](err)
	if s.session == nil || said && s.errand.trouble() == nil || context.Cause(ctx) != nil {
		return
	}
	s.broken = append(s.broken, s.session)
	s.session = nil
}

// why says in a few words what went wrong with a server. Only what it said itself, in the protocol, is quoted.
func (s *toolServer) why(ctx context.Context, err error) string {
	broken := s.errand.trouble()
	if said, ok := errors.AsType[*jsonrpc.Error](err); ok && broken == nil {
		return clip("the server refused: "+s.redact(oneLine(said.Message)), 300)
	}
	err = errors.Join(err, broken)
	refused, isRefused := errors.AsType[*Refused](err)
	switch {
	case errors.Is(context.Cause(ctx), errTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errTimeout):
		return "the server did not answer within " + inSeconds(s.Timeout())
	case isRefused:
		return fmt.Sprint(refused)
	case errors.Is(err, errAnswerBig):
		return "the server's answer is too large"
	}
	return "the server is away"
}

// words are what a result says, without what is no text, and without our own credentials should they come back.
func (s *toolServer) words(res *mcp.CallToolResult) string {
	var said []string
	for _, c := range res.Content {
		switch c := c.(type) {
		case *mcp.TextContent:
			said = append(said, c.Text)
		case *mcp.EmbeddedResource:
			if c.Resource != nil && c.Resource.Text != "" {
				said = append(said, c.Resource.Text)
			}
		default:
			said = append(said, "[something that is no text was left out]")
		}
	}
	if len(said) == 0 && res.StructuredContent != nil {
		if raw, err := json.Marshal(res.StructuredContent); err == nil {
			said = append(said, string(raw))
		}
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s.redact(strings.Join(said, "\n")), "\x00", ""), "")
}

// redact takes the credentials out that were sent along, with and without their scheme.
func (s *toolServer) redact(words string) string {
	for _, value := range s.headers {
		words = redact(words, value)
		if _, token, ok := strings.Cut(value, " "); ok {
			words = redact(words, strings.TrimSpace(token))
		}
	}
	return words
}
