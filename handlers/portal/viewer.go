package portal

import (
	"net/http"
	"net/url"
	"time"
	_ "time/tzdata" // the server's system may have no time zones of its own

	"github.com/parley-chat/parley/views"
)

// zoneCookie is set by a script and holds the name of the browser's time zone.
const zoneCookie = "parley_tz"

// present is the time, in the zone of whoever looks; UTC until their browser has told.
func present(r *http.Request) time.Time { return inZone(time.Now().UTC(), zoneName(r)) }

// zoneName is what the browser of whoever looks calls its time zone; empty until it has told, and if there is no such zone.
func zoneName(r *http.Request) string {
	c, err := r.Cookie(zoneCookie)
	if err != nil || len(c.Value) > 64 {
		return ""
	}
	name, err := url.QueryUnescape(c.Value)
	if err != nil || name == "Local" {
		return ""
	}
	if _, err := time.LoadLocation(name); err != nil {
		return ""
	}
	return name
}

// inZone is t as the clocks of a zone show it; t itself if there is no such zone.
func inZone(t time.Time, name string) time.Time {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return t
	}
	return t.In(zone)
}

// frame is what surrounds every page of a member.
func (p *Portal) frame(w http.ResponseWriter, r *http.Request, section views.Section, title string) (views.Frame, error) {
	m := memberOf(r)
	unseen, err := p.Chat.Unseen(r.Context(), m.User.OrgID)
	if err != nil {
		return views.Frame{}, err
	}
	return views.Frame{
		Title: title, Section: section, Org: m.Organisation.Name, User: m.User, Unread: unseen,
		Notice: p.noticed(w, r), Now: present(r),
	}, nil
}
