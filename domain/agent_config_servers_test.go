package domain

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
)

const model = `"base_url":"https://api.example/v1","model":"tiny"`

func configured(t *testing.T, a Agent, config string) Agent {
	t.Helper()
	next, err := a.Configure(AgentOpenAI, json.RawMessage(config))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// Headers of servers are sealed apart from the config, shown masked, and go nowhere else than where they were given for.
func TestServerHeaders(t *testing.T) {
	t.Parallel()
	const shop = `{` + model + `,"api_key":"sk-1","mcp_servers":[{"name":"shop","url":"https://mcp.example/a","allow":["find"," find ",""],"headers":{"authorization":"Bearer hush"}}]}`
	a := configured(t, NewAgent("org", "Ada", AgentOpenAI), shop)
	if h := a.ServerHeaders("shop"); len(h) != 1 || h["Authorization"] != "Bearer hush" {
		t.Errorf("headers %v", h)
	}
	if strings.Contains(string(a.Config), "hush") || strings.Contains(string(a.DisplayConfig()), "hush") {
		t.Errorf("config %s, shown %s", a.Config, a.DisplayConfig())
	}
	c, err := ParseOpenAIConfig(a.Config)
	if err != nil || len(c.MCPServers) != 1 || c.MCPServers[0].Classification != ClassPublic || c.MCPServers[0].TimeoutSeconds != 10 || len(c.MCPServers[0].Allow) != 1 {
		t.Errorf("%+v, %v", c.MCPServers, err)
	}
	server := func(rest string) string {
		return `{"mcp_servers":[{"name":"shop","url":"https://mcp.example/b"` + rest + `}]}`
	}
	for name, tt := range map[string]struct {
		config string
		want   string // the header afterwards; empty: none
		bad    string // the field that is refused
	}{
		"nothing said":       {`{"temperature":1}`, "Bearer hush", ""},
		"as it was shown":    {string(a.DisplayConfig()), "Bearer hush", ""},
		"no headers said":    {server(``), "Bearer hush", ""},
		"masked":             {server(`,"headers":{"AUTHORIZATION":"********"}`), "Bearer hush", ""},
		"blank":              {server(`,"headers":{"Authorization":" "}`), "Bearer hush", ""},
		"another value":      {server(`,"headers":{"Authorization":"Bearer new"}`), "Bearer new", ""},
		"null":               {server(`,"headers":{"Authorization":null}`), "", ""},
		"no header":          {server(`,"headers":{}`), "", ""},
		"no server":          {`{"mcp_servers":[]}`, "", ""},
		"servers null":       {`{"mcp_servers":null}`, "", ""},
		"another host":       {strings.ReplaceAll(server(``), "mcp.example", "evil.example"), "", "config.mcp_servers.0.headers"},
		"another host, mask": {strings.ReplaceAll(server(`,"headers":{"Authorization":"********"}`), "mcp.example", "evil.example"), "", "config.mcp_servers.0.headers"},
		"without TLS":        {strings.ReplaceAll(server(`,"headers":{"Authorization":""}`), "https://mcp", "http://mcp"), "", "config.mcp_servers.0.headers"},
		"another host, anew": {strings.ReplaceAll(server(`,"headers":{"Authorization":"Bearer x"}`), "mcp.example", "evil.example"), "Bearer x", ""},
	} {
		next, err := a.Configure(AgentOpenAI, json.RawMessage(tt.config))
		if e, _ := errors.AsType[*Error](err); tt.bad != "" {
			if e == nil || e.Fields[tt.bad] == "" || !maps.Equal(next.Secrets, a.Secrets) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || next.ServerHeaders("shop")["Authorization"] != tt.want || next.Secrets[APIKeySecret] != "sk-1" {
			t.Errorf("%s: %v, %v", name, next.Secrets, err)
		}
	}
}

func TestBadServers(t *testing.T) {
	t.Parallel()
	for config, field := range map[string]string{
		`7`:    "config.mcp_servers",
		`[7]`:  "config.mcp_servers",
		`[{}]`: "config.mcp_servers.0.name",
		`[{"name":"My Shop","url":"https://a.example"}]`:                                                        "config.mcp_servers.0.name",
		`[{"name":"a__b","url":"https://a.example"}]`:                                                           "config.mcp_servers.0.name",
		`[null,{"name":"a","url":"ftp://a.example"}]`:                                                           "config.mcp_servers.1.url",
		`[{"name":"a","url":"https://u:p@a.example"}]`:                                                          "config.mcp_servers.0.url",
		`[{"name":"a","url":"https://a.example"},{"name":"a","url":"https://a.example"}]`:                       "config.mcp_servers.1.name",
		`[{"name":"a","url":"https://a.example","classification":"SECRET"}]`:                                    "config.mcp_servers.0.classification",
		`[{"name":"a","url":"https://a.example","timeout_seconds":600}]`:                                        "config.mcp_servers.0.timeout_seconds",
		`[{"name":"a","url":"https://a.example","allow":["a b"]}]`:                                              "config.mcp_servers.0.allow",
		`[{"name":"a","url":"https://a.example","allow":["a PUBLIC INTERNAL"]}]`:                                "config.mcp_servers.0.allow",
		`[{"name":"a","url":"https://a.example","headers":{"Host":"x"}}]`:                                       "config.mcp_servers.0.headers",
		`[{"name":"a","url":"https://a.example","headers":{"Mcp-Session-Id":"x"}}]`:                             "config.mcp_servers.0.headers",
		`[{"name":"a","url":"https://a.example","headers":{"X":"a\nb"}}]`:                                       "config.mcp_servers.0.headers",
		`[{"name":"a","url":"https://a.example","headers":{"X":"********"}}]`:                                   "config.mcp_servers.0.headers",
		`[` + strings.Repeat(`null,`, 5) + strings.Repeat(`{"name":"a","url":"https://a.example"},`, 5) + `{}]`: "config.mcp_servers",
	} {
		_, err := NewAgent("org", "Ada", AgentOpenAI).Configure(AgentOpenAI, json.RawMessage(`{`+model+`,"mcp_servers":`+config+`}`))
		if e, _ := errors.AsType[*Error](err); e == nil || e.Fields[field] == "" {
			t.Errorf("%s: %v, want a problem with %s", config, err, field)
		}
	}
}

// A tool is for turns that are at least as closed as itself; it is as closed as its server unless it says otherwise.
func TestToolsForATurn(t *testing.T) {
	t.Parallel()
	allow := []string{"plain", "open PUBLIC", "inner INTERNAL", "secret CONFIDENTIAL", "odd NONSENSE"}
	for of, want := range map[Classification][3]string{
		ClassPublic:       {"plain open", "plain open inner", "plain open inner secret"},
		ClassInternal:     {"open", "plain open inner", "plain open inner secret"},
		ClassConfidential: {"open", "open inner", "plain open inner secret"},
		"":                {"open", "open inner", "open inner secret"},
	} {
		for i, turn := range Classifications() {
			if got := strings.Join(ToolServer{Allow: allow, Classification: of}.For(turn), " "); got != want[i] {
				t.Errorf("of a server that is %q, in a turn that is %s: %s", of, turn, got)
			}
		}
	}
	if got := (ToolServer{Allow: allow, Classification: ClassPublic}).For("NONSENSE"); len(got) > 0 {
		t.Errorf("a turn of no classification is served %v", got)
	}
}

func TestServersOfAForm(t *testing.T) {
	t.Parallel()
	form := map[string][]string{"config.base_url": {"https://api.example/v1"}, "config.model": {"tiny"},
		"config.mcp_servers.0.name": {""}, "config.mcp_servers.1.name": {"shop"}, "config.mcp_servers.1.url": {"https://mcp.example"},
		"config.mcp_servers.1.allow": {"find\r\norder"}, "config.mcp_servers.1.headers": {"Authorization: Bearer hush\n"},
		"config.mcp_servers.1.classification": {"INTERNAL"}, "config.mcp_servers.1.timeout_seconds": {"2.5"}}
	a := configured(t, NewAgent("org", "Ada", AgentOpenAI), string(FormConfig(AgentOpenAI, form)))
	c, _ := ParseOpenAIConfig(a.Config)
	if s := c.MCPServers; len(s) != 1 || s[0].Name != "shop" || strings.Join(s[0].Allow, ",") != "find,order" || s[0].Classification != ClassInternal || s[0].TimeoutSeconds != 2.5 ||
		a.ServerHeaders("shop")["Authorization"] != "Bearer hush" {
		t.Errorf("%+v %v", s, a.Secrets)
	}
	form["config.mcp_servers.1.timeout_seconds"] = []string{"soon"}
	if _, err := a.Configure(AgentOpenAI, FormConfig(AgentOpenAI, form)); err == nil {
		t.Error("soon is a number of seconds")
	}
}
