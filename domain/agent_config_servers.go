package domain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ToolServer is an MCP server whose tools the model of an agent may use: those that Allow names, each in turns that are at least as
// closed as it is. The headers of its requests are secret: see [Agent.ServerHeaders].
type ToolServer struct {
	Name           string         `json:"name"` // the model knows its tools as name__tool
	URL            string         `json:"url"`
	Allow          []string       `json:"allow"` // names of tools, as the server calls them; "refund INTERNAL" where one is classified otherwise than the server
	Classification Classification `json:"classification"`
	TimeoutSeconds float64        `json:"timeout_seconds"` // of one call
}

// Timeout bounds one call of a tool.
func (s ToolServer) Timeout() time.Duration { return seconds(s.TimeoutSeconds) }

// For is the names of the tools that a turn of this classification may use: what is closed is not for turns that are more open.
func (s ToolServer) For(turn Classification) []string {
	var names []string
	for _, entry := range s.Allow {
		name, own, _ := strings.Cut(entry, " ")
		if cmp.Or(Classification(own), s.Classification).opens(turn) {
			names = append(names, name)
		}
	}
	return names
}

// opens reports whether what is classified so may be told in a turn of this classification.
func (c Classification) opens(turn Classification) bool {
	of := slices.Index(Classifications(), c)
	return of >= 0 && of <= slices.Index(Classifications(), turn)
}

const (
	serversKey   = "mcp_servers"
	serverSecret = "mcp:" // prefixes SERVER:HEADER in Agent.Secrets
	mostServers  = 5
	mostAllowed  = 50
)

// serverInput is a server as the API takes it. Headers that are absent stay as they are; an object replaces them.
type serverInput struct {
	ToolServer
	Headers *map[string]*string `json:"headers"`
}

var serverName = regexp.MustCompile(`^[a-z0-9]+(_?[a-z0-9]+)*$`)

// serverInputs are the servers that a config gives, nil for one left blank. given is false if it says nothing of servers.
func (r *configReader) serverInputs() (all []*serverInput, given bool) {
	_, given = r.values[serversKey]
	readKey(r, serversKey, &all, "must be a list of objects with name, url, headers, allow, classification and timeout_seconds")
	for _, s := range all {
		if s == nil {
			continue
		}
		s.Name, s.URL = strings.TrimSpace(s.Name), strings.TrimSpace(s.URL)
		if s.Classification == "" {
			s.Classification = ClassPublic
		}
		if s.TimeoutSeconds == 0 {
			s.TimeoutSeconds = 10
		}
	}
	return all, given
}

// toolServers are the servers of a config, checked.
func (r *configReader) toolServers() []ToolServer {
	inputs, _ := r.serverInputs()
	var all []ToolServer
	names := map[string]bool{}
	for i, s := range inputs {
		if s == nil {
			continue
		}
		s.check(r.problems, i, names)
		names[s.Name] = true
		all = append(all, s.ToolServer)
	}
	if len(all) > mostServers {
		r.problems.add("config."+serversKey, fmt.Sprintf("must be at most %d", mostServers))
	}
	return all
}

// check names what is wrong with the server at a place in the list; names are those before it.
func (s *serverInput) check(p agentProblems, at int, names map[string]bool) {
	field := serverField(at)
	switch {
	case s.Name == "":
		p.add(field+"name", "is needed")
	case !serverName.MatchString(s.Name) || len(s.Name) > 20:
		p.add(field+"name", "must have at most 20 lower-case letters and digits, with single _ between them")
	case names[s.Name]:
		p.add(field+"name", "is another server's already")
	}
	p.url(field+"url", s.URL, "http", "https")
	if !slices.Contains(Classifications(), s.Classification) {
		p.add(field+"classification", "must be PUBLIC, INTERNAL or CONFIDENTIAL")
	}
	between(p, field+"timeout_seconds", s.TimeoutSeconds, 0.1, 60)
	allow := make([]string, 0, len(s.Allow)) // never null
	known := map[string]bool{}
	for _, entry := range s.Allow {
		entry = strings.Join(strings.Fields(entry), " ")
		name, own, classified := strings.Cut(entry, " ")
		if entry != "" && !known[name] {
			known[name], allow = true, append(allow, entry)
		}
		if len(name) > 128 || !utf8.ValidString(name) || hasControls(name, "") {
			p.add(field+"allow", fmt.Sprintf("has %.60q, which is not a tool's name", name))
		}
		if classified && !slices.Contains(Classifications(), Classification(own)) {
			p.add(field+"allow", fmt.Sprintf("has %.60q: after a tool's name may stand PUBLIC, INTERNAL or CONFIDENTIAL", entry))
		}
	}
	if s.Allow = allow; len(allow) > mostAllowed {
		p.add(field+"allow", fmt.Sprintf("must be at most %d", mostAllowed))
	}
}

func serverField(at int) string { return fmt.Sprintf("config.%s.%d.", serversKey, at) }

// serverSecrets are the headers of the servers that a config gives, over those stored: a blank value and Masked keep what is stored for
// that server, null forgets it. A header goes to no other host than the one it was given for.
func (r *configReader) serverSecrets(before []ToolServer, stored map[string]string) map[string]string {
	inputs, given := r.serverInputs()
	next := map[string]string{}
	if !given {
		for key, value := range stored {
			if strings.HasPrefix(key, serverSecret) {
				next[key] = value
			}
		}
		return next
	}
	for i, s := range inputs {
		if s == nil {
			continue
		}
		kept := serverHeadersIn(stored, s.Name)
		field := serverField(i) + "headers"
		if at := slices.IndexFunc(before, func(b ToolServer) bool { return b.Name == s.Name }); at < 0 || serverAt(before[at].URL) != serverAt(s.URL) {
			if len(kept) > 0 && s.Headers == nil {
				r.problems.add(field, "must be given again, because the address is another")
			}
			kept = nil
		}
		for name, value := range s.headersOver(kept) {
			next[serverSecret+s.Name+":"+name] = value
			r.problems.serverHeader(field, name, value)
		}
	}
	return next
}

func (s *serverInput) headersOver(kept map[string]string) map[string]string {
	if s.Headers == nil {
		return kept
	}
	next := map[string]string{}
	for name, value := range *s.Headers {
		if value == nil {
			continue
		}
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		if next[name] = strings.TrimSpace(*value); next[name] == "" || next[name] == Masked {
			next[name] = kept[name]
		}
	}
	return next
}

func (p agentProblems) serverHeader(field, name, value string) {
	lower := strings.ToLower(name)
	switch {
	case !isToken(name):
		p.add(field, fmt.Sprintf("has %.60q, which is not a header name", name))
	case ownHeader(name), lower == "accept", lower == "content-type", strings.HasPrefix(lower, "mcp-"):
		p.add(field, "must not set "+name+": the protocol sets it itself")
	case value == "":
		p.add(field, "needs a value for "+name)
	case len(value) > 4096 || hasControls(value, "\t"):
		p.add(field, "has a value that cannot be sent for "+name)
	}
}

// ServerHeaders are the secret headers of the requests to one of the agent's servers, name → value.
func (a Agent) ServerHeaders(server string) map[string]string {
	return serverHeadersIn(a.Secrets, server)
}

func serverHeadersIn(secrets map[string]string, server string) map[string]string {
	headers := map[string]string{}
	for key, value := range secrets {
		if name, ok := strings.CutPrefix(key, serverSecret+server+":"); ok {
			headers[name] = value
		}
	}
	return headers
}

func (a Agent) toolServers() []ToolServer { return readConfig(a.Config, agentProblems{}).toolServers() }

// displayServers are the servers as they may be shown.
func (a Agent) displayServers() []map[string]any {
	shown := []map[string]any{}
	for _, s := range a.toolServers() {
		headers := map[string]string{}
		for name := range a.ServerHeaders(s.Name) {
			headers[name] = Masked
		}
		shown = append(shown, map[string]any{"name": s.Name, "url": s.URL, "allow": s.Allow, "classification": s.Classification,
			"timeout_seconds": s.TimeoutSeconds, "headers": headers})
	}
	return shown
}

// formServers gathers the config.mcp_servers.N.* fields of a posted form. A row without name and address is null.
func formServers(form map[string][]string) (list []any, found bool) {
	for i := range mostServers {
		value := func(key string) string {
			values := form[serverField(i)+key]
			if len(values) == 0 {
				return ""
			}
			found = true
			return strings.TrimSpace(values[0])
		}
		row := map[string]any{"name": value("name"), "url": value("url"), "allow": strings.Split(value("allow"), "\n"),
			"classification": value("classification"), "headers": headerLines(value("headers"))}
		if within := value("timeout_seconds"); within != "" {
			row["timeout_seconds"] = within
			if json.Valid([]byte(within)) {
				row["timeout_seconds"] = json.RawMessage(within)
			}
		}
		if row["name"] == "" && row["url"] == "" {
			list = append(list, nil)
			continue
		}
		list = append(list, row)
	}
	return list, found
}
