package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// transcriptLines is how many lines of a conversation a transcript has at most: its last ones.
const transcriptLines = 1000

var transcriptPage = template.Must(template.New("").Parse(`<div lang="{{.Lang}}"{{if eq .Lang "ar"}} dir="rtl"{{end}} style="font-family:system-ui,sans-serif;max-width:36rem">
<p>{{.Intro}}</p>
{{range .Lines}}<p dir="auto" style="margin:.5rem 0;padding:.5rem .75rem;border-left:3px solid {{if .Theirs}}#ccd{{else}}#68a{{end}};white-space:pre-wrap"><strong>{{.By}}</strong> <span style="color:#667;font-size:.85em">{{.At}}</span><br>{{.Said}}</p>
{{end}}</div>`))

type transcriptLine struct {
	letterLine
	At     string
	Theirs bool // the contact's own
}

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
	title := strings.Join(strings.Fields(said.Title), " ")
	zone, err := time.LoadLocation(said.Timezone) // empty is UTC
	if err != nil {
		zone = time.UTC
	}
	page := struct {
		Lang, Intro string
		Lines       []transcriptLine
	}{Lang: t.Lang, Intro: fmt.Sprintf(t.Intro, title)}
	var text, html strings.Builder
	text.WriteString(page.Intro + "\n")
	for _, m := range said.Lines {
		line := transcriptLine{letterLine{By: cmp.Or(m.Author.Name, title), Said: m.Content}, m.CreatedAt.In(zone).Format("2006-01-02 15:04 MST"), m.Direction == domain.Inbound}
		if line.Theirs {
			line.By = cmp.Or(said.Contact, t.You)
		}
		for _, f := range m.Attachments {
			line.Said = strings.TrimSpace(line.Said + "\n" + f.Name)
		}
		page.Lines = append(page.Lines, line)
		fmt.Fprintf(&text, "\n%s (%s):\n%s\n", line.By, line.At, line.Said)
	}
	_ = transcriptPage.Execute(&html, page) // into memory, from plain strings: cannot fail
	return Letter{Subject: fmt.Sprintf(t.Subject, title), Text: text.String(), HTML: html.String()}
}
