package dispatch

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// letterPage is a letter that quotes a conversation, as text and as HTML.
type letterPage struct {
	Lang     string // BCP 47
	Subject  string
	Intro    string
	Lines    []letterLine
	Link     string // empty: there is none
	LinkText string
	Closing  []string // sentences below it
}

type letterLine struct {
	By, At, Said string
	Ours         bool // not the contact's own
}

// letterHTML is the HTML side. html/template escapes what people wrote.
var letterHTML = template.Must(template.New("").Parse(`<div lang="{{.Lang}}"{{if eq .Lang "ar"}} dir="rtl"{{end}} style="font-family:system-ui,sans-serif;max-width:36rem">
<p>{{.Intro}}</p>
{{range .Lines}}<p dir="auto" style="margin:.5rem 0;padding:.5rem .75rem;border-inline-start:3px solid {{if .Ours}}#68a{{else}}#ccd{{end}};white-space:pre-wrap"><strong>{{.By}}</strong>{{with .At}} <span style="color:#667;font-size:.85em">{{.}}</span>{{end}}<br>{{.Said}}</p>
{{end}}{{with .Link}}<p><a href="{{.}}">{{$.LinkText}}</a></p>{{end}}
{{range .Closing}}<p style="color:#667;font-size:.85em">{{.}}</p>{{end}}</div>`))

// quote is a line of a conversation, by whoever is called so. Files are named below it.
func quote(by string, m domain.Message) letterLine {
	l := letterLine{By: by, Said: m.Content, Ours: m.Direction != domain.Inbound}
	for _, f := range m.Attachments {
		l.Said = strings.TrimSpace(l.Said + "\n" + f.Name)
	}
	return l
}

func (p letterPage) letter() Letter {
	var text, html strings.Builder
	text.WriteString(p.Intro + "\n")
	for _, l := range p.Lines {
		by := l.By
		if l.At != "" {
			by += " (" + l.At + ")"
		}
		fmt.Fprintf(&text, "\n%s:\n%s\n", by, l.Said)
	}
	if p.Link != "" {
		fmt.Fprintf(&text, "\n%s: %s\n", p.LinkText, p.Link)
	}
	for _, s := range p.Closing {
		text.WriteString("\n" + s + "\n")
	}
	p.Lang = cmp.Or(p.Lang, "en")
	_ = letterHTML.Execute(&html, p)                        // into memory, from plain strings: cannot fail
	subject := strings.Join(strings.Fields(p.Subject), " ") // a name may be of several lines
	return Letter{Subject: subject, Text: text.String(), HTML: html.String()}
}
