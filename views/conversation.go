package views

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Conversation is one thread with everything its pane shows.
type Conversation struct {
	Thread   domain.Thread
	Contact  domain.Contact
	Messages []domain.Message      // oldest first, the last ones of the thread
	Moves    []domain.TimelineItem // what else belongs among them: who took over, notes, ratings; oldest first
	Earlier  bool                  // there are older messages than these
	Later    bool                  // there are newer ones: this is a page of the past, and stays as it is
	Assignee string                // name of whoever has it
	Agent    string                // name of the agent bound here; empty = none
	Silence  Silence               // why nobody will answer the last line; empty = somebody will, or need not
	Dead     []DeadDelivery        // what was to reach somebody by another way and did not, newest first
	Failure  string                // why the agent gave up, if it did and nobody has answered since
	Facts    Facts
	Composer Composer
	Now      time.Time
	Search   string // the list's query string, to find the way back to the same selection
}

// Silence is why no agent answers a thread that is an agent's.
type Silence string

const (
	SilentUnbound  Silence = "unbound"  // the widget has no agent
	SilentTrigger  Silence = "trigger"  // the widget asks none
	SilentDisabled Silence = "disabled" // its agent is switched off
	SilentSuggests Silence = "suggests" // its agent leaves the sending to people
	SilentAway     Silence = "away"     // its agent has not answered for too long, and still may
	SilentMissed   Silence = "missed"   // whoever was to be asked then was not; the settings have changed since
)

// Composer is the field a person writes in. ClientID is made anew for every form drawn: sending the same form twice stores
// one message.
type Composer struct {
	Thread     domain.ThreadID
	ClientID   string
	Body       string              // what was typed, when the form comes back
	Problem    string              // completes a sentence about the message: "is too long"
	Note       bool                // for the team only
	Files      []domain.Attachment // that came with the form and wait for it to be sent again
	Refusal    string              // why files are not among them; a sentence
	Suggestion *Suggestion         // what the agent would have said
	Draft      domain.TurnID       // the draft that Body has come of, if it has
	Fresh      bool                // just sent: the cursor belongs into it
}

// Suggestion is an agent's draft.
type Suggestion struct {
	Turn      domain.TurnID // that drafted it
	Agent     string
	Content   string
	Markdown  bool
	Citations []domain.Citation
	Outdated  bool // the contact has written since
}

// entry is one line of the conversation as it is drawn: a message, or something that happened between two.
type entry struct {
	id      string
	message *domain.Message
	move    *domain.TimelineItem
	at      time.Time
	day     string // heads the first entry of a day
	follows bool   // continues the one above: same author, a moment later
}

// runOn is how soon a message must follow to stand under the same name.
const runOn = 4 * time.Minute

// entries joins messages and moves in the order in which they happened.
func (c Conversation) entries() []entry {
	all := make([]entry, 0, len(c.Messages)+len(c.Moves))
	ids := once{}
	for i := range c.Messages {
		all = append(all, entry{id: "m-" + string(c.Messages[i].ID), message: &c.Messages[i], at: c.Messages[i].CreatedAt})
	}
	for i := range c.Moves {
		if !c.Earlier || len(c.Messages) == 0 || !c.Moves[i].At.Before(c.Messages[0].CreatedAt) {
			all = append(all, entry{id: ids.name(c.Moves[i]), move: &c.Moves[i], at: c.Moves[i].At})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return a.at.Compare(b.at) })
	for i := range all {
		if i == 0 || daysBetween(all[i-1].at.In(c.Now.Location()), all[i].at.In(c.Now.Location())) != 0 {
			all[i].day = dayName(c.Now, all[i].at)
			continue
		}
		a, b := all[i-1].message, all[i].message
		all[i].follows = a != nil && b != nil && a.Author.Kind == b.Author.Kind && a.AuthorID == b.AuthorID &&
			a.Author.Kind != domain.AuthorSystem && b.CreatedAt.Sub(a.CreatedAt) < runOn
	}
	return all
}

// first is the seq of the oldest message shown; a refresh asks for everything from there.
func (c Conversation) first() int64 {
	if len(c.Messages) == 0 {
		return 1
	}
	return c.Messages[0].Seq
}

func (c Conversation) url(tail string) string { return "/threads/" + string(c.Thread.ID) + tail }

// receipt says whether the contact has seen our last words; empty unless they stand right above.
func (c Conversation) receipt() string {
	n, moves := len(c.Messages), len(c.Moves)
	if n == 0 {
		return ""
	}
	last := c.Messages[n-1]
	switch {
	case last.Direction != domain.Outbound || last.Author.Kind == domain.AuthorSystem || last.Seq != c.Thread.LastSeq:
		return ""
	case moves > 0 && c.Moves[moves-1].At.After(last.CreatedAt):
		return ""
	case c.Thread.VisitorRead >= last.Seq:
		return "Read"
	}
	return "Sent"
}

// isNote reports whether a move is a team note, and its text.
func isNote(i domain.TimelineItem) (string, bool) {
	if i.Kind != domain.NoteAdded {
		return "", false
	}
	return detail(i).text("content"), true
}

// fields is the detail of a timeline item, read leniently: a missing or odd value is empty.
type fields map[string]any

func detail(i domain.TimelineItem) fields {
	var f fields
	if json.Unmarshal(i.Detail, &f) != nil {
		return nil
	}
	return f
}

func (f fields) text(key string) string {
	s, _ := f[key].(string)
	return s
}

func (f fields) number(key string) float64 {
	n, _ := f[key].(float64)
	return n
}

// who names whoever the item is about.
func (f fields) who() string {
	if n := f.text("name"); n != "" {
		return n
	}
	return "Somebody"
}

// tone is the badge's colour.
func (c Conversation) tone() ui.Tone {
	if c.Silence != "" {
		return ui.Amber
	}
	return handlingTone(c.Thread.Handling)
}

// silent says in a sentence why nobody will answer, for the line below the head.
func (c Conversation) silent() string {
	switch c.Silence {
	case SilentUnbound:
		return "No agent is bound to this widget, so nobody answers until you do."
	case SilentTrigger:
		return "Agents are switched off in this widget, so nobody answers until you do."
	case SilentDisabled:
		return c.Agent + " is switched off, so nobody answers until you do."
	case SilentSuggests:
		return c.Agent + " only suggests answers. Send one, or write your own."
	case SilentAway:
		return c.Agent + " has kept them waiting. It will answer when it can, unless you do first."
	case SilentMissed:
		return "No agent was asked to answer the last line. Reply, or take the conversation over."
	}
	return ""
}

// state is the badge's word beside the contact: longer than in the list, because there is room.
func (c Conversation) state() string {
	switch c.Thread.Handling {
	case domain.HandlingAgent:
		if c.Silence != "" {
			return "Unanswered"
		}
		if c.Agent == "" {
			return "No agent bound"
		}
		return c.Agent + " answers"
	case domain.HandlingWaiting:
		return "Waiting for a person"
	case domain.HandlingHuman:
		if c.Thread.AssigneeID == c.Facts.Viewer && c.Facts.Viewer != "" {
			return "You have it"
		}
		if c.Assignee != "" {
			return c.Assignee + " has it"
		}
		return "A person has it"
	}
	return "Closed"
}

// sending says what a reply will change; empty when it changes nothing but the conversation.
func (c Conversation) sending() string {
	t := c.Thread
	switch {
	case t.Handling == domain.HandlingClosed:
		return "This conversation is closed. Replying opens it again, and it is yours."
	case t.Handling == domain.HandlingHuman && t.AssigneeID != c.Facts.Viewer && c.Assignee != "":
		return firstName(c.Assignee) + " has this conversation. Replying takes it over."
	case c.Silence != "":
		return "Replying takes the conversation over."
	case t.Handling == domain.HandlingAgent && c.Agent != "":
		return c.Agent + " is answering. Replying takes the conversation over."
	case t.Handling == domain.HandlingAgent:
		return "No agent is bound here, so nobody answers until you do."
	case t.Handling == domain.HandlingWaiting:
		return "They are waiting for a person. Replying takes the conversation over."
	}
	return ""
}

// nameOf is who a message is by, as the team sees it.
func (c Conversation) nameOf(m domain.Message) string {
	if m.Author.Kind == domain.AuthorVisitor {
		return ContactName(c.Contact)
	}
	return m.Author.Name
}

// pageName is what to call a page: its title, or its address without what everyone knows.
func pageName(p domain.Page) string {
	if p.Title != "" {
		return p.Title
	}
	s := strings.TrimPrefix(strings.TrimPrefix(p.URL, "https://"), "http://")
	return strings.TrimSuffix(s, "/")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}
