package ledger

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// Suggestion is what an agent has drafted for whoever answers a thread, and nobody has decided on yet.
type Suggestion struct {
	Turn        domain.TurnID
	Agent       string // its name
	Content     string
	ContentType domain.ContentType
	Citations   []domain.Citation
	At          time.Time
	ToSeq       int64 // it answers the contact's lines up to here
	Outdated    bool  // the contact has written since
}

// A turn that says several things has drafted all of them. A later turn's draft takes the place of an earlier one's, and an answer
// that went out, a decision on it or the thread's end the place of any.
const suggestion = `
SELECT s.turn_id, coalesce(a.name, '') AS agent, s.pieces, s.at, t.to_seq, th.last_inbound > t.to_seq AS outdated
FROM (
    SELECT turn_id, max(created_at) AS at, jsonb_agg(detail ORDER BY ord) AS pieces
    FROM turn_steps WHERE thread_id = ?0 AND org_id = ?1 AND kind = ?2 AND detail->>'content' IS NOT NULL
    GROUP BY turn_id ORDER BY max(ord) DESC LIMIT 1
) s
JOIN turns t ON t.id = s.turn_id
JOIN threads th ON th.id = ?0 AND th.handling <> ?3
LEFT JOIN agents a ON a.id = t.agent_id
WHERE NOT EXISTS (SELECT FROM messages m WHERE m.thread_id = ?0 AND m.direction = ?4 AND m.author_kind <> ?5 AND m.created_at > s.at)
  AND NOT EXISTS (SELECT FROM events e WHERE e.thread_id = ?0 AND e.turn_id = s.turn_id AND e.kind IN (?6))`

// Suggestion reads the draft that waits in a thread. It fails with NotFound if none does, and for another organisation's thread.
func (l *Ledger) Suggestion(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (Suggestion, error) {
	var row struct {
		TurnID   domain.TurnID
		Agent    string
		Pieces   json.RawMessage
		At       time.Time
		ToSeq    int64
		Outdated bool
	}
	decided := []domain.TimelineKind{domain.SuggestionUsed, domain.SuggestionEdited, domain.SuggestionGone}
	err := l.NewRaw(suggestion, thread, org, domain.SuggestionStored, domain.HandlingClosed, domain.Outbound, domain.AuthorSystem, bun.List(decided)).Scan(ctx, &row)
	if err != nil {
		return Suggestion{}, classify(err)
	}
	s := Suggestion{Turn: row.TurnID, Agent: row.Agent, ContentType: domain.Text, At: row.At.UTC(), ToSeq: row.ToSeq, Outdated: row.Outdated}
	var pieces []struct {
		Content     string
		ContentType domain.ContentType `json:"content_type"`
		Citations   []domain.Citation
	}
	if err := json.Unmarshal(row.Pieces, &pieces); err != nil {
		return Suggestion{}, classify(err)
	}
	contents := make([]string, len(pieces))
	for i, p := range pieces {
		contents[i] = p.Content
		s.Citations = append(s.Citations, p.Citations...)
		if p.ContentType == domain.Markdown {
			s.ContentType = domain.Markdown
		}
	}
	s.Content = strings.Join(contents, "\n\n")
	return s, nil
}

// Draft is a suggestion and what a person makes of it.
type Draft struct {
	Suggestion
	Outcome domain.TimelineKind // SuggestionUsed as it is, SuggestionEdited, or SuggestionGone
}

// contentType is how words that came of a draft are to be shown.
func (d *Draft) contentType() domain.ContentType {
	if d == nil || d.Outcome == domain.SuggestionGone {
		return domain.Text
	}
	return d.ContentType
}

// citations are a draft's sources; those of one that was changed need not bear out what it says now.
func (d *Draft) citations() []domain.Citation {
	if d == nil || d.Outcome != domain.SuggestionUsed {
		return nil
	}
	return d.Citations
}

// decided records what became of a draft.
func (s *state) decided(w *rows, u domain.User, d Draft, sent *domain.Message) {
	detail := map[string]any{"user_id": u.ID, "name": u.Name, "draft": clean(d.Content)}
	e := event{eventKey: happened(d.Outcome), turn: d.Turn, detail: detail}
	if sent != nil {
		e.message, detail["sent"] = sent.ID, sent.Content
	}
	if sent != nil && d.Outcome == domain.SuggestionGone {
		detail["reason"] = "an answer of their own was sent"
	}
	s.note(w, e)
}

// Discard is a person's no to a draft.
type Discard struct {
	User  domain.User
	Draft Suggestion
}

func (Discard) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Discard) decide(s *state, w *rows) (Outcome, error) {
	s.decided(w, c.User, Draft{c.Draft, domain.SuggestionGone}, nil)
	s.Notes++ // whoever else has the thread open is told
	return Outcome{}, nil
}
