// Package widget is the public side: what a site's visitors talk to, over sockets, streams, polls and plain requests. It must
// never trust a visitor: all it lets them touch is their own thread, and all it knows of them is their session's token.
package widget

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/handlers/edge"
)

// Deps are what the surface stands on.
type Deps struct {
	Chat  *chat.Service
	Relay *relay.Relay
	Log   *slog.Logger
	Demo  string // key of the widget that /demo shows; empty: there is no such page
	// PublicURL is where browsers find this server, such as https://chat.example.com; empty: wherever they sent the request.
	PublicURL string
	Hosts     *edge.Hosts // knows which of those are this server's own, where there is no PublicURL
	// TriggerfishWidget is the key of the widget that Triggerfish clients talk to who name none; empty: they have to.
	TriggerfishWidget string
	// Operator finds out whose API key or sign-in a Construct client's token is; nil: nobody's. It fails with Unauthenticated. A token that
	// is not used, but only looked at because a connection is open, lives no longer for it.
	Operator func(ctx context.Context, token string, used bool) (chat.Operator, error)
	Limits   Limits
}

// Limits bound what one visitor may hold or do. The zero value of a field means its default, which suits everything but tests
// and load generators that come from one address.
type Limits struct {
	Connections int           // sockets, streams and polls at a time, per client address and widget (200); none for this machine itself
	Sessions    int           // sessions asked for, per client address and minute (300); none for this machine itself
	Uploads     int           // files sent, per client address and minute (60); none for this machine itself
	Lines       int           // visitors' lines a minute, per client address (600); none for this machine itself
	WidgetLines int           // visitors' lines a minute, per widget and node (6000); lines from this machine itself do not count
	Frames      int           // frames a second on a socket, twice as many at once after a quiet second (200)
	HelloWithin time.Duration // from the opening of a socket to its hello (10 s)
	WriteWithin time.Duration // for one frame to be written, before the reader counts as stuck (10 s)
	PingEvery   time.Duration // of a socket; two without a pong end it (25 s)
	AliveEvery  time.Duration // at which clients that wait for an answer are told that it is still being worked on, where their dialect has words for it (30 s)
	WaitForTurn time.Duration // of a Construct client's message, for the turns before it (30 s)
	LookEvery   time.Duration // at which connected sessions have ended and widgets were switched off meanwhile (5 s)
}

func (l Limits) withDefaults() Limits {
	l.Connections = cmp.Or(l.Connections, 200)
	l.Sessions = cmp.Or(l.Sessions, 300)
	l.Uploads = cmp.Or(l.Uploads, 60)
	l.Lines = cmp.Or(l.Lines, 600)
	l.WidgetLines = cmp.Or(l.WidgetLines, 6000)
	l.Frames = cmp.Or(l.Frames, 200)
	l.HelloWithin = cmp.Or(l.HelloWithin, 10*time.Second)
	l.WriteWithin = cmp.Or(l.WriteWithin, 10*time.Second)
	l.PingEvery = cmp.Or(l.PingEvery, 25*time.Second)
	l.AliveEvery = cmp.Or(l.AliveEvery, 30*time.Second)
	l.WaitForTurn = cmp.Or(l.WaitForTurn, 30*time.Second)
	l.LookEvery = cmp.Or(l.LookEvery, 5*time.Second)
	return l
}

// Surface serves the widgets of all organisations. Run should be running, and Shutdown must be called.
type Surface struct {
	chat      *chat.Service
	relay     *relay.Relay
	log       *slog.Logger
	demo      string
	publicURL string
	hosts     *edge.Hosts
	limits    Limits
	streams   *edge.Streams
	guests    *guests
	rounds    *rounds
	widgets   widgets
	flow      *flow
	seldomly  func(http.Handler) http.Handler // bounds new sessions, of all dialects together

	triggerfishWidget string
	operator          func(ctx context.Context, token string, used bool) (chat.Operator, error)
}

// New makes the surface.
func New(d Deps) *Surface {
	limits := d.Limits.withDefaults()
	s := &Surface{
		chat: d.Chat, relay: d.Relay, log: d.Log, demo: d.Demo, publicURL: d.PublicURL, hosts: d.Hosts, limits: limits,
		streams: edge.NewStreams(), guests: newGuests(limits.Connections), flow: newFlow(limits.Lines, limits.WidgetLines), triggerfishWidget: d.TriggerfishWidget, operator: d.Operator,
	}
	s.rounds = newRounds(limits.PingEvery, s.guests.cut)
	context.AfterFunc(s.guests.cut, s.streams.Cut)
	s.seldomly = s.seldom(limits.Sessions, "too many visits from your network, please wait a moment")
	return s
}

// Routes adds every URL of the surface. The router must find out the client's address before: chi's ClientIPFrom….
func (s *Surface) Routes(r chi.Router) {
	r.Get("/widget.js", s.loader)
	if s.demo != "" {
		r.Get("/demo", edge.JSON(s.log, s.demoPage))
	}
	r.Get("/compat/triggerfish", s.Triggerfish)
	r.Get("/files/{token}/{name}", edge.JSON(s.log, s.file))
	r.Head("/files/{token}/{name}", edge.JSON(s.log, s.file))
	r.Get("/compat/smooth/ws", edge.JSON(s.log, s.smooth))
	r.Get("/ws", edge.JSON(s.log, s.smooth))
	r.Get("/compat/construct/ws/chat", edge.JSON(s.log, s.construct))
	r.Get("/ws/chat", edge.JSON(s.log, s.construct))
	r.Route("/w/{key}", func(r chi.Router) {
		r.Use(s.admit)
		r.NotFound(edge.JSON(s.log, nothingHere))
		r.MethodNotAllowed(edge.MethodNotAllowed(s.log, r))

		r.Get("/config", edge.JSON(s.log, s.config))
		r.With(s.seldomly).Post("/session", edge.JSON(s.log, s.session))

		r.Get("/socket", s.visitor(s.socket))
		r.Get("/events", s.visitor(s.events))
		r.Get("/poll", s.visitor(s.poll))

		r.Get("/messages", s.visitor(s.history))
		r.Post("/messages", s.visitor(s.command("message")))
		r.With(s.seldom(s.limits.Uploads, "too many files from your network, please wait a moment")).Post("/attachments", s.visitor(s.attach))
		r.Post("/typing", s.visitor(s.command("typing")))
		r.Post("/read", s.visitor(s.command("read")))
		r.Post("/identify", s.visitor(s.command("identify")))
		r.Post("/handoff", s.visitor(s.command("handoff")))
		r.Post("/rating", s.visitor(s.command("rating")))
		r.Post("/page", s.visitor(s.command("page")))
		r.Post("/form", s.visitor(s.form))
	})
}

// Connections counts the sockets, streams and polls that are open.
func (s *Surface) Connections() float64 { return float64(s.guests.count()) }

// Shutdown lets nobody in any more, tells everybody who is connected when to come back, and returns once they have gone. Those
// who are still there when ctx ends are cut off; what was acknowledged is in the ledger. An http.Server does not end sockets
// and streams by itself: call this before its Shutdown.
func (s *Surface) Shutdown(ctx context.Context) {
	s.guests.seeOff(ctx)
	s.rounds.walker.Wait()
	s.streams.Close()
}
