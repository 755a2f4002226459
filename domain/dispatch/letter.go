package dispatch

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// waitingPage is the HTML side of the letter. html/template escapes what people wrote.
var waitingPage = template.Must(template.New("").Parse(`<div style="font-family:system-ui,sans-serif;max-width:36rem">
<p><strong>{{.Who}}</strong> is waiting{{with .Widget}} in {{.}}{{end}}, and nobody has come.</p>
{{range .Lines}}<p style="margin:.5rem 0;padding:.5rem .75rem;border-left:3px solid #ccd;white-space:pre-wrap"><strong>{{.By}}</strong><br>{{.Said}}</p>
{{end}}{{with .Link}}<p><a href="{{.}}">Answer them</a></p>{{end}}</div>`))

type letterLine struct{ By, Said string }

// waitingLetter says who waits, what was said last, and where to answer.
func waitingLetter(c ledger.Conversation, lines []domain.Message, publicURL string) Letter {
	page := struct {
		Who, Widget, Link string
		Lines             []letterLine
	}{Who: cmp.Or(c.ContactName, c.ContactEmail, "A visitor"), Widget: c.WidgetName}
	if publicURL != "" {
		page.Link = publicURL + "/threads/" + string(c.ID)
	}
	var text, html strings.Builder
	fmt.Fprintf(&text, "%s is waiting", page.Who)
	if page.Widget != "" {
		fmt.Fprintf(&text, " in %s", page.Widget)
	}
	text.WriteString(", and nobody has come.\n")
	for _, m := range lines {
		line := letterLine{By: m.Author.Name, Said: m.Content}
		if m.Author.Kind == domain.AuthorVisitor {
			line.By = page.Who
		}
		if r := []rune(line.Said); len(r) > letterChars {
			line.Said = string(r[:letterChars]) + "…"
		}
		page.Lines = append(page.Lines, line)
		fmt.Fprintf(&text, "\n%s:\n%s\n", line.By, line.Said)
	}
	if page.Link != "" {
		fmt.Fprintf(&text, "\nAnswer them: %s\n", page.Link)
	}
	_ = waitingPage.Execute(&html, page) // into memory, from plain strings: cannot fail
	subject := strings.Join(strings.Fields(page.Who+" is waiting for an answer"), " ")
	return Letter{Subject: subject, Text: text.String(), HTML: html.String()}
}

// disabledLetter tells owners that one of their webhooks was switched off, why, and what to do.
func disabledLetter(hook domain.Webhook, reason, publicURL string) Letter {
	text := "Parley has switched off the webhook to\n\n" + hook.URL + "\n\n" + reason +
		"\n\nWhat happens from now on it is not told. What it has missed is in its log for 30 days: switch it on again and send from there what you need.\n"
	if publicURL != "" {
		text += "\nIts log: " + publicURL + "/webhooks/" + string(hook.ID) + "\n"
	}
	return Letter{Subject: "A webhook was switched off", Text: text}
}
