package portal

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
)

const (
	rowsPage = 30  // threads shown at first, and more with each "older"
	rowsMost = 300 // that a refresh keeps
)

// wanted are the threads a tab shows.
var wanted = map[views.Tab]chat.InboxQuery{
	views.TabOpen:    {Handling: []domain.Handling{domain.HandlingAgent, domain.HandlingWaiting, domain.HandlingHuman}},
	views.TabWaiting: {Waiting: true},
	views.TabMine:    {Handling: []domain.Handling{domain.HandlingHuman}},
	views.TabAgents:  {Served: true},
	views.TabClosed:  {Handling: []domain.Handling{domain.HandlingClosed}},
}

// selection reads which threads the list is to show.
func selection(r *http.Request) views.Selection {
	q := r.URL.Query()
	s := views.Selection{Tab: views.Tab(q.Get("tab")), Query: strings.TrimSpace(q.Get("q"))}
	if _, known := wanted[s.Tab]; !known {
		s.Tab = views.TabOpen
	}
	if len(s.Query) > 200 {
		s.Query = strings.ToValidUTF8(s.Query[:200], "")
	}
	return s
}

func (p *Portal) showInbox(w http.ResponseWriter, r *http.Request) error {
	list, err := p.list(w, r, "Inbox", "")
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.InboxPage(views.Inbox{Frame: list.Frame, List: list}))
}

// showList is the list alone: as it stands now, or with a cursor the older rows to hang below.
func (p *Portal) showList(w http.ResponseWriter, r *http.Request) error {
	current, title := domain.ThreadID(""), "Inbox"
	if id := r.URL.Query().Get("thread"); id != "" {
		open, err := p.opened(r, id)
		if err != nil {
			return err
		}
		current, title = open.ID, views.ContactName(contactOf(open))
	}
	list, err := p.list(w, r, title, current)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("cursor") != "" {
		return render(w, r, http.StatusOK, views.MoreThreads(list, shownRows(r)))
	}
	return render(w, r, http.StatusOK, views.ThreadListUpdate(list))
}

// shownRows is how many rows the browser has.
func shownRows(r *http.Request) int {
	return max(rowsPage, min(int(atoi(r.URL.Query().Get("rows"))), rowsMost))
}

// list reads the list as the request wants it, and the frame around it.
func (p *Portal) list(w http.ResponseWriter, r *http.Request, title string, current domain.ThreadID) (views.ThreadList, error) {
	m := memberOf(r)
	tally, err := p.Chat.Tally(r.Context(), m.User)
	if err != nil {
		return views.ThreadList{}, err
	}
	list := views.ThreadList{Selection: selection(r), Current: current, PageSize: rowsPage, Counts: counts(tally)}
	if list.Frame, err = p.frame(w, r, views.InboxSection, title); err != nil {
		return views.ThreadList{}, err
	}
	list.Now = list.Frame.Now
	cursor, want := r.URL.Query().Get("cursor"), shownRows(r)
	if cursor != "" {
		want = rowsPage
	}
	found, next, err := p.conversations(r.Context(), m, list.Selection, cursor, want)
	if err != nil {
		return views.ThreadList{}, err
	}
	for _, c := range found {
		list.Rows = append(list.Rows, row(c))
	}
	list.Next = next
	if list.Counts[views.TabOpen]+list.Counts[views.TabClosed] == 0 {
		list.Fresh = true
		err = p.countSetUp(r.Context(), m, &list)
	}
	return list, err
}

func counts(t ledger.Tally) map[views.Tab]int {
	h := t.Handling
	return map[views.Tab]int{
		views.TabOpen:    h[domain.HandlingAgent] + h[domain.HandlingWaiting] + h[domain.HandlingHuman],
		views.TabWaiting: t.Waiting,
		views.TabMine:    t.Mine,
		views.TabAgents:  t.Served,
		views.TabClosed:  h[domain.HandlingClosed],
	}
}

// conversations reads as many rows as are wanted, in as many pages as that takes.
func (p *Portal) conversations(ctx context.Context, m account.Member, s views.Selection, cursor string, want int) (all []ledger.Conversation, next string, err error) {
	q := wanted[s.Tab]
	q.Query, q.Cursor = s.Query, cursor
	if s.Tab == views.TabMine {
		q.Assignee = m.User.ID
	}
	for len(all) < want {
		q.Limit = min(want-len(all), 100)
		page, next, err := p.Chat.Inbox(ctx, m.Organisation.ID, q)
		if err != nil || next == "" {
			return append(all, page...), "", err
		}
		all, q.Cursor = append(all, page...), next
	}
	return all, q.Cursor, nil
}

// countSetUp tells a fresh organisation's list what is there already.
func (p *Portal) countSetUp(ctx context.Context, m account.Member, list *views.ThreadList) error {
	agents, err := p.Account.Agents(ctx, m.Organisation.ID)
	if err != nil {
		return err
	}
	articles, err := p.Account.ArticleOpenings(ctx, m.Organisation.ID)
	if err != nil {
		return err
	}
	widgets, err := p.Account.Widgets(ctx, m.Organisation.ID)
	list.Agents, list.Articles, list.Widgets = len(agents), len(articles), len(widgets)
	list.Demo = p.DemoKey != "" && slices.ContainsFunc(widgets, func(one domain.Widget) bool { return one.Key == p.DemoKey })
	return err
}

// contactOf is as much of a contact as a conversation carries.
func contactOf(c ledger.Conversation) domain.Contact {
	return domain.Contact{ID: c.ContactID, Name: c.ContactName, Email: c.ContactEmail}
}

func row(c ledger.Conversation) views.ThreadRow {
	return views.ThreadRow{
		Thread: c.Thread, Contact: contactOf(c), Place: c.ContactPlace.String(), Preview: preview(c), By: c.LastAuthorKind, ByName: c.LastAuthorName,
		Assignee: c.AssigneeName, Unanswered: c.Unanswered,
		// the system speaks where an agent gave up, and later where nobody has come
		Failed: c.LastAuthorKind == domain.AuthorSystem && c.Handling == domain.HandlingWaiting && c.WaitedAt.IsZero(),
	}
}

// preview is a conversation's newest line on one line, without the marks of Markdown, which agents like to use.
func preview(c ledger.Conversation) string {
	line := strings.Join(strings.Fields(c.LastContent), " ")
	if line == "" && c.LastFile != "" {
		return "File: " + c.LastFile
	}
	if c.LastAuthorKind == domain.AuthorAgent {
		line = links.ReplaceAllString(line, "$1")
		line = marks.Replace(line)
	}
	return line
}

var (
	links = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	marks = strings.NewReplacer("**", "", "__", "", "`", "", "### ", "", "## ", "")
)

// streamInbox says changed whenever something happened in any thread of the organisation, and once at the start for whatever
// happened since the page was drawn.
func (p *Portal) streamInbox(w http.ResponseWriter, r *http.Request) error {
	org := memberOf(r).Organisation.ID
	p.stream(w, r, "changed", func(ctx context.Context, out *edge.Stream) { p.sayChanged(ctx, org, out, "changed") })
	return nil
}

// sayChanged sends an event whenever something happened in an organisation, until ctx or the reader ends.
func (p *Portal) sayChanged(ctx context.Context, org domain.OrgID, out *edge.Stream, event string) {
	if !out.Send(event, "", nil) {
		return
	}
	for range p.Relay.FollowOrganisation(ctx, org) {
		if !out.Send(event, "", nil) {
			return
		}
		select {
		case <-time.After(streamPause):
		case <-ctx.Done():
		}
	}
}
