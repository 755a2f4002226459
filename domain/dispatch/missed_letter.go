package dispatch

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

var missedPage = template.Must(template.New("").Parse(`<div lang="{{.Lang}}"{{if eq .Lang "ar"}} dir="rtl"{{end}} style="font-family:system-ui,sans-serif;max-width:36rem">
<p>{{.Intro}}</p>
{{range .Lines}}<p dir="auto" style="margin:.5rem 0;padding:.5rem .75rem;background:#f2f4f7;border-radius:.5rem;white-space:pre-wrap"><strong>{{.By}}</strong><br>{{.Said}}</p>
{{end}}{{if .Link}}<p><a href="{{.Link}}">{{.LinkText}}</a></p>{{else}}<p>{{.NoLink}}</p>{{end}}
<p style="color:#667;font-size:.85em">{{.Why}}</p></div>`))

// missedLetter tells a visitor what was answered while they were away, in their language, and where to answer.
func missedLetter(news ledger.MissedReplies) Letter {
	t := domain.MissedTextIn(cmp.Or(news.Widget.Appearance.Locale, news.Locale))
	title := strings.Join(strings.Fields(cmp.Or(news.Widget.Appearance.Title, news.Widget.Name)), " ")
	page := struct {
		Lang, Intro, Link, LinkText, NoLink, Why string
		Lines                                    []letterLine
	}{Lang: t.Lang, Intro: fmt.Sprintf(t.Intro, title), Link: chatLink(news.Widget, news.Page), LinkText: t.Link, NoLink: t.NoLink, Why: t.Why}
	var text, html strings.Builder
	text.WriteString(page.Intro + "\n")
	for _, m := range news.Lines {
		line := letterLine{By: cmp.Or(m.Author.Name, title), Said: m.Content}
		for _, f := range m.Attachments {
			line.Said = strings.TrimSpace(line.Said + "\n" + f.Name)
		}
		page.Lines = append(page.Lines, line)
		fmt.Fprintf(&text, "\n%s:\n%s\n", line.By, line.Said)
	}
	if page.Link != "" {
		fmt.Fprintf(&text, "\n%s: %s\n", page.LinkText, page.Link)
	} else {
		fmt.Fprintf(&text, "\n%s\n", page.NoLink)
	}
	fmt.Fprintf(&text, "\n%s\n", page.Why)
	_ = missedPage.Execute(&html, page) // into memory, from plain strings: cannot fail
	return Letter{Subject: fmt.Sprintf(t.Subject, title), Text: text.String(), HTML: html.String()}
}

// chatLink is the page where a visitor was last, if it is on a site that the widget's list names. Visitors say themselves where they are,
// and whose address theirs is: of anything else we would mail links that strangers choose to people they choose.
func chatLink(w domain.Widget, page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	named := domain.Widget{AllowedOrigins: slices.DeleteFunc(slices.Clone(w.AllowedOrigins), func(o string) bool { return o == domain.AnyOrigin })}
	if !named.AllowsOrigin(u.Scheme + "://" + u.Host) {
		return ""
	}
	return u.String()
}
