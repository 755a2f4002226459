package account

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

// problems gathers what is wrong with an input, field → problem, so that a form can show all of it at once.
type problems map[string]string

func (p problems) add(field, format string, args ...any) {
	if _, known := p[field]; !known {
		p[field] = fmt.Sprintf(format, args...)
	}
}

// err is nil without a problem.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	var all []string
	for _, field := range slices.Sorted(maps.Keys(p)) {
		all = append(all, field+" "+p[field])
	}
	return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadField, Msg: strings.Join(all, "; "), Fields: p}
}

// line trims and checks a text of one line, of at most most characters. It may be blank unless it is needed.
func (p problems) line(field, s string, most int, needed bool) string {
	return p.text(field, s, most, needed, "")
}

// paragraphs is line for a text of several lines.
func (p problems) paragraphs(field, s string, most int, needed bool) string {
	return p.text(field, strings.ReplaceAll(s, "\r\n", "\n"), most, needed, "\n\t")
}

func (p problems) text(field, s string, most int, needed bool, controls string) string {
	s = strings.TrimSpace(s)
	switch {
	case s == "" && needed:
		p.add(field, "is needed")
	case utf8.RuneCountInString(s) > most:
		p.add(field, "must have at most %d characters", most)
	case !utf8.ValidString(s):
		p.add(field, "is not valid text")
	case strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && !strings.ContainsRune(controls, c) }):
		p.add(field, "must not contain control characters or line breaks")
		if controls != "" {
			p[field] = "must not contain control characters"
		}
	}
	return s
}

// name is what organisations, people, agents, widgets and keys are called.
func (p problems) name(field, s string) string { return p.line(field, s, 80, true) }

// email checks an address and returns it in lower case, as it is stored.
func (p problems) email(field, s string) string {
	email, ok := parseEmail(s)
	switch {
	case strings.TrimSpace(s) == "":
		p.add(field, "is needed")
	case !ok:
		p.add(field, "is not an e-mail address")
	}
	return email
}

func parseEmail(s string) (email string, ok bool) {
	email = strings.ToLower(strings.TrimSpace(s))
	a, err := mail.ParseAddress(email)
	// Postgres' lower() must agree with ours, so whatever is beyond ASCII is left to its own encoding.
	ascii := !strings.ContainsFunc(email, func(c rune) bool { return c <= ' ' || c >= unicode.MaxASCII })
	return email, err == nil && a.Name == "" && a.Address == email && ascii && len(email) <= 254
}

// password checks a new password. Long is what makes one good: there are no rules about its characters.
func (p problems) password(field, s string) {
	switch n := utf8.RuneCountInString(s); {
	case n < minPassword:
		p.add(field, "must have at least %d characters", minPassword)
	case n > maxPassword:
		p.add(field, "must have at most %d characters", maxPassword)
	case !utf8.ValidString(s):
		p.add(field, "is not valid text")
	}
}

func (p problems) between(field string, n, low, high int) {
	if n < low || n > high {
		p.add(field, "must be between %d and %d", low, high)
	}
}

func (p problems) oneOf(field, s string, allowed ...string) {
	if !slices.Contains(allowed, s) {
		p.add(field, "must be one of %s", strings.Join(allowed, ", "))
	}
}

// link checks where something is to be read: an address on the web or a path on the same site, or nothing.
func (p problems) link(field, s string) string {
	s = p.line(field, s, 2048, false)
	u, err := url.Parse(s)
	web := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
	path := err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(s, "/")
	if s != "" && !web && !path {
		p.add(field, "must start with https://, http:// or /")
	}
	return s
}

// fieldProblem is what err says about one field.
func fieldProblem(err error, field string) string {
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Fields[field] != "" {
		return e.Fields[field]
	}
	return "is not valid"
}
