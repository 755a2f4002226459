package agent

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// Outbound is the way out to addresses that an owner typed in. It looks at the address a name resolved to, at the moment
// of dialling, so that neither DNS nor a redirect leads around it. Link-local, metadata and meaningless addresses are always
// refused, loopback and private ones with Public. It uses no proxy, since a proxy would do the resolving.
type Outbound struct {
	Public bool // PARLEY_OUTBOUND=public

	once   sync.Once
	client *http.Client
}

// strict serves whoever brought no guard of their own.
var strict = Outbound{Public: true}

// Refused is the dial error for an address that the guard does not let through.
type Refused struct{ Addr netip.Addr }

func (r *Refused) Error() string {
	return fmt.Sprintf("outgoing connections to %s are not allowed", r.Addr)
}

// DialContext connects over TCP, or fails with *Refused inside a *net.OpError when every address of the name is refused.
func (o *Outbound) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{KeepAlive: 30 * time.Second, ControlContext: o.control}
	return d.DialContext(ctx, network, address)
}

// Client is a client that dials through the guard. It follows no redirects (the answer is the 3xx itself) and has no
// timeout of its own: the request's context decides. All callers share it and its connections.
func (o *Outbound) Client() *http.Client {
	o.once.Do(func() {
		o.client = &http.Client{
			Transport: &http.Transport{
				DialContext:           o.DialContext,
				TLSHandshakeTimeout:   10 * time.Second,
				IdleConnTimeout:       90 * time.Second,
				MaxIdleConnsPerHost:   16,
				ExpectContinueTimeout: time.Second,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	})
	return o.client
}

// control runs between resolving and connecting, once for every address tried.
func (o *Outbound) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("outgoing connection over %s to something that is no IP address: %w", network, err)
	}
	if !o.Allows(to.Addr()) {
		return &Refused{Addr: to.Addr()}
	}
	return nil
}

// Allows reports whether the guard lets connections to addr through. An IPv6 address that carries an IPv4 one, as NAT64 and
// its relatives write it, must pass as both.
func (o *Outbound) Allows(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() || within(addr, never) || o.Public && within(addr, private) {
		return false
	}
	if inner, ok := embedded(addr); ok {
		return o.Allows(inner)
	}
	return true
}

// embedded is the IPv4 address that a translator would send traffic for addr to.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	switch {
	case addr.Is4():
		return netip.Addr{}, false
	case nat64.Contains(addr), compatible.Contains(addr) && addr != netip.IPv6Loopback():
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	compatible = netip.MustParsePrefix("::/96")        // RFC 4291, long deprecated
	sixToFour  = netip.MustParsePrefix("2002::/16")    // RFC 3056

	never = prefixes(
		"0.0.0.0/8", "::/128", // unspecified: on most systems another name of loopback
		"169.254.0.0/16", "fe80::/10", // link-local, and with it most clouds' metadata service
		"100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", // metadata at Alibaba, Azure and Oracle
		"fd00:ec2::/32", "fd20:ce::254/128", // metadata at AWS and Google over IPv6
		"224.0.0.0/4", "ff00::/8", // multicast
		"240.0.0.0/4", // reserved, and the broadcast address
	)
	private = prefixes(
		"127.0.0.0/8", "::1/128",
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
		"100.64.0.0/10",         // carrier-grade NAT, RFC 6598
		"fc00::/7", "fec0::/10", // unique local, and site-local as it was called before
		"64:ff9b:1::/48",                // NAT64 within one network, RFC 8215
		"192.0.0.0/24", "198.18.0.0/15", // protocol assignments, benchmarks
		"192.0.2.0/24", "198.51.100.0/24", // documentation
		"203.0.113.0/24", "2001:db8::/32", // documentation
		"2001::/32", // Teredo, which hides an IPv4 address
	)
)

func prefixes(cidrs ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(cidrs))
	for i, cidr := range cidrs {
		all[i] = netip.MustParsePrefix(cidr)
	}
	return all
}

func within(addr netip.Addr, ranges []netip.Prefix) bool {
	for _, r := range ranges {
		if r.Contains(addr) {
			return true
		}
	}
	return false
}
