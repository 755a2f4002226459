package dispatch

import (
	"encoding/json"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
)

// public is the classification of everything said with visitors.
const public = "PUBLIC"

// Request is what an agent would learn about such a turn, for a replay of it.
func Request(c ledger.Claim, b ledger.Briefing, origin string) agent.TurnRequest {
	return request(c, b, origin)
}

// request is what an agent learns about the turn it is given. origin is where it finds this server.
func request(c ledger.Claim, b ledger.Briefing, origin string) agent.TurnRequest {
	r := agent.TurnRequest{
		TurnID: c.Turn, ThreadID: c.ThreadID, Channel: b.Channel, Agent: agent.Self{ID: b.Agent.ID, Name: b.Agent.Name},
		Classification: public, OrgID: c.OrgID, InboxID: b.WidgetID, ContactID: b.Contact.ID, SessionID: b.SessionID,
		Contact: agent.Contact{Name: b.Contact.Name, Email: b.Contact.Email, Phone: b.Contact.Phone},
		Profile: profile(b),
	}
	if b.Page != (domain.Page{}) {
		r.Page = &b.Page
	}
	for _, m := range b.Messages {
		r.Messages = append(r.Messages, agent.Line{ID: m.ID, Seq: m.Seq, Author: m.Author, Content: m.Content, CreatedAt: m.CreatedAt, Attachments: files(m, origin)})
		if m.Direction == domain.Inbound && m.Seq >= c.FromSeq {
			r.Pending = append(r.Pending, m.Seq)
		}
	}
	r.Handover = handover(r.Messages)
	if b.Conversation != "" {
		r.Origin = originOf(b)
	}
	return r
}

func files(m domain.Message, origin string) []agent.File {
	var fs []agent.File
	for _, a := range domain.AttachmentsAt(origin, m.Attachments) {
		fs = append(fs, agent.File{Name: a.Name, Mime: a.Mime, Size: a.Size, URL: a.URL})
	}
	return fs
}

// handover is what people of the team said since the agent last spoke; nil if nothing.
func handover(lines []agent.Line) *agent.Handover {
	var h *agent.Handover
	for _, l := range lines {
		switch l.Author.Kind {
		case domain.AuthorAgent:
			h = nil
		case domain.AuthorHuman:
			if h == nil {
				h = &agent.Handover{}
			}
			h.By, h.At, h.Lines = l.Author.Name, l.CreatedAt, append(h.Lines, l.Seq)
		}
	}
	return h
}

func profile(b ledger.Briefing) json.RawMessage {
	known := map[string]any{}
	var told struct {
		Device json.RawMessage `json:"device"`
		Geo    domain.Place    `json:"geo"`
	}
	if json.Unmarshal(b.Contact.Profile, &told) == nil {
		if len(told.Device) > 0 {
			known["device"] = told.Device
		}
		if place := told.Geo.String(); place != "" {
			known["place"] = place
		}
	}
	if b.Locale != "" {
		known["locale"] = b.Locale
	}
	if b.Timezone != "" {
		known["timezone"] = b.Timezone
	}
	out, _ := json.Marshal(known) // strings and what was JSON already: cannot fail
	return out
}
