package views

import (
	"net/url"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Tab is a selection of threads.
type Tab string

const (
	TabOpen    Tab = "open"
	TabWaiting Tab = "waiting"
	TabMine    Tab = "mine"
	TabAgents  Tab = "agents"
	TabClosed  Tab = "closed"
)

// Tabs are all of them in the order in which they are shown.
var Tabs = []Tab{TabOpen, TabWaiting, TabMine, TabAgents, TabClosed}

func (t Tab) label() string {
	switch t {
	case TabWaiting:
		return "Waiting"
	case TabMine:
		return "Mine"
	case TabAgents:
		return "Agents"
	case TabClosed:
		return "Closed"
	}
	return "Open"
}

// ThreadRow is one thread in the inbox.
type ThreadRow struct {
	Thread     domain.Thread
	Contact    domain.Contact
	Place      string // where they are, as far as their address tells
	Preview    string // the newest line, one line of text
	By         domain.AuthorKind
	ByName     string // of whoever wrote the newest line
	Assignee   string // name of whoever has it
	Failed     bool   // its agent failed for good and nobody has looked yet
	Unanswered bool   // no person has it, and no agent will answer the newest line
}

// by names in front of the newest line who wrote it; empty for the visitor, whose name stands above, and for the system.
func (r ThreadRow) by(viewer domain.User) string {
	switch r.By {
	case domain.AuthorHuman:
		if r.ByName == viewer.Name {
			return "You"
		}
		if r.ByName == "" {
			return "Team"
		}
		return firstName(r.ByName)
	case domain.AuthorAgent:
		if r.ByName == "" {
			return "Agent"
		}
		return r.ByName
	}
	return ""
}

// ThreadList is the inbox's left side. The same model draws the page and the fragment that keeps it current.
type ThreadList struct {
	Selection
	Counts   map[Tab]int
	Rows     []ThreadRow
	Next     string          // cursor of the next page; empty = this is all
	Current  domain.ThreadID // the one that is open beside the list
	Now      time.Time
	Fresh    bool  // the organisation has never had a thread
	Widgets  int   // how many it has, for what to do next
	Agents   int   // likewise
	Articles int   // likewise
	Demo     bool  // one of its widgets is on the page /demo
	PageSize int   // rows of one page
	Frame    Frame // of the page, for title and unread
}

// Selection is a tab and a search: what the list's query string holds, so that pages beside it can keep it.
type Selection struct {
	Tab   Tab // empty = TabOpen
	Query string
}

// Search is the query string of the selection, with its question mark; empty for what one sees first.
func (s Selection) Search() string {
	q := url.Values{}
	if s.Tab != "" && s.Tab != TabOpen {
		q.Set("tab", string(s.Tab))
	}
	if s.Query != "" {
		q.Set("q", s.Query)
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// path is the page's own: that of the open thread, so that another tab or a search leaves it open.
func (l ThreadList) path() string {
	if l.Current != "" {
		return "/threads/" + string(l.Current)
	}
	return "/inbox"
}

// tabURL leads to another tab; a search stays.
func (l ThreadList) tabURL(t Tab) string { return l.path() + Selection{t, l.Query}.Search() }

// unsearched is the list without its search.
func (l ThreadList) unsearched() ThreadList {
	l.Query = ""
	return l
}

// threadURL opens a thread beside the same selection.
func (l ThreadList) threadURL(id domain.ThreadID) string {
	return "/threads/" + string(id) + l.Search()
}

// listURL is where the list itself comes from, for keeping it current.
func (l ThreadList) listURL() string {
	q := url.Values{"tab": {string(l.Tab)}}
	if l.Query != "" {
		q.Set("q", l.Query)
	}
	if l.Current != "" {
		q.Set("thread", string(l.Current))
	}
	return "/inbox/list?" + q.Encode()
}

// moreURL leads to the older threads, on a page of their own.
func (l ThreadList) moreURL() string {
	q := url.Values{"tab": {string(l.Tab)}, "cursor": {l.Next}}
	if l.Query != "" {
		q.Set("q", l.Query)
	}
	return "/inbox?" + q.Encode()
}

// rowsURL is the fragment with the older threads, to hang below these.
func (l ThreadList) rowsURL() string { return l.listURL() + "&cursor=" + url.QueryEscape(l.Next) }

// handlingTone and handlingWord are how a state looks and reads everywhere.
func handlingTone(h domain.Handling) ui.Tone {
	switch h {
	case domain.HandlingAgent:
		return ui.Violet
	case domain.HandlingWaiting:
		return ui.Amber
	case domain.HandlingHuman:
		return ui.Accent
	}
	return ui.Neutral
}

func handlingWord(h domain.Handling, assignee string) string {
	switch h {
	case domain.HandlingAgent:
		return "Agent"
	case domain.HandlingWaiting:
		return "Waiting"
	case domain.HandlingHuman:
		if assignee != "" {
			return firstName(assignee)
		}
		return "Team"
	}
	return "Closed"
}

// Inbox is the page with the list, and one thread beside it if one was chosen.
type Inbox struct {
	Frame  Frame
	List   ThreadList
	Thread *Conversation // the open thread, or
	Record *Record       // its flight recorder, or
	Why    *Why          // how one of its messages came about; at most one of the three
}

func (i Inbox) threadID() domain.ThreadID {
	switch {
	case i.Thread != nil:
		return i.Thread.Thread.ID
	case i.Record != nil:
		return i.Record.Thread.ID
	case i.Why != nil:
		return i.Why.Thread.ID
	}
	return ""
}

// streamURL is the one stream the page listens to.
func (i Inbox) streamURL() string {
	if id := i.threadID(); id != "" {
		return "/threads/" + string(id) + "/stream"
	}
	return "/inbox/stream"
}

// pane says which of the two has the room where there is room for one.
func (i Inbox) pane() string {
	if i.threadID() != "" {
		return "thread"
	}
	return "list"
}
