package views

import (
	"bytes"
	"context"
	"html"
	"io"

	"github.com/a-h/templ"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// What agents and people may write in Markdown. No images: a model that was talked into it could send what it knows to
// anyone through an image's address.
var (
	markdown = goldmark.New(goldmark.WithExtensions(extension.Strikethrough, extension.Linkify, extension.Table))
	safe     = markdownPolicy()
)

func markdownPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "hr",
		"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	return p
}

// Markdown shows source as the safe subset of HTML that goldmark makes of it. It never fails: what cannot be read as
// Markdown is shown as it stands.
func Markdown(source string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var raw bytes.Buffer
		if err := markdown.Convert([]byte(source), &raw); err != nil {
			raw.Reset()
			raw.WriteString(html.EscapeString(source))
		}
		_, err := w.Write(safe.SanitizeBytes(raw.Bytes()))
		return err
	})
}
