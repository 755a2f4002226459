package domain

import (
	"encoding/json"
	"slices"
	"strings"
)

// FormConfig turns the config.* fields of a posted form into the JSON an API client would send, for Configure. A blank
// field asks for the default, but for a secret one, which a blank leaves as it is and a field forget.config.KEY forgets.
// config.headers is a text with a "Name: value" on each line, config.mcp_servers.N.KEY a field of a server of tools.
func FormConfig(kind AgentKind, form map[string][]string) json.RawMessage {
	config := map[string]any{}
	for field, values := range form {
		key, ok := strings.CutPrefix(field, "config.")
		if !ok || len(values) == 0 || strings.HasPrefix(key, serversKey+".") {
			continue
		}
		value := strings.TrimSpace(values[0])
		switch {
		case key == "headers":
			config[key] = headerLines(value)
		case slices.Contains(agentRules[kind].secrets, key):
			if form[forget+key] != nil {
				config[key] = nil
			} else {
				config[key] = value // a blank one keeps what is stored
			}
		case value == "":
			config[key] = nil
		case slices.Contains(agentRules[kind].numbers, key) && json.Valid([]byte(value)):
			config[key] = json.RawMessage(value)
		default:
			config[key] = value
		}
	}
	if servers, given := formServers(form); given && agentRules[kind].servers {
		config[serversKey] = servers
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return raw
}

// forget prefixes the form field that asks to forget a secret.
const forget = "forget.config."

func headerLines(text string) map[string]string {
	headers := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); name != "" {
			headers[name] = strings.TrimSpace(value)
		}
	}
	return headers
}
