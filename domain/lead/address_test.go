package lead

import (
	"net/netip"
	"testing"
)

func TestPublic(t *testing.T) {
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1"} {
		if got, ok := Public(netip.MustParseAddr(a)); !ok || got.String() != a {
			t.Errorf("%s: %v %v", a, got, ok)
		}
	}
	for in, want := range map[string]string{"::ffff:8.8.8.8": "8.8.8.8", "64:ff9b::8.8.8.8": "8.8.8.8", "2a00:1450::1%eth0": "2a00:1450::1"} {
		if got, ok := Public(netip.MustParseAddr(in)); !ok || got.String() != want {
			t.Errorf("%s: %v %v", in, got, ok)
		}
	}
	for _, a := range []string{
		"0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.2.1",
		"198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1%eth0", "fd00::1", "fec0::1",
		"2001:db8::1", "3fff::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "::10.0.0.1", "100::1", "2001::1",
	} {
		if _, ok := Public(netip.MustParseAddr(a)); ok {
			t.Errorf("%s may be told to others", a)
		}
	}
	if _, ok := Public(netip.Addr{}); ok {
		t.Error("no address at all may be told to others")
	}
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{"8.8.8.8": "8.8.8.0/24", "2a00:1450:1:2:3:4:5:6": "2a00:1450:1:2::/64"} {
		if got := Network(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s is in %s, want %s", in, got, want)
		}
	}
}
