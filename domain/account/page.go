package account

import (
	"io"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// ParsePage reads a web page as an article: its title, its language, and what stands in its main part as Markdown. Navigation, forms
// and scripts are left out. address is where it was found, which relative links are meant from.
func ParsePage(address string, page io.Reader) (ArticleInput, error) {
	root, err := html.Parse(page)
	if err != nil {
		return ArticleInput{}, err
	}
	base, err := url.Parse(address)
	if err != nil {
		return ArticleInput{}, err
	}
	in := ArticleInput{URL: address}
	if h := find(root, atom.Html); h != nil {
		if lang := languageOf(attribute(h, "lang")); slices.Contains(languages, lang) {
			in.Language = lang
		}
	}
	main := find(root, atom.Main)
	for _, other := range []atom.Atom{atom.Article, atom.Body} {
		if main == nil {
			main = find(root, other)
		}
	}
	if main == nil {
		return in, nil
	}
	w := &markdownWriter{base: base}
	w.children(main)
	in.Content = strings.TrimSpace(manyBlank.Replace(w.out.String()))
	for strings.Contains(in.Content, "\n\n\n") {
		in.Content = strings.ReplaceAll(in.Content, "\n\n\n", "\n\n")
	}
	if h := find(main, atom.H1); h != nil {
		in.Title = oneLine(textOf(h))
		if rest, ok := strings.CutPrefix(in.Content, "# "+in.Title); ok {
			in.Content = strings.TrimSpace(rest)
		}
	} else if t := find(root, atom.Title); t != nil {
		in.Title = oneLine(textOf(t))
	}
	return in, nil
}

var manyBlank = strings.NewReplacer(" \n", "\n", "\u00a0", " ")

// skipped are parts of a page that are not what it says.
var skipped = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Nav: true, atom.Header: true, atom.Footer: true, atom.Aside: true, atom.Form: true, atom.Noscript: true,
	atom.Svg: true, atom.Iframe: true, atom.Template: true, atom.Button: true, atom.Img: true, atom.Video: true, atom.Audio: true, atom.Dialog: true,
}

// markdownWriter turns HTML into the Markdown that says the same.
type markdownWriter struct {
	base *url.URL
	out  strings.Builder
	list []string // markers of the lists around
}

func (w *markdownWriter) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.node(c)
	}
}

func (w *markdownWriter) node(n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		w.text(n.Data)
		return
	case n.Type != html.ElementNode || skipped[n.DataAtom] || hidden(n):
		return
	}
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.block(strings.Repeat("#", int(n.Data[1]-'0')) + " " + oneLine(textOf(n)))
	case atom.P, atom.Div, atom.Section, atom.Article, atom.Dl, atom.Dd, atom.Figure, atom.Main, atom.Details, atom.Blockquote:
		w.gap()
		w.children(n)
		w.gap()
	case atom.Ul, atom.Ol:
		marker := "- "
		if n.DataAtom == atom.Ol {
			marker = "1. "
		}
		w.gap()
		w.list = append(w.list, marker)
		w.children(n)
		w.list = w.list[:len(w.list)-1]
		w.gap()
	case atom.Li:
		if len(w.list) > 0 {
			w.line(strings.Repeat("  ", len(w.list)-1) + w.list[len(w.list)-1] + oneLine(w.inline(n)))
		} else {
			w.line("- " + oneLine(w.inline(n)))
		}
	case atom.Pre:
		w.block("```\n" + strings.Trim(textOf(n), "\n") + "\n```")
	case atom.Table:
		w.gap()
		w.table(n)
		w.gap()
	case atom.Dt, atom.Summary:
		w.block("**" + oneLine(textOf(n)) + "**")
	case atom.Br:
		w.out.WriteString("\n")
	default:
		w.span(n)
	}
}

// span writes what stands within a line.
func (w *markdownWriter) span(n *html.Node) {
	around := map[atom.Atom]string{atom.Strong: "**", atom.B: "**", atom.Em: "*", atom.I: "*", atom.Code: "`"}[n.DataAtom]
	if n.DataAtom != atom.A && around == "" {
		w.children(n)
		return
	}
	text := oneLine(textOf(n))
	if text == "" {
		return
	}
	if n.DataAtom == atom.A {
		if to, err := w.base.Parse(attribute(n, "href")); err == nil && (to.Scheme == "https" || to.Scheme == "http") && attribute(n, "href") != "" {
			text = "[" + text + "](" + strings.NewReplacer("(", "%28", ")", "%29", " ", "%20").Replace(to.String()) + ")"
		}
	}
	w.out.WriteString(around + text + around)
}

// inline is what an element says, with the lists in it below.
func (w *markdownWriter) inline(n *html.Node) string {
	inner := &markdownWriter{base: w.base, list: w.list}
	inner.children(n)
	return inner.out.String()
}

// table writes rows as lines; the first is taken for its head.
func (w *markdownWriter) table(n *html.Node) {
	rows := 0
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.DataAtom != atom.Tr {
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c)
			}
			return
		}
		var cells []string
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.DataAtom == atom.Td || c.DataAtom == atom.Th {
				cells = append(cells, strings.ReplaceAll(oneLine(textOf(c)), "|", "/"))
			}
		}
		if len(cells) == 0 {
			return
		}
		w.line("| " + strings.Join(cells, " | ") + " |")
		if rows++; rows == 1 {
			w.line("|" + strings.Repeat("---|", len(cells)))
		}
	}
	walk(n)
}

func (w *markdownWriter) text(s string) {
	if t := strings.Join(strings.Fields(s), " "); t != "" {
		if first := s[0]; first == ' ' || first == '\n' || first == '\t' {
			w.space()
		}
		w.out.WriteString(t)
		if last := s[len(s)-1]; last == ' ' || last == '\n' || last == '\t' {
			w.out.WriteByte(' ')
		}
	} else if s != "" {
		w.space()
	}
}

func (w *markdownWriter) space() {
	if s := w.out.String(); s != "" && !strings.HasSuffix(s, " ") && !strings.HasSuffix(s, "\n") {
		w.out.WriteByte(' ')
	}
}

func (w *markdownWriter) gap() {
	if s := w.out.String(); s != "" && !strings.HasSuffix(s, "\n\n") {
		w.out.WriteString("\n\n")
	}
}

func (w *markdownWriter) block(s string) { w.gap(); w.out.WriteString(s); w.gap() }

func (w *markdownWriter) line(s string) {
	if o := w.out.String(); o != "" && !strings.HasSuffix(o, "\n") {
		w.out.WriteString("\n")
	}
	w.out.WriteString(s + "\n")
}

func find(n *html.Node, a atom.Atom) *html.Node {
	if n.Type == html.ElementNode && n.DataAtom == a {
		return n
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if f := find(c, a); f != nil {
			return f
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hidden(n *html.Node) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool {
		return a.Key == "hidden" || a.Key == "aria-hidden" && a.Val == "true"
	})
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Type == html.ElementNode && skipped[n.DataAtom] {
		return ""
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
