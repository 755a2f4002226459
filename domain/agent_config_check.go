package domain

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// agentProblems gathers what is wrong, field → problem; of several problems of one field the first stays.
type agentProblems map[string]string

func (p agentProblems) add(field, problem string) {
	if _, known := p[field]; !known {
		p[field] = problem
	}
}

// err is nil without a problem.
func (p agentProblems) err() error {
	if len(p) == 0 {
		return nil
	}
	var all []string
	for _, field := range slices.Sorted(maps.Keys(p)) {
		all = append(all, field+" "+p[field])
	}
	return &Error{Kind: Invalid, Code: CodeBadField, Msg: strings.Join(all, "; "), Fields: p}
}

func (p agentProblems) basics(a Agent) {
	name := strings.TrimSpace(a.Name)
	switch {
	case name == "":
		p.add("name", "is needed")
	case utf8.RuneCountInString(name) > 80:
		p.add("name", "must have at most 80 characters")
	case hasControls(name, "") || !utf8.ValidString(name):
		p.add("name", "must be one line of plain text")
	}
	p.kind(a.Kind)
	if a.SendMode != Autonomous && a.SendMode != Suggest {
		p.add("send_mode", "must be autonomous or suggest")
	}
	between(p, "settle_ms", a.SettleMS, 0, 10000)
	between(p, "max_attempts", a.MaxAttempts, 1, 10)
	between(p, "max_concurrent", a.MaxConcurrent, 1, 1000)
	between(p, "give_up_seconds", a.GiveUpSeconds, 10, 3600)
}

func (p agentProblems) kind(kind AgentKind) {
	if _, ok := agentRules[kind]; !ok {
		p.add("kind", fmt.Sprintf("must be one of %s", strings.Trim(fmt.Sprint(agentKinds), "[]")))
	}
}

// url wants an absolute URL that carries no credentials, because URLs are shown.
func (p agentProblems) url(field, raw string, schemes ...string) {
	want := "must start with " + strings.Join(schemes, ":// or ") + "://"
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		p.add(field, "is needed")
	case len(raw) > 2048:
		p.add(field, "must have at most 2048 characters")
	case err != nil:
		p.add(field, "is not a valid address")
	case !slices.Contains(schemes, u.Scheme):
		p.add(field, want)
	case u.Hostname() == "":
		p.add(field, "must name a host")
	case u.User != nil:
		p.add(field, "must not carry a user or password: use a header")
	case u.Fragment != "":
		p.add(field, "must not have a # part")
	case u.Port() != "":
		if n, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || n == 0 {
			p.add(field, "has a port that does not exist")
		}
	}
}

// headers checks names and values as they would go out.
func (p agentProblems) headers(headers map[string]string) {
	if len(headers) > 20 {
		p.add("config.headers", "must be at most 20")
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		switch {
		case !isToken(name):
			p.add("config.headers", fmt.Sprintf("has %.60q, which is not a header name", name))
		case ownHeader(name):
			p.add("config.headers", "must not set "+name+": the connection sets it itself")
		case value == "" || value == Masked:
			p.add("config.headers", "needs a value for "+name)
		case len(value) > 4096 || hasControls(value, "\t"):
			p.add("config.headers", "has a value that cannot be sent for "+name)
		}
	}
}

// ownHeader reports names that belong to the handshake (RFC 6455) or to the connection (RFC 9110).
func ownHeader(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "sec-websocket-") || slices.Contains([]string{
		"host", "connection", "upgrade", "content-length", "transfer-encoding", "te", "trailer", "keep-alive",
	}, name)
}

// isToken reports whether s is a token of RFC 9110.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c >= utf8.RuneSelf || !(unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	})
}

func hasControls(s, allowed string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && !strings.ContainsRune(allowed, c) })
}

func between[T int | float64](p agentProblems, field string, n, low, high T) {
	if !(n >= low && n <= high) {
		plain := func(n T) string { return strconv.FormatFloat(float64(n), 'f', -1, 64) }
		p.add(field, "must be between "+plain(low)+" and "+plain(high))
	}
}
