// Package lead says who a visitor is, from what their browser tells. It trusts nothing: every value is cut to size and only names
// it knows are kept. It must never store anything or talk to anyone but the geo providers.
package lead

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

const (
	maxURL   = 2048 // bytes
	maxTitle = 300  // bytes
	maxValue = 200  // bytes
)

// attribution lists the campaign parameters and click ids that are kept.
var attribution = []string{
	"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "gclid", "fbclid", "msclkid", "ttclid", "li_fat_id",
}

// Attribution keeps what is known of a visitor's campaign parameters.
func Attribution(in map[string]string) json.RawMessage {
	kept := map[string]string{}
	for _, name := range attribution {
		if v := Cut(in[name], maxValue); v != "" {
			kept[name] = v
		}
	}
	b, _ := json.Marshal(kept) // strings only: cannot fail
	return b
}

// Page keeps where a visitor says they are: web addresses without credentials, texts cut to size.
func Page(p domain.Page) domain.Page {
	return domain.Page{URL: address(p.URL), Title: Cut(p.Title, maxTitle), Referrer: address(p.Referrer)}
}

func address(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	u.User = nil
	if s = u.String(); len(s) > maxURL {
		return ""
	}
	return s
}

// Cut trims s, drops control characters and shortens it to at most n bytes without splitting a character.
func Cut(s string, n int) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, s))
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Profile is what is known of a visitor who has just come. The geo part is not: nobody waits for that.
func Profile(d Device, campaign map[string]string, p domain.Page, now time.Time) json.RawMessage {
	p = Page(p)
	profile := map[string]any{}
	if d != (Device{}) {
		profile["device"] = d
	}
	if a := Attribution(campaign); len(a) > 2 {
		profile["attribution"] = a
	}
	if p.URL != "" {
		profile["first_page"] = domain.Step{URL: p.URL, Title: p.Title, At: now.UTC().Truncate(time.Millisecond)}
	}
	if p.Referrer != "" {
		profile["referrer"] = p.Referrer
	}
	b, _ := json.Marshal(profile) // strings only: cannot fail
	return b
}

// Known is what a contact's profile says. What cannot be read is empty.
func Known(profile json.RawMessage) (k struct {
	Device    Device       `json:"device"`
	FirstPage domain.Step  `json:"first_page"`
	Referrer  string       `json:"referrer"`
	Geo       domain.Place `json:"geo"`
}) {
	_ = json.Unmarshal(profile, &k) // an odd profile says nothing
	return k
}

// String is a device in a few words, such as "Firefox on Linux, desktop".
func (d Device) String() string {
	s := d.Browser
	if d.OS != "" {
		if s != "" {
			s += " on "
		}
		s += d.OS
	}
	if s != "" && d.Kind != "" {
		s += ", "
	}
	return s + d.Kind
}
