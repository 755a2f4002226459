package agent

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestOutboundAllows(t *testing.T) {
	t.Parallel()
	const always, whenPrivate, refused = "always", "unless public", "never"
	for addr, want := range map[string]string{
		"93.184.216.34": always, "2606:2800:220:1::1": always, "172.32.0.1": always, "100.128.0.1": always,
		"::ffff:93.184.216.34": always, "64:ff9b::5db8:d822": always,

		"127.0.0.1": whenPrivate, "127.9.9.9": whenPrivate, "::1": whenPrivate, "::ffff:127.0.0.1": whenPrivate,
		"10.0.0.1": whenPrivate, "172.16.0.1": whenPrivate, "172.31.255.255": whenPrivate, "192.168.1.1": whenPrivate,
		"::ffff:10.0.0.1": whenPrivate, "100.64.0.1": whenPrivate, "100.127.255.255": whenPrivate,
		"fc00::1": whenPrivate, "fd12:3456::1": whenPrivate, "64:ff9b::a00:1": whenPrivate, "2002:0a00:0001::1": whenPrivate,
		"::10.0.0.1": whenPrivate, "198.18.0.1": whenPrivate, "fec0::1": whenPrivate,

		"169.254.169.254": refused, "169.254.0.1": refused, "::ffff:169.254.169.254": refused, "64:ff9b::a9fe:a9fe": refused,
		"2002:a9fe:a9fe::1": refused, "::169.254.169.254": refused, "fe80::1": refused, "fe80::1%eth0": refused, "febf::1": refused,
		"fd00:ec2::254": refused, "100.100.100.200": refused, "::ffff:100.100.100.200": refused, "168.63.129.16": refused,
		"0.0.0.0": refused, "0.1.2.3": refused, "::": refused, "::ffff:0.0.0.0": refused,
		"224.0.0.1": refused, "239.255.255.250": refused, "ff02::1": refused, "255.255.255.255": refused, "240.0.0.1": refused,
	} {
		a := netip.MustParseAddr(addr)
		if got := (&Outbound{}).Allows(a); got != (want != refused) {
			t.Errorf("%s: allowed = %v, want %s", addr, got, want)
		}
		if got := (&Outbound{Public: true}).Allows(a); got != (want == always) {
			t.Errorf("%s with Public: allowed = %v, want %s", addr, got, want)
		}
	}
	if (&Outbound{}).Allows(netip.Addr{}) {
		t.Error("no address at all is allowed")
	}
}

func TestOutboundChecksTheResolvedAddress(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(srv.Close)
	port := srv.URL[strings.LastIndex(srv.URL, ":"):]
	for _, tt := range []struct {
		url    string
		public bool
		ok     bool
	}{
		{srv.URL, false, true},
		{srv.URL, true, false},
		{"http://localhost" + port, false, true},
		{"http://localhost" + port, true, false}, // the name says nothing, its address does
		{"http://0.0.0.0" + port, false, false},
		{"http://[::ffff:127.0.0.1]" + port, true, false},
		{"http://169.254.169.254/latest/meta-data", false, false},
	} {
		o := &Outbound{Public: tt.public}
		t.Cleanup(o.Client().CloseIdleConnections)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := o.Client().Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		_, refused := errors.AsType[*Refused](err)
		if tt.ok && (err != nil || resp.StatusCode != http.StatusTeapot) || !tt.ok && !refused {
			t.Errorf("%s, public %v: err = %v, want ok = %v", tt.url, tt.public, err, tt.ok)
		}
	}
}

func TestOutboundFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var hits int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	t.Cleanup(srv.Close)
	o := &Outbound{}
	t.Cleanup(o.Client().CloseIdleConnections)
	resp, err := o.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound || hits != 1 {
		t.Errorf("status %d after %d requests, want the redirect itself after one", resp.StatusCode, hits)
	}
}
