package edge

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// knownHosts bounds how many names are kept. Nobody reaches a server under more, but for a member who means mischief.
const knownHosts = 64

// Hosts knows under which names this server's own pages are reached, where no public URL says it. Anybody can give a server a second
// name: theirs, which leads to its address once a page of theirs has been loaded under it, so that a browser takes the two for one
// site (DNS rebinding). With an address, or the name of the browser's own machine, that cannot be done; any other name counts once
// somebody has come under it who is signed in, which nobody is under a name they do not know. It is safe for concurrent use, and
// nil knows only the former.
type Hosts struct {
	mu    sync.RWMutex
	known map[string]struct{}
}

// Learn notes the name that a member's request was sent to.
func (h *Hosts) Learn(r *http.Request) {
	name := strings.ToLower(r.Host)
	if h == nil || unmistakable(name) || h.knows(name) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil {
		h.known = map[string]struct{}{}
	}
	if len(h.known) < knownHosts {
		h.known[name] = struct{}{}
	}
}

// Own reports whether the name that a request was sent to is one of this server's.
func (h *Hosts) Own(r *http.Request) bool {
	name := strings.ToLower(r.Host)
	return unmistakable(name) || h != nil && h.knows(name)
}

func (h *Hosts) knows(name string) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	_, known := h.known[name]
	return known
}

// unmistakable reports whether a host is one that nobody can lead elsewhere: an address, or this machine's own name.
func unmistakable(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost")
}
