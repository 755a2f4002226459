package widget

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/handlers/edge"
)

// Triggerfish serves clients of Triggerfish's WebChat channel. Each connection is a visitor of its own; what is answered after it
// has gone stays in the thread. Without an upgrade it only says that it is there.
func (s *Surface) Triggerfish(w http.ResponseWriter, r *http.Request) {
	if !upgrades(r) {
		plainly(w, http.StatusOK, "WebChat OK")
		return
	}
	if tooLarge(r.Header) {
		plainly(w, http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
		return
	}
	s.seldomly(edge.JSON(s.log, s.triggerfish)).ServeHTTP(w, r)
}

func (s *Surface) triggerfish(w http.ResponseWriter, r *http.Request) error {
	key := r.URL.Query().Get("widget")
	if key == "" {
		key = s.triggerfishWidget
	}
	wid, err := s.find(r.Context(), r, key)
	if domain.CodeOf(err) == domain.CodeOriginNotAllowed {
		plainly(w, http.StatusForbidden, "Forbidden: Origin not allowed")
		return nil
	}
	if err != nil {
		return err
	}
	v, _, _, err := s.chat.Arrive(r.Context(), wid, chat.Arrival{Device: lead.DeviceOf(r.Header), Address: clientIP(r)})
	if err != nil {
		return err
	}
	return s.serve(w, r, call{
		dialect: dialect.Triggerfish{Session: v.Session.ID, Origin: s.ownOrigin(r)}, guest: guest{address(r), wid.Key}, session: v.Session.ID,
		log:  []any{"session", v.Session.ID, "widget", wid.Key},
		talk: func(c *socket) talk { return &triggerfishTalk{c, v} },
	})
}

// triggerfishTalk is a visitor whose client only says lines and hears replies.
type triggerfishTalk struct {
	*socket
	visitor chat.Visitor
}

// begin names the session and follows its thread.
func (c *triggerfishTalk) begin(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	o, err := c.s.open(within, &c.visitor)
	if err != nil {
		c.end(broken)
		return err
	}
	c.follow(c.newFollowing(o, 0))
	return nil
}

func (c *triggerfishTalk) refuse(err *dialect.Refused) error { return err }

func (c *triggerfishTalk) take(ctx context.Context, cmd dialect.Command) error {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	if m, ok := cmd.(dialect.Message); ok {
		m.ClientID = uuid.NewString() // the dialect has no way to say a line again
		cmd = m
		if err := c.s.flow.take(c.place.guest.address, c.visitor.Widget.Key); err != nil {
			return err
		}
	}
	answer, err := c.s.obey(within, &c.visitor, cmd)
	if err == nil && answer != nil {
		c.push(ctx, answer)
	}
	return err
}

// upgrades reports whether a request wants to become a WebSocket.
func upgrades(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

const (
	maxHeaderValue = 8 << 10  // bytes
	maxHeaders     = 32 << 10 // of all names and values together
)

func tooLarge(h http.Header) bool {
	all := 0
	for name, values := range h {
		for _, v := range values {
			if all += len(name) + len(v); len(v) > maxHeaderValue || all > maxHeaders {
				return true
			}
		}
	}
	return false
}

// plainly answers in plain text, word for word as foreign clients expect it.
func plainly(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the reader is gone: nothing to do
}
