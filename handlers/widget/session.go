package widget

import (
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/handlers/dialect"
	"github.com/parley-chat/parley/handlers/edge"
)

// arrival is what a browser tells when it asks for a session.
type arrival struct {
	Token       string            `json:"token"`
	Page        domain.Page       `json:"page"`
	Attribution map[string]string `json:"attribution"`
	Identity    *dialect.Identity `json:"identity"`
	Locale      string            `json:"locale"`
	Timezone    string            `json:"timezone"`
}

type welcome struct {
	Session struct {
		ID        domain.SessionID `json:"id"`
		Token     string           `json:"token"`
		Resumed   bool             `json:"resumed"`
		ExpiresAt string           `json:"expires_at"`
	} `json:"session"`
	Thread struct {
		ID       *domain.ThreadID `json:"id"` // null before the first message
		LastSeq  int64            `json:"last_seq"`
		Handling domain.Handling  `json:"handling"`
	} `json:"thread"`
	Contact struct {
		Name       string `json:"name,omitempty"`
		Email      string `json:"email,omitempty"`
		Identified bool   `json:"identified"`
	} `json:"contact"`
	Limits limits `json:"limits"`
}

// session opens a session, or resumes the one whose token comes along.
func (s *Surface) session(w http.ResponseWriter, r *http.Request) error {
	var in arrival
	if err := edge.Decode(w, r, &in); err != nil {
		return err
	}
	v, token, resumed, err := s.chat.Arrive(r.Context(), widgetOf(r), chat.Arrival{
		Token: in.Token, Page: in.Page, Attribution: in.Attribution, Identity: (*chat.Identity)(in.Identity), Locale: in.Locale, Timezone: in.Timezone, Device: lead.DeviceOf(r.Header), Address: clientIP(r),
	})
	if err != nil {
		return err
	}
	out := welcome{Limits: limitsOf(v.Widget)}
	out.Session.ID, out.Session.Token, out.Session.Resumed = v.Session.ID, token, resumed
	out.Session.ExpiresAt = dialect.Stamp(v.Session.ExpiresAt)
	out.Thread.Handling = domain.HandlingAgent
	if v.Thread.ID != "" {
		out.Thread.Handling = v.Thread.Handling
	}
	if v.Thread.Begun() {
		out.Thread.ID, out.Thread.LastSeq = &v.Thread.ID, v.Thread.LastSeq
	}
	out.Contact.Name, out.Contact.Email, out.Contact.Identified = v.Contact.Name, v.Contact.Email, v.Session.Identified
	return edge.WriteJSON(w, http.StatusOK, out)
}
