// Package bridge is the HTTP that clients of other systems expect beside their sockets. It must never hold rules of its own: it
// turns their requests into what chat offers everybody.
package bridge

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/edge"
)

// Construct serves the sessions of Construct's clients.
type Construct struct {
	Chat     *chat.Service
	Log      *slog.Logger
	Operator func(*http.Request) (chat.Operator, error) // for whom a request is made; fails with Unauthenticated
}

// Routes adds every URL, below the client's own and below /compat/construct.
func (c *Construct) Routes(r chi.Router) {
	for _, base := range []string{"/api/sessions", "/compat/construct/api/sessions"} {
		r.Get(base, c.with(c.list))
		r.Get(base+"/running", c.with(c.running))
		r.Get(base+"/{id}/messages", c.with(c.messages))
		r.Get(base+"/{id}/state", c.with(c.state))
		r.Put(base+"/{id}", c.with(c.rename))
		r.Delete(base+"/{id}", c.with(c.remove))
	}
}

type handler func(w http.ResponseWriter, r *http.Request, org domain.OrgID) error

func (c *Construct) with(h handler) http.HandlerFunc {
	return edge.JSON(c.Log, func(w http.ResponseWriter, r *http.Request) error {
		o, err := c.Operator(r)
		if err != nil {
			return err
		}
		return h(w, r, o.OrgID)
	})
}

// sessionID is the session that a path names. Clients choose their names themselves, and escape what a path would read otherwise.
func sessionID(r *http.Request) string {
	id := chi.URLParam(r, "id")
	if r.URL.RawPath == "" { // it was read already
		return id
	}
	if plain, err := url.PathUnescape(id); err == nil {
		return plain
	}
	return id
}

func shown(s ledger.OperatorSession) map[string]any {
	at := s.LastMessageAt
	if at.IsZero() {
		at = s.CreatedAt
	}
	out := map[string]any{"session_id": s.Name(), "created_at": s.CreatedAt.UTC(), "last_activity": at.UTC(), "message_count": s.LastSeq}
	if s.Title != "" {
		out["name"] = s.Title
	}
	return out
}

func (c *Construct) list(w http.ResponseWriter, r *http.Request, org domain.OrgID) error {
	return c.sessions(w, r, org, func(ledger.OperatorSession) bool { return true })
}

func (c *Construct) running(w http.ResponseWriter, r *http.Request, org domain.OrgID) error {
	return c.sessions(w, r, org, func(s ledger.OperatorSession) bool { return s.Running })
}

func (c *Construct) sessions(w http.ResponseWriter, r *http.Request, org domain.OrgID, wanted func(ledger.OperatorSession) bool) error {
	all, err := c.Chat.OperatorSessions(r.Context(), org)
	if err != nil {
		return err
	}
	out := []map[string]any{}
	for _, s := range all {
		if wanted(s) {
			out = append(out, shown(s))
		}
	}
	return edge.WriteJSON(w, http.StatusOK, map[string]any{"sessions": out})
}

func (c *Construct) messages(w http.ResponseWriter, r *http.Request, org domain.OrgID) error {
	s, err := c.Chat.OperatorSession(r.Context(), org, sessionID(r))
	if err != nil {
		return err
	}
	ms, err := c.Chat.OperatorMessages(r.Context(), s.Thread)
	if err != nil {
		return err
	}
	type line struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	out := make([]line, len(ms))
	for i, m := range ms {
		out[i] = line{"assistant", m.Content}
		if m.Direction == domain.Inbound {
			out[i].Role = "user"
		}
	}
	return edge.WriteJSON(w, http.StatusOK, map[string]any{"session_id": s.Name(), "messages": out, "session_persistence": true})
}

func (c *Construct) state(w http.ResponseWriter, r *http.Request, org domain.OrgID) error {
	s, err := c.Chat.OperatorSession(r.Context(), org, sessionID(r))
	if err != nil {
		return err
	}
	out := map[string]any{"session_id": s.Name(), "state": "idle"}
	switch {
	case s.Running:
		out["state"] = "running"
	case s.Failed:
		out["state"] = "error"
	}
	if s.TurnID != "" {
		out["turn_id"], out["turn_started_at"] = s.TurnID, s.RunningSince.UTC()
	}
	return edge.WriteJSON(w, http.StatusOK, out)
}

func (c *Construct) rename(w http.ResponseWriter, r *http.Request, org domain.OrgID) error {
	var in struct {
		Name string `json:"name"`
	}
	if err := edge.Decode(w, r, &in); err != nil {
		return err
	}
	if in.Name = strings.TrimSpace(in.Name); in.Name == "" {
		return domain.InvalidField("name", "is required")
	}
	id := sessionID(r)
	if err := c.Chat.NameOperatorSession(r.Context(), org, id, in.Name); err != nil {
		return err
	}
	return edge.WriteJSON(w, http.StatusOK, map[string]any{"session_id": id, "name": in.Name})
}

func (c *Construct) remove(w http.ResponseWriter, r *http.Request, org domain.OrgID) error {
	id := sessionID(r)
	if err := c.Chat.DeleteOperatorSession(r.Context(), org, id); err != nil {
		return err
	}
	return edge.WriteJSON(w, http.StatusOK, map[string]any{"deleted": true, "session_id": id})
}
