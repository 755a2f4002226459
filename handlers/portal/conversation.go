package portal

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/views"
)

const (
	linesPage = 50  // messages shown at first, and more with each "earlier"
	linesMost = 400 // that a page holds

	deadInThread = 5 // deliveries that did not arrive, which a thread's page shows
)

// window decides which messages to show: after is the seq before the first of them, limit how many there may be. It reads the
// first one the browser has (after), or the one below which earlier ones are wanted (before).
func window(r *http.Request, last int64) (after int64, limit int) {
	q := r.URL.Query()
	switch {
	case q.Get("before") != "":
		after = atoi(q.Get("before")) - 1 - linesPage
	case q.Get("after") != "":
		after = min(atoi(q.Get("after")), last-1)
		if last-after > linesMost { // open for very long: let go of the oldest
			after = last - linesMost/2
		}
	default:
		after = last - linesPage
	}
	return max(after, 0), linesMost
}

// conversation reads all that a thread's pane shows.
func (p *Portal) conversation(r *http.Request, c ledger.Conversation) (*views.Conversation, error) {
	ctx := r.Context()
	after, limit := window(r, c.LastSeq)
	messages, err := p.Chat.Messages(ctx, c.OrgID, c.ID, after, limit)
	if err != nil {
		return nil, err
	}
	var since time.Time
	if after > 0 && len(messages) > 0 {
		since = messages[0].CreatedAt
	}
	milestones, err := p.Chat.Milestones(ctx, c.OrgID, c.ID, since)
	if err != nil {
		return nil, err
	}
	open, err := p.around(r, c)
	if err != nil {
		return nil, err
	}
	open.Messages, open.Earlier = messages, after > 0
	open.Composer = views.Composer{Thread: c.ID, ClientID: newClientID()}
	if n := len(messages); n > 0 {
		open.Later = messages[n-1].Seq < c.LastSeq && n == limit
	}
	sortOut(open, milestones)
	dead, err := p.Chat.Deliveries(ctx, c.OrgID, ledger.DeliveryFilter{Thread: c.ID, Statuses: []string{"dead"}, Ours: true, Limit: deadInThread})
	if err != nil {
		return nil, err
	}
	open.Dead = deadDeliveries(dead)
	open.Composer.Suggestion, err = p.draft(r, c)
	return open, err
}

// draft reads what an agent suggests to say next, nil if nothing.
func (p *Portal) draft(r *http.Request, c ledger.Conversation) (*views.Suggestion, error) {
	d, err := p.Chat.Suggestion(r.Context(), c.OrgID, c.ID)
	if err != nil {
		return nil, known(err)
	}
	return &views.Suggestion{
		Turn: d.Turn, Agent: agentOr(d.Agent), Content: d.Content, Markdown: d.ContentType == domain.Markdown, Citations: d.Citations, Outdated: d.Outdated,
	}, nil
}

// around reads what surrounds a thread's lines and its flight recorder alike: the head and the facts.
func (p *Portal) around(r *http.Request, c ledger.Conversation) (*views.Conversation, error) {
	contact, err := p.Chat.Contact(r.Context(), c.OrgID, c.ContactID)
	if domain.KindOf(err) == domain.NotFound { // a program has told what was said, and not by whom
		contact, err = domain.Contact{CreatedAt: c.CreatedAt}, nil
	}
	if err != nil {
		return nil, err
	}
	visit, err := p.Chat.LastVisit(r.Context(), c.OrgID, c.ContactID)
	if err != nil && domain.KindOf(err) != domain.NotFound { // a contact of another channel never came to a page, and old visits are forgotten
		return nil, err
	}
	open := &views.Conversation{
		Thread: c.Thread, Contact: contact, Assignee: c.AssigneeName, Agent: c.AgentName, Now: present(r), Search: selection(r).Search(),
	}
	open.Facts = facts(c, contact, visit, open.Now)
	open.Facts.Mails = p.Chat.SendsMail()
	open.Facts.Viewer = memberOf(r).User.ID
	if open.Facts.Forms, err = p.forms(r, c); err != nil {
		return nil, err
	}
	return open, p.explainSilence(r, c, open)
}

const formsShown = 3

// forms reads what a contact told in forms, the newest first.
func (p *Portal) forms(r *http.Request, c ledger.Conversation) (forms []views.FilledForm, err error) {
	told, err := p.Chat.Events(r.Context(), c.OrgID, ledger.EventFilter{Thread: c.ID, Kind: domain.FormSubmitted, Limit: formsShown})
	for _, e := range told {
		var d struct {
			Fields struct{ Name, Email, Phone, Message string }
		}
		if json.Unmarshal(e.Detail, &d) == nil && d.Fields.Name+d.Fields.Email+d.Fields.Phone+d.Fields.Message != "" { // an erased one says nothing
			forms = append(forms, views.FilledForm{At: e.CreatedAt, Name: d.Fields.Name, Email: d.Fields.Email, Phone: d.Fields.Phone, Message: d.Fields.Message})
		}
	}
	return forms, err
}

// explainSilence finds out why nobody will answer a thread's last line, if nobody will. The settings are read as they are now:
// what can be changed is what matters.
func (p *Portal) explainSilence(r *http.Request, c ledger.Conversation, open *views.Conversation) error {
	if !c.Unanswered {
		return nil
	}
	open.Silence = views.SilentUnbound
	if c.WidgetID == "" {
		return nil
	}
	widget, err := p.Account.Widget(r.Context(), c.OrgID, c.WidgetID)
	if err != nil || widget.AgentID == "" {
		return known(err)
	}
	agent, err := p.Account.Agent(r.Context(), c.OrgID, widget.AgentID)
	if err != nil {
		return known(err)
	}
	open.Facts.AgentID = agent.ID
	switch {
	case !widget.WebchatEnabled:
		open.Silence = views.SilentTrigger
	case !agent.Enabled:
		open.Silence = views.SilentDisabled
	case !c.OfferedAt.IsZero():
		open.Silence = views.SilentAway
	case agent.SendMode == domain.Suggest:
		open.Silence = views.SilentSuggests
	default:
		open.Silence = views.SilentMissed
	}
	return nil
}

// known is err unless it says that something is gone meanwhile.
func known(err error) error {
	if domain.KindOf(err) == domain.NotFound {
		return nil
	}
	return err
}

// newClientID names a form that is about to be drawn.
func newClientID() string { return rand.Text() }

// sortOut parts what happened between the messages into what is shown among them,
// and the failure nobody has answered yet.
func sortOut(open *views.Conversation, milestones []domain.TimelineItem) {
	var answered time.Time // when somebody last spoke to the contact
	for _, m := range slices.Backward(open.Messages) {
		if m.Direction == domain.Outbound && m.Author.Kind != domain.AuthorSystem {
			answered = m.CreatedAt
			break
		}
	}
	for _, i := range milestones {
		switch i.Kind {
		case domain.DispatchDied:
			if i.At.After(answered) {
				open.Failure = sentence(detail(i, "error"))
			}
		case domain.HumanJoined, domain.HandedBack, domain.Closed:
			open.Failure = ""
			open.Moves = append(open.Moves, i)
		default:
			open.Moves = append(open.Moves, i)
		}
	}
}

func agentOr(name string) string {
	if name == "" {
		return "The agent"
	}
	return name
}

// detail is a text in an item's detail; empty if there is none.
func detail(i domain.TimelineItem, key string) string {
	var d map[string]any
	if json.Unmarshal(i.Detail, &d) != nil {
		return ""
	}
	s, _ := d[key].(string)
	return s
}

// facts says where a thread belongs and what the contact's last visit told.
func facts(c ledger.Conversation, contact domain.Contact, visit domain.Session, now time.Time) views.Facts {
	f := views.Facts{
		Page: visit.Page, Language: visit.Locale, Campaign: campaign(visit.Attribution),
		Channel: c.Channel, Widget: c.WidgetName, WidgetID: c.WidgetID, Agent: c.AgentName, Identified: visit.Identified,
		FirstSeen: contact.CreatedAt.In(now.Location()).Format("2 January 2006, 15:04"),
	}
	known := lead.Known(contact.Profile)
	f.Device, f.FirstPage, f.Trail = known.Device.String(), known.FirstPage, visit.Trail
	if f.Page.Referrer == "" {
		f.Page.Referrer = known.Referrer
	}
	f.Place = known.Geo.String()
	if zone := cmp.Or(visit.Timezone, known.Geo.Timezone); zone != "" {
		f.LocalTime = inZone(now.UTC(), zone).Format("15:04")
	}
	return f
}

// campaign is what brought the contact here, in the order of importance.
func campaign(attribution json.RawMessage) string {
	var a map[string]string
	if json.Unmarshal(attribution, &a) != nil {
		return ""
	}
	var parts []string
	for _, key := range []string{"utm_campaign", "utm_source", "utm_medium"} {
		if a[key] != "" {
			parts = append(parts, a[key])
		}
	}
	return strings.Join(parts, ", ")
}

// hint is what a stream says of an update: that there is something to ask for, never what it is.
func hint(u relay.Update) (event string, data []byte) {
	switch {
	case u.Message != nil:
		return "grown", nil
	case u.Standing != nil:
		return "changed", nil
	case u.Hint != nil && u.Hint.Kind == relay.Typing && u.Hint.Author.Kind != domain.AuthorHuman:
		if !u.Hint.On {
			return "typing", nil
		}
		return "typing", []byte(u.Hint.Author.Name)
	}
	return "", nil
}
