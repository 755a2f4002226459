package lead

import (
	"net/http"
	"strings"

	"github.com/mileusna/useragent"
)

// Device is what a visitor comes with, as far as their browser says. All of it is a claim.
type Device struct {
	Kind           string `json:"kind,omitempty"` // desktop, mobile, tablet, bot
	OS             string `json:"os,omitempty"`
	OSVersion      string `json:"os_version,omitempty"`
	Browser        string `json:"browser,omitempty"`
	BrowserVersion string `json:"browser_version,omitempty"`
}

// Hints are the client hints that DeviceOf reads, for Accept-CH.
const Hints = "Sec-CH-UA, Sec-CH-UA-Mobile, Sec-CH-UA-Platform, Sec-CH-UA-Platform-Version"

const (
	maxAgent = 512 // bytes of a header that are looked at
	maxWord  = 40  // bytes of a name or version
)

// DeviceOf reads the user agent, and the client hints where the browser sends them: they say more than the frozen user agent does.
func DeviceOf(h http.Header) Device {
	ua := useragent.Parse(Cut(h.Get("User-Agent"), maxAgent))
	d := Device{OS: ua.OS, OSVersion: ua.OSVersion, Browser: ua.Name, BrowserVersion: ua.Version}
	switch {
	case ua.Bot:
		d.Kind = "bot"
	case ua.Tablet:
		d.Kind = "tablet"
	case ua.Mobile:
		d.Kind = "mobile"
	case ua.Desktop:
		d.Kind = "desktop"
	}
	if h.Get("Sec-CH-UA-Mobile") == "?1" && d.Kind != "tablet" {
		d.Kind = "mobile"
	}
	if p := quoted(h.Get("Sec-CH-UA-Platform")); p != "" && p != "Unknown" {
		if p != d.OS {
			d.OS, d.OSVersion = p, ""
		}
		if v := quoted(h.Get("Sec-CH-UA-Platform-Version")); v != "" && p != "Windows" { // whose numbers there are not the system's
			d.OSVersion = v
		}
	}
	if name, version := brand(Cut(h.Get("Sec-CH-UA"), maxAgent)); name != "" {
		d.Browser, d.BrowserVersion = name, version
	}
	for _, s := range []*string{&d.OS, &d.OSVersion, &d.Browser, &d.BrowserVersion} {
		*s = Cut(*s, maxWord)
	}
	return d
}

// brand picks the browser out of a list such as "Chromium";v="130", "Brave";v="130", "Not?A_Brand";v="99".
func brand(list string) (name, version string) {
	for part := range strings.SplitSeq(list, ",") {
		n, params, _ := strings.Cut(part, ";")
		n = quoted(n)
		if n == "" || strings.Contains(strings.ToLower(n), "not") && strings.Contains(strings.ToLower(n), "brand") {
			continue
		}
		_, v, _ := strings.Cut(params, "=")
		if name == "" || name == "Chromium" { // the engine, unless there is nothing else
			name, version = n, quoted(v)
		}
	}
	switch name {
	case "Google Chrome":
		name = "Chrome"
	case "Microsoft Edge":
		name = "Edge"
	}
	return name, version
}

// quoted is a structured header's string without its quotes; empty if it is none.
func quoted(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return ""
	}
	return Cut(strings.ReplaceAll(s[1:len(s)-1], `\`, ""), maxWord)
}
