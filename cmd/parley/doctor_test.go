package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// A container's health is that of the parley at its address, whatever else may be amiss, and wherever it listens.
func TestDoctorAsksTheRunning(t *testing.T) {
	t.Parallel()
	e := environment(t)
	e["PARLEY_ADDR"] = "127.0.0.2:0"
	at, err := url.Parse(serve(t, e).url)
	if err != nil {
		t.Fatal(err)
	}
	somebody := httptest.NewServer(http.NotFoundHandler())
	defer somebody.Close()
	everywhere := environment(t)
	there, err := url.Parse(serve(t, everywhere).url)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, addr, args string
		code             int
		says             string
	}{
		{"runs", at.Host, "doctor --running", 0, "runs there and is well"},
		{"listens everywhere", "0.0.0.0:" + there.Port(), "doctor --running", 0, "runs there and is well"},
		{"listens everywhere, in short", ":" + there.Port(), "doctor --running", 0, "runs there and is well"},
		{"is one of the things to look at", at.Host, "doctor", 0, "runs there and is well"},
		{"nobody there", "127.0.0.1:1", "doctor --running", 1, "no parley answers there"},
		{"somebody else", strings.TrimPrefix(somebody.URL, "http://"), "doctor --running", 1, "no parley answers there"},
		{"somebody else has the address", strings.TrimPrefix(somebody.URL, "http://"), "doctor", 1, "cannot listen on"},
	} {
		e["PARLEY_ADDR"] = tc.addr
		if code, out, _ := command(t, e, "", strings.Fields(tc.args)...); code != tc.code || !strings.Contains(out, tc.says) {
			t.Errorf("%s: ends with %d and says\n%s", tc.name, code, out)
		}
	}
	e["PARLEY_ADDR"], e["DATABASE_URL"] = at.Host, "postgres://127.0.0.1:1/away"
	if code, out, _ := command(t, e, "", "doctor", "--running"); code != 0 || strings.Contains(out, "database") {
		t.Errorf("asks for more than how the running one is: %d\n%s", code, out)
	}
}
