package domain

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// wantFields checks that err is Invalid and names exactly these fields, given in order.
func wantFields(t *testing.T, err error, want ...string) {
	t.Helper()
	if len(want) == 0 {
		if err != nil {
			t.Fatalf("err = %v, want none", err)
		}
		return
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Invalid || e.Code != CodeBadField {
		t.Fatalf("err = %v, want an Invalid bad_field about %v", err, want)
	}
	if got := slices.Sorted(maps.Keys(e.Fields)); !slices.Equal(got, want) {
		t.Fatalf("fields = %v, want %v", e.Fields, want)
	}
}

func websocketAgent() Agent {
	a := NewAgent("org", "Ada", AgentWebSocket)
	a.Config = json.RawMessage(`{"url":"wss://agents.example/chat"}`)
	a.Secrets = map[string]string{"header:X-Key": "k1", "header:Authorization": "Bearer t"}
	return a
}

func TestParseConfigDefaults(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{"url":"ws://a:1/x"}`, `{"url":" ws://a:1/x ","timeout_seconds":null,"colour":"red"}`} {
		got, err := ParseWebSocketConfig(json.RawMessage(raw))
		want := WebSocketConfig{URL: "ws://a:1/x", ConnectTimeoutSeconds: 10, TimeoutSeconds: 30, MaxResponses: 5}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
	c, err := ParseWebSocketConfig(json.RawMessage(`{"url":"wss://a","timeout_seconds":0.25,"max_responses":1}`))
	if err != nil || c.Timeout() != 250*time.Millisecond || c.ConnectTimeout() != 10*time.Second {
		t.Errorf("%+v, %v", c, err)
	}
	for _, raw := range []string{``, `null`, `{}`, `{"greeting":"  "}`} {
		if got, err := ParseBuiltinConfig(json.RawMessage(raw)); err != nil || got != (BuiltinConfig{MinConfidence: DefaultMinConfidence}) {
			t.Errorf("builtin %q: %+v, %v", raw, got, err)
		}
	}
}

func TestAgentValidate(t *testing.T) {
	t.Parallel()
	config := func(raw string) func(*Agent) { return func(a *Agent) { a.Config = json.RawMessage(raw) } }
	header := func(name, value string) func(*Agent) {
		return func(a *Agent) { a.Secrets = map[string]string{"header:" + name: value} }
	}
	for name, tt := range map[string]struct {
		change func(*Agent)
		want   []string
	}{
		"good":               {func(*Agent) {}, nil},
		"good builtin":       {func(a *Agent) { a.Kind, a.Config, a.Secrets = AgentBuiltin, nil, nil }, nil},
		"suggest":            {func(a *Agent) { a.SendMode = Suggest }, nil},
		"longest name":       {func(a *Agent) { a.Name = strings.Repeat("ü", 80) }, nil},
		"no wait":            {func(a *Agent) { a.SettleMS = 0 }, nil},
		"blank name":         {func(a *Agent) { a.Name = " \t" }, []string{"name"}},
		"long name":          {func(a *Agent) { a.Name = strings.Repeat("n", 81) }, []string{"name"}},
		"NUL in name":        {func(a *Agent) { a.Name = "a\x00b" }, []string{"name"}},
		"broken name":        {func(a *Agent) { a.Name = "a\xff" }, []string{"name"}},
		"no kind":            {func(a *Agent) { a.Kind = "" }, []string{"kind"}},
		"other kind":         {func(a *Agent) { a.Kind = "psychic" }, []string{"kind"}},
		"send mode":          {func(a *Agent) { a.SendMode = "loud" }, []string{"send_mode"}},
		"settle":             {func(a *Agent) { a.SettleMS = 10001 }, []string{"settle_ms"}},
		"negative settle":    {func(a *Agent) { a.SettleMS = -1 }, []string{"settle_ms"}},
		"attempts":           {func(a *Agent) { a.MaxAttempts = 0 }, []string{"max_attempts"}},
		"too many attempts":  {func(a *Agent) { a.MaxAttempts = 11 }, []string{"max_attempts"}},
		"too many at once":   {func(a *Agent) { a.MaxConcurrent = 1001 }, []string{"max_concurrent"}},
		"no time":            {func(a *Agent) { a.GiveUpSeconds = 9 }, []string{"give_up_seconds"}},
		"all at once":        {func(a *Agent) { *a = Agent{} }, []string{"give_up_seconds", "kind", "max_attempts", "max_concurrent", "name", "send_mode"}},
		"config is a list":   {config(`[]`), []string{"config", "config.url"}},
		"config is not JSON": {config(`{`), []string{"config", "config.url"}},
		"no url":             {config(`{}`), []string{"config.url"}},
		"http url":           {config(`{"url":"http://a/x"}`), []string{"config.url"}},
		"no host":            {config(`{"url":"ws:///x"}`), []string{"config.url"}},
		"bare name":          {config(`{"url":"agents.example"}`), []string{"config.url"}},
		"port":               {config(`{"url":"ws://a:70000"}`), []string{"config.url"}},
		"password in url":    {config(`{"url":"ws://u:p@a/"}`), []string{"config.url"}},
		"fragment":           {config(`{"url":"ws://a/#x"}`), []string{"config.url"}},
		"control in url":     {config(`{"url":"ws://a/\u0000"}`), []string{"config.url"}},
		"url is a number":    {config(`{"url":5}`), []string{"config.url"}},
		"IPv6 url":           {config(`{"url":"ws://[::1]:9901/"}`), nil},
		"upper-case scheme":  {config(`{"url":"WSS://a/"}`), nil},
		"fraction":           {config(`{"url":"ws://a","timeout_seconds":1.5}`), nil},
		"zero timeouts":      {config(`{"url":"ws://a","timeout_seconds":0,"connect_timeout_seconds":-1}`), []string{"config.connect_timeout_seconds", "config.timeout_seconds"}},
		"huge timeouts":      {config(`{"url":"ws://a","timeout_seconds":1e300,"connect_timeout_seconds":61}`), []string{"config.connect_timeout_seconds", "config.timeout_seconds"}},
		"text for number":    {config(`{"url":"ws://a","timeout_seconds":"30"}`), []string{"config.timeout_seconds"}},
		"max_responses 0":    {config(`{"url":"ws://a","max_responses":0}`), []string{"config.max_responses"}},
		"max_responses 21":   {config(`{"url":"ws://a","max_responses":21}`), []string{"config.max_responses"}},
		"half a response":    {config(`{"url":"ws://a","max_responses":1.5}`), []string{"config.max_responses"}},
		"header name":        {header("X Key", "v"), []string{"config.headers"}},
		"header umlaut":      {header("X-Kéy", "v"), []string{"config.headers"}},
		"handshake header":   {header("Sec-Websocket-Key", "v"), []string{"config.headers"}},
		"header value":       {header("X-Key", "a\r\nB: c"), []string{"config.headers"}},
		"empty header":       {header("X-Key", ""), []string{"config.headers"}},
		"greeting too long": {func(a *Agent) {
			a.Kind, a.Config = AgentBuiltin, json.RawMessage(`{"greeting":"`+strings.Repeat("x", 1001)+`"}`)
		}, []string{"config.greeting"}},
		"greeting with NUL": {func(a *Agent) { a.Kind, a.Config = AgentBuiltin, json.RawMessage(`{"greeting":"a\u0000"}`) }, []string{"config.greeting"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := websocketAgent()
			tt.change(&a)
			wantFields(t, a.Validate(), tt.want...)
		})
	}
}

func TestSecretsArePartedFromTheConfig(t *testing.T) {
	t.Parallel()
	fresh := NewAgent("org", "Ann", AgentWebSocket)
	a, err := fresh.Configure(AgentWebSocket, json.RawMessage(`{"url":"ws://a/","headers":{"x-key":" v ","X-Gone":null},"api_key":"oops"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(a.Config), `{"url":"ws://a/","connect_timeout_seconds":10,"timeout_seconds":30,"max_responses":5}`; got != want {
		t.Errorf("config = %s, want %s", got, want)
	}
	if want := map[string]string{"header:X-Key": "v"}; !maps.Equal(a.Secrets, want) {
		t.Errorf("secrets = %v, want %v", a.Secrets, want)
	}
	for raw, want := range map[string][]string{
		`{"url":"ws://a","headers":["x"]}`:               {"config.headers"},
		`{"url":"ws://a","headers":{"a":1}}`:             {"config.headers"},
		`{"url":"ws://a","headers":{"a":"1","A":"2"}}`:   {"config.headers"},
		`{"url":"ws://a","headers":{"a":"********"}}`:    {"config.headers"},
		`{"headers":{"Host":"b"},"timeout_seconds":"1"}`: {"config.headers", "config.timeout_seconds", "config.url"},
	} {
		_, err := fresh.Configure(AgentWebSocket, json.RawMessage(raw))
		wantFields(t, err, want...)
	}
	_, err = fresh.Configure("parrot", nil)
	wantFields(t, err, "kind")
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	stored := map[string]string{"header:X-Key": "k1", "header:Authorization": "Bearer t"}
	for name, tt := range map[string]struct {
		incoming string
		url      string
		secrets  map[string]string
	}{
		"nothing given":         {`{}`, "wss://agents.example/chat", stored},
		"one key":               {`{"url":"wss://agents.example/other"}`, "wss://agents.example/other", stored},
		"moved, headers given":  {`{"url":"ws://b","headers":{"X-Key":"k1"}}`, "ws://b", map[string]string{"header:X-Key": "k1"}},
		"moved, headers gone":   {`{"url":"ws://b","headers":{}}`, "ws://b", map[string]string{}},
		"masked headers stay":   {`{"headers":{"X-Key":"********","authorization":""}}`, "wss://agents.example/chat", stored},
		"headers replaced":      {`{"headers":{"X-Key":"k2"}}`, "wss://agents.example/chat", map[string]string{"header:X-Key": "k2"}},
		"one kept, one new":     {`{"headers":{"X-Key":"********","X-New":"n"}}`, "wss://agents.example/chat", map[string]string{"header:X-Key": "k1", "header:X-New": "n"}},
		"headers emptied":       {`{"headers":{}}`, "wss://agents.example/chat", map[string]string{}},
		"headers null":          {`{"headers":null}`, "wss://agents.example/chat", map[string]string{}},
		"its own display again": {string(websocketAgent().DisplayConfig()), "wss://agents.example/chat", stored},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := websocketAgent().Configure(AgentWebSocket, json.RawMessage(tt.incoming))
			if err != nil {
				t.Fatal(err)
			}
			c, err := ParseWebSocketConfig(got.Config)
			if err != nil || c.URL != tt.url {
				t.Errorf("config = %+v, %v", c, err)
			}
			if !maps.Equal(got.Secrets, tt.secrets) {
				t.Errorf("secrets = %v, want %v", got.Secrets, tt.secrets)
			}
		})
	}
}

// Whoever may edit an agent but does not know its secrets cannot have them sent elsewhere.
func TestSecretsStayWithTheirServer(t *testing.T) {
	t.Parallel()
	model := NewAgent("org", "Ada", AgentOpenAI)
	model, err := model.Configure(AgentOpenAI, json.RawMessage(`{"base_url":"https://models.example/v1","model":"m","api_key":"k"}`))
	if err != nil {
		t.Fatal(err)
	}
	for incoming, field := range map[string]string{
		`{"base_url":"https://evil.example/v1"}`:                                  "config.api_key",
		`{"base_url":"http://models.example/v1"}`:                                 "config.api_key",
		`{"base_url":"https://models.example:444/v1","api_key":""}`:               "config.api_key",
		`{"base_url":"https://models.example.evil.example","api_key":"********"}`: "config.api_key",
		`{"base_url":"https://MODELS.example/v2"}`:                                "",
		`{"base_url":"https://evil.example/v1","api_key":"another"}`:              "",
		`{"base_url":"https://evil.example/v1","api_key":null}`:                   "",
	} {
		got, err := model.Configure(AgentOpenAI, json.RawMessage(incoming))
		if field == "" && err == nil {
			continue
		}
		wantFields(t, err, field)
		if string(got.Config) != string(model.Config) {
			t.Errorf("%s changed the agent", incoming)
		}
	}
	for _, incoming := range []string{`{"url":"ws://b"}`, `{"url":"ws://b","headers":{"X-Key":"********"}}`, `{"url":"ws://b","headers":{"X-Key":""}}`} {
		_, err := websocketAgent().Configure(AgentWebSocket, json.RawMessage(incoming))
		wantFields(t, err, "config.headers")
	}
}

func TestConfigureNamesEveryProblem(t *testing.T) {
	t.Parallel()
	a := websocketAgent()
	a.MaxAttempts = 99
	got, err := a.Configure(AgentWebSocket, json.RawMessage(`{"url":"ftp://x","headers":{"X-Unknown":"********"}}`))
	wantFields(t, err, "config.headers", "config.url", "max_attempts")
	if string(got.Config) != string(a.Config) || !maps.Equal(got.Secrets, a.Secrets) {
		t.Error("a failed Configure changed the agent")
	}
	_, err = a.Configure(AgentWebSocket, json.RawMessage(`"text"`))
	wantFields(t, err, "config", "max_attempts")
}

func TestConfigureAnotherKindStartsAfresh(t *testing.T) {
	t.Parallel()
	got, err := websocketAgent().Configure(AgentBuiltin, json.RawMessage(`{"greeting":"Hi!"}`))
	if err != nil || got.Kind != AgentBuiltin || string(got.Config) != `{"greeting":"Hi!","min_confidence":0.25}` || len(got.Secrets) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = got.Configure(AgentWebSocket, nil)
	wantFields(t, err, "config.url")
}

func TestDisplayConfig(t *testing.T) {
	t.Parallel()
	got := string(websocketAgent().DisplayConfig())
	want := `{"connect_timeout_seconds":10,"headers":{"Authorization":"********","X-Key":"********"},"max_responses":5,"timeout_seconds":30,"url":"wss://agents.example/chat"}`
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := websocketAgent().HeaderNames(); !slices.Equal(got, []string{"Authorization", "X-Key"}) {
		t.Errorf("names = %v", got)
	}
	if got := string(NewAgent("o", "n", AgentBuiltin).DisplayConfig()); got != `{"min_confidence":0.25}` {
		t.Errorf("builtin = %s", got)
	}
}

func TestFormConfig(t *testing.T) {
	t.Parallel()
	got := FormConfig(AgentWebSocket, map[string][]string{
		"name": {"x"}, "config.url": {" ws://a "}, "config.timeout_seconds": {""}, "config.max_responses": {"7"},
		"config.connect_timeout_seconds": {"soon"}, "config.headers": {"X-Key: a:b\r\n\r\nX-Blank\n"},
	})
	want := `{"connect_timeout_seconds":"soon","headers":{"X-Blank":"","X-Key":"a:b"},"max_responses":7,"timeout_seconds":null,"url":"ws://a"}`
	if string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := FormConfig(AgentBuiltin, map[string][]string{"config.greeting": {"42"}}); string(got) != `{"greeting":"42"}` {
		t.Errorf("a greeting of digits came out as %s", got)
	}
}

func FuzzConfigure(f *testing.F) {
	f.Add(`{"url":"ws://a","headers":{"a":"b"}}`)
	f.Add(`{"url":null,"timeout_seconds":"x"}`)
	f.Add(`[1]`)
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := websocketAgent().Configure(AgentWebSocket, json.RawMessage(raw))
		if err == nil && got.Validate() != nil {
			t.Errorf("accepted %q, but the result is not valid: %v", raw, got.Validate())
		}
		if !json.Valid(got.DisplayConfig()) {
			t.Errorf("display of %q is not JSON", raw)
		}
	})
}
