package views

import (
	"fmt"
	"strings"
)

// serverRow is one server of tools in an agent's form.
type serverRow struct {
	at   int
	Name string
}

func (r serverRow) field(key string) string { return serverField(r.at, key) }

func serverField(at int, key string) string {
	return fmt.Sprintf("config.mcp_servers.%d.%s", at, key)
}

const mostServers = 5

// serverFields are the names of the fields of all servers, in the order of the page.
func serverFields() []string {
	var names []string
	for i := range mostServers {
		for _, key := range []string{"name", "timeout_seconds", "url", "allow", "classification", "headers"} {
			names = append(names, serverField(i, key))
		}
	}
	return names
}

// serverRows are the servers there are and, where there may be more, an empty one.
func (f AgentForm) serverRows() []serverRow {
	last := -1
	for i := range mostServers {
		if f.Form.Value(serverField(i, "name")) != "" || f.Form.Value(serverField(i, "url")) != "" {
			last = i
		}
	}
	rows := make([]serverRow, min(last+2, mostServers))
	for i := range rows {
		rows[i] = serverRow{i, f.Form.Value(serverField(i, "name"))}
	}
	return rows
}

// serverWrong reports whether something is wrong with the server in a row.
func (f AgentForm) serverWrong(at int) bool {
	for field := range f.Form.Problems {
		if strings.HasPrefix(field, serverField(at, "")) {
			return true
		}
	}
	return false
}

// serverValues lays servers out as the fields of the form.
func serverValues(into map[string]string, servers []any) {
	for i, s := range servers {
		server, _ := s.(map[string]any)
		for key, value := range server {
			switch value := value.(type) {
			case []any:
				lines := make([]string, len(value))
				for n, line := range value {
					lines[n] = fmt.Sprint(line)
				}
				into[serverField(i, key)] = strings.Join(lines, "\n")
			case map[string]any:
				into[serverField(i, key)] = headerText(value)
			default:
				into[serverField(i, key)] = fmt.Sprint(value)
			}
		}
	}
}
