package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// transcriptLines is how many lines of a conversation a transcript has at most: its last ones.
const transcriptLines = 1000

// transcript tells a contact what was said. It fails with errMoot where nothing was, or the address is theirs no longer.
func (m *Mail) transcript(ctx context.Context, d ledger.Delivery) (Letter, error) {
	t, err := m.Ledger.Transcript(ctx, d.OrgID, d.ThreadID, d.Target, transcriptLines)
	switch {
	case err != nil:
		return Letter{}, err
	case len(t.Lines) == 0:
		return Letter{}, errMoot
	}
	d.MailedUpTo(t.Lines[len(t.Lines)-1].Seq)
	return transcriptLetter(t), nil
}

// transcriptLetter writes a conversation down in the contact's language and time.
func transcriptLetter(said ledger.Transcript) Letter {
	t := domain.TranscriptTextIn(said.Locale)
	zone, err := time.LoadLocation(said.Timezone) // empty is UTC
	if err != nil {
		zone = time.UTC
	}
	p := letterPage{Lang: t.Lang, Subject: fmt.Sprintf(t.Subject, said.Title), Intro: fmt.Sprintf(t.Intro, said.Title)}
	for _, m := range said.Lines {
		by := cmp.Or(m.Author.Name, said.Title)
		if m.Direction == domain.Inbound {
			by = cmp.Or(said.Contact, t.You)
		}
		l := quote(by, m)
		l.At = m.CreatedAt.In(zone).Format("2006-01-02 15:04 MST")
		p.Lines = append(p.Lines, l)
	}
	return p.letter()
}
