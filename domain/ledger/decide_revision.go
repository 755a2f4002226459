package ledger

import (
	"slices"

	"github.com/parley-chat/parley/domain"
)

// Revision changes a thread as a program asks, all of it or nothing. Plan looks at the thread as it stands, with nobody else changing
// it, and says whose hands it is to go into (one of the changes of decide_person.go; nil: as it is) and which labels it is to have
// (nil: as they are), or refuses. It must be pure and quick.
type Revision struct {
	Plan func(t domain.Thread, contactName string) (move Change, labels []string, err error)
}

func (Revision) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Revision) decide(s *state, w *rows) (out Outcome, err error) {
	now := s.Thread
	now.LastMessageAt = sinceEpoch(now.LastMessageAt)
	move, labels, err := c.Plan(now, s.contact.name)
	if err != nil {
		return Outcome{}, err
	}
	if move != nil {
		if out, err = move.decide(s, w); err != nil {
			return Outcome{}, err
		}
	}
	if labels != nil && !slices.Equal(labels, s.Labels) {
		s.Labels, out.Moved = labels, true
		if !slices.Contains(w.labelled, s) {
			w.labelled = append(w.labelled, s)
		}
	}
	return out, nil
}

var updateLabels = newBulk(`
UPDATE threads t SET labels = ARRAY(SELECT l.label FROM jsonb_array_elements_text(u.labels::jsonb) WITH ORDINALITY AS l(label, n) ORDER BY l.n)
FROM {rows} WHERE t.id = u.id`,
	as("id", "uuid", func(s *state) string { return string(s.ID) }),
	as("labels", "text", func(s *state) string { return jsonOf(s.Labels) }),
)
