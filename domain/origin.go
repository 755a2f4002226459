package domain

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// AnyOrigin in a widget's list lets every site embed it, and callers that name no origin at all.
const AnyOrigin = "*"

// AllowsOrigin reports whether a request with this Origin header may use the widget. An empty origin is
// a request without the header; "null" is what browsers send for sandboxed and file pages, and anybody can cause it: both
// pass only where everybody does. An empty list allows nobody.
func (w Widget) AllowsOrigin(origin string) bool {
	if slices.Contains(w.AllowedOrigins, AnyOrigin) {
		return true
	}
	asked, ok := splitOrigin(origin)
	if !ok || asked.wildcard {
		return false
	}
	return slices.ContainsFunc(w.AllowedOrigins, func(entry string) bool {
		allowed, ok := splitOrigin(entry)
		return ok && allowed.covers(asked)
	})
}

// ParseAllowedOrigin reads an entry of a widget's list and returns its normal form: lower case, without default port and
// trailing slash. It fails with a bad field allowed_origins for anything but "*", a site's scheme and host, and "*." before the host.
func ParseAllowedOrigin(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == AnyOrigin {
		return s, nil
	}
	o, ok := splitOrigin(strings.TrimSuffix(s, "/"))
	if !ok {
		return "", InvalidField("allowed_origins", strconv.Quote(firstRunes(s, 80))+
			" is not a site: write https://site.example, https://*.site.example or *, without a path and with the host in ASCII")
	}
	return o.String(), nil
}

// webOrigin is a scheme, host and port. Its port is empty where it is the scheme's own.
type webOrigin struct {
	scheme, host, port string
	wildcard           bool // stands for the host and whatever is below it
}

func (o webOrigin) covers(asked webOrigin) bool {
	return o.scheme == asked.scheme && o.port == asked.port &&
		(o.host == asked.host || o.wildcard && strings.HasSuffix(asked.host, "."+o.host))
}

func (o webOrigin) String() string {
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.wildcard {
		host = "*." + host
	}
	if o.port != "" {
		host += ":" + o.port
	}
	return o.scheme + "://" + host
}

func splitOrigin(s string) (o webOrigin, ok bool) {
	u, err := url.Parse(strings.ToLower(s))
	if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#") {
		return o, false
	}
	o.scheme, o.host, o.port = u.Scheme, u.Hostname(), u.Port()
	o.host, o.wildcard = strings.CutPrefix(o.host, "*.")
	switch {
	case o.scheme == "https" && o.port == "443", o.scheme == "http" && o.port == "80":
		o.port = ""
	case o.scheme != "https" && o.scheme != "http", strings.HasSuffix(u.Host, ":"):
		return o, false
	}
	if n, err := strconv.ParseUint(o.port, 10, 16); o.port != "" && (err != nil || n == 0) {
		return o, false
	}
	if addr, err := netip.ParseAddr(o.host); err == nil {
		return o, !o.wildcard && addr.Zone() == ""
	}
	return o, isHostname(o.host)
}

// isHostname reports whether s is made of labels as DNS has them, underscores allowed.
func isHostname(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(c rune) bool { return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') }) {
			return false
		}
	}
	return true
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
