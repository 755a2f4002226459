package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// tapeLines bounds the lines of a tape: of a longer thread the last ones count.
const tapeLines = 2000

const nobody domain.AgentID = "00000000-0000-0000-0000-000000000000"

// Tape reads a thread as its agents met it, for a replay: what visitors wrote, what was said to it, and what was looked up. It fails
// with NotFound for another organisation's thread.
func (l *Ledger) Tape(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (domain.Tape, error) {
	var t domain.Tape
	th, err := l.Thread(ctx, org, thread)
	if err != nil {
		return t, err
	}
	b, err := l.Brief(ctx, Claim{TurnRef: TurnRef{ToSeq: th.LastSeq, Agent: nobody}, OrgID: org, ThreadID: thread, FromSeq: th.LastSeq}, tapeLines)
	if err != nil {
		return t, err
	}
	t = domain.Tape{
		Channel: b.Channel, WidgetID: b.WidgetID, Page: b.Page, Locale: b.Locale, Timezone: b.Timezone, Lines: b.Messages,
		Contact: domain.Known{Name: b.Contact.Name, Email: b.Contact.Email, Phone: b.Contact.Phone},
	}
	for i := range t.Lines { // whoever reads the tape needs none of these
		t.Lines[i].OrgID, t.Lines[i].ThreadID, t.Lines[i].SessionID, t.Lines[i].ClientID = "", "", "", ""
	}
	err = l.NewRaw(`SELECT coalesce(w.agent_id, t.agent_id) FROM threads t LEFT JOIN widgets w ON w.id = t.widget_id WHERE t.id = ? AND t.org_id = ?`,
		thread, org).Scan(ctx, &t.Bound)
	if err != nil {
		return t, classify(err)
	}
	turns, err := l.playedTurns(ctx, org, thread)
	if err != nil {
		return t, err
	}
	steps, err := l.playedSteps(ctx, org, thread)
	if err != nil {
		return t, err
	}
	t.Exchanges = exchanges(t.Lines, turns, steps)
	return t, l.fillPassages(ctx, org, t.Exchanges)
}

type playedTurn struct {
	ID             domain.TurnID
	AgentID        domain.AgentID
	Status         domain.TurnStatus
	FromSeq, ToSeq int64
	Handoff        string
}

func (l *Ledger) playedTurns(ctx context.Context, org domain.OrgID, thread domain.ThreadID) ([]playedTurn, error) {
	var ts []playedTurn
	err := l.NewRaw(`SELECT t.id, t.agent_id, t.status, d.from_seq, t.to_seq,
       coalesce((SELECT e.detail->>'reason' FROM events e
                 WHERE e.thread_id = t.thread_id AND e.turn_id = t.id AND e.kind = ? ORDER BY e.ord LIMIT 1), '') AS handoff
FROM turns t JOIN dispatches d ON d.id = t.dispatch_id WHERE t.thread_id = ? AND t.org_id = ? ORDER BY t.started_at, t.id`,
		domain.HandedOff, thread, org).Scan(ctx, &ts)
	return ts, classify(err)
}

// playedStep is of a step what a replay can use.
type playedStep struct {
	TurnID domain.TurnID
	Kind   domain.TimelineKind
	Detail struct {
		Name       string
		Query      string          // how the builtin runtime tells of its search
		Arguments  json.RawMessage // how a model's calls are told
		OK         *bool
		Error      string
		Passages   []playedPassage
		Understood string
		Content    string
	} `bun:"type:jsonb"`
}

type playedPassage struct {
	Article    domain.ArticleID `json:"article_id"`
	Title      string           `json:"title"`
	URL        string           `json:"url"`
	Snippet    string           `json:"snippet"`
	Confidence float64          `json:"confidence"`
	Rank       float64          `json:"rank"`
	Text       string           `json:"text"`
}

func (l *Ledger) playedSteps(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (map[domain.TurnID][]playedStep, error) {
	var rows []struct {
		TurnID domain.TurnID
		Kind   domain.TimelineKind
		Detail json.RawMessage
	}
	err := l.NewRaw(`SELECT turn_id, kind, detail FROM turn_steps WHERE thread_id = ? AND org_id = ? AND kind IN (?, ?, ?) ORDER BY created_at, ord`,
		thread, org, domain.ToolCall, domain.ToolResult, domain.SuggestionStored).Scan(ctx, &rows)
	if err != nil {
		return nil, classify(err)
	}
	steps := map[domain.TurnID][]playedStep{}
	for _, r := range rows {
		s := playedStep{TurnID: r.TurnID, Kind: r.Kind}
		if json.Unmarshal(r.Detail, &s.Detail) == nil { // what does not look like ours is no use
			steps[r.TurnID] = append(steps[r.TurnID], s)
		}
	}
	return steps, nil
}

// exchanges puts together what visitors wrote and what came of it: a turn that said something, or, where no agent answered, what a
// person said.
func exchanges(lines []domain.Message, turns []playedTurn, steps map[domain.TurnID][]playedStep) []domain.Exchange {
	var xs []domain.Exchange
	first := int64(1)
	if len(lines) > 0 {
		first = lines[0].Seq
	}
	for _, t := range turns {
		x := domain.Exchange{FromSeq: t.FromSeq, ToSeq: t.ToSeq, Turn: t.ID, Agent: t.AgentID, Then: said(lines, t, steps[t.ID])}
		if len(x.Then.Replies) == 0 && x.Then.Handoff == "" || t.FromSeq < first || !asks(lines, x) {
			continue
		}
		x.Lookups, x.Details = lookups(steps[t.ID]), details(steps[t.ID])
		xs = append(xs, x)
	}
	xs = append(xs, unserved(lines, xs)...)
	slices.SortStableFunc(xs, func(a, b domain.Exchange) int { return cmp.Compare(a.ToSeq, b.ToSeq) })
	return xs
}

// asks reports whether a visitor wrote anything in an exchange.
func asks(lines []domain.Message, x domain.Exchange) bool {
	return slices.ContainsFunc(lines, func(m domain.Message) bool {
		return m.Direction == domain.Inbound && m.Seq >= x.FromSeq && m.Seq <= x.ToSeq
	})
}

// said is what came of a turn.
func said(lines []domain.Message, t playedTurn, steps []playedStep) (a domain.Answer) {
	for _, m := range lines {
		if m.TurnID == t.ID && m.Author.Kind == domain.AuthorAgent && m.AuthorID == string(t.AgentID) {
			a.Replies = append(a.Replies, m.Content)
		}
	}
	for _, s := range steps {
		if s.Kind == domain.SuggestionStored && s.Detail.Content != "" {
			a.Replies, a.Draft = append(a.Replies, s.Detail.Content), true
		}
	}
	if t.Status == domain.TurnDone && !a.Draft {
		a.Handoff = t.Handoff
	}
	return a
}

// unserved are the visitor's lines that no agent answered, with what a person said to them.
func unserved(lines []domain.Message, answered []domain.Exchange) []domain.Exchange {
	var xs []domain.Exchange
	var open *domain.Exchange
	for _, m := range lines {
		covered := slices.ContainsFunc(answered, func(x domain.Exchange) bool { return m.Seq >= x.FromSeq && m.Seq <= x.ToSeq })
		switch {
		case m.Direction == domain.Inbound && covered:
			open = nil
		case m.Direction == domain.Inbound && (open == nil || len(open.Then.Replies) > 0):
			xs = append(xs, domain.Exchange{FromSeq: m.Seq, ToSeq: m.Seq})
			open = &xs[len(xs)-1]
		case m.Direction == domain.Inbound:
			open.ToSeq = m.Seq
		case open != nil && m.Direction == domain.Outbound && m.Author.Kind == domain.AuthorHuman:
			open.Then.Replies, open.Then.By = append(open.Then.Replies, m.Content), domain.AuthorHuman
		}
	}
	return xs
}

const searchTool, detailsTool = "search_knowledge", "set_contact_details"

// lookups are the searches of a turn with what they found. One that failed, or whose result has had its time, is none.
func lookups(steps []playedStep) (ls []domain.Lookup) {
	query, asked := "", false
	for _, s := range steps {
		if s.Detail.Name != searchTool {
			continue
		}
		if s.Kind == domain.ToolCall {
			var a struct{ Query string }
			_ = json.Unmarshal(s.Detail.Arguments, &a) // nonsense was refused then, too
			query, asked = strings.TrimSpace(cmp.Or(s.Detail.Query, a.Query)), true
			continue
		}
		if asked && s.Detail.Passages != nil && s.Detail.Error == "" && (s.Detail.OK == nil || *s.Detail.OK) {
			look := domain.Lookup{Query: query, Passages: []domain.Passage{}}
			for _, p := range s.Detail.Passages {
				look.Passages = append(look.Passages, domain.Passage{Article: p.Article, Title: p.Title, URL: p.URL, Snippet: p.Snippet,
					Body: p.Text, Query: s.Detail.Understood, Rank: cmp.Or(p.Rank, p.Confidence)})
			}
			ls = append(ls, look)
		}
		asked = false
	}
	return ls
}

// details are what a turn wanted to keep of the contact.
func details(steps []playedStep) (ds []domain.Detail) {
	var d domain.Detail
	for _, s := range steps {
		switch {
		case s.Detail.Name != detailsTool:
		case s.Kind == domain.ToolCall:
			d = domain.Detail{}
			_ = json.Unmarshal(s.Detail.Arguments, &d.Known) // nonsense was refused then, too
		case d.Known != domain.Known{}:
			d.OK = s.Detail.OK != nil && *s.Detail.OK
			ds = append(ds, d)
		}
	}
	return ds
}
