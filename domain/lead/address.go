package lead

import "net/netip"

// nowhere are the networks that no provider can place and none needs to hear of: what is private, of this machine, for documentation
// and tests, shared by carriers, or reserved (IANA's special-purpose registries).
var nowhere = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16")

// global is what of IPv6 is given out at all; NAT64 carries an IPv4 address, which is looked at as one.
var global, nat64 = netip.MustParsePrefix("2000::/3"), netip.MustParsePrefix("64:ff9b::/96")

func prefixes(cidrs ...string) (ps []netip.Prefix) {
	for _, c := range cidrs {
		ps = append(ps, netip.MustParsePrefix(c))
	}
	return ps
}

// Public is the address as a geo provider may hear it, if it may: an IPv4 address in IPv6's clothes comes out as one.
func Public(a netip.Addr) (netip.Addr, bool) {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsValid() || a.Is6() && !global.Contains(a) {
		return a, false
	}
	for _, p := range nowhere {
		if p.Contains(a) {
			return a, false
		}
	}
	return a, true
}

// Network is what of an address is remembered, so that no single visitor's is: the /24 of IPv4, the /64 of IPv6.
func Network(a netip.Addr) netip.Prefix {
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits) // of a valid address: cannot fail
	return p
}
