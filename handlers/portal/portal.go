// Package portal is the HTML surface for owners and their team: pages, forms, and the streams that keep them current. It must
// never decide what a service decides, send HTML through a stream, or show anything of another organisation.
package portal

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/domain/replay"
	"github.com/parley-chat/parley/handlers/edge"
)

// Deps is what the portal stands on. All but PublicURL and DemoKey is needed.
type Deps struct {
	Chat       *chat.Service
	Account    *account.Service
	Replays    *replay.Service
	Relay      *relay.Relay
	TryAgent   func(context.Context, domain.Agent) domain.AgentTest     // asks an agent one question outside any thread
	TryChannel func(context.Context, domain.Channel) domain.ChannelTest // asks what is at a channel's other end
	PublicURL  string                                                   // scheme and host that snippets show; empty = the request's
	Hosts      *edge.Hosts                                              // learns under which names members come
	DemoKey    string                                                   // key of the widget on the page /demo; empty = there is no such page
	Log        *slog.Logger
}

// Portal serves it. It is safe for concurrent use and keeps nothing but its open streams. Run should be running.
type Portal struct {
	Deps
	streams   *edge.Streams
	listeners listeners
	lookEvery time.Duration
	owned     atomic.Bool // somebody owns something here; never becomes false again
}

// New makes the portal. Shutdown ends its streams.
func New(d Deps) *Portal {
	return &Portal{Deps: d, streams: edge.NewStreams(), lookEvery: lookEvery}
}

// Shutdown ends the open streams and lets no new ones begin. Their pages come back to whoever serves next.
func (p *Portal) Shutdown() { p.streams.Close() }

// secure reports whether cookies are to travel over TLS only.
func (p *Portal) secure(r *http.Request) bool {
	return edge.OverTLS(r) || strings.HasPrefix(p.PublicURL, "https://")
}
