package views

import (
	"bytes"
	"cmp"
	"html"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Knowledge is the page with all articles, and with what the search finds for a question if one was asked.
type Knowledge struct {
	Frame    Frame
	Articles []domain.Article
	Question string           // empty = none was asked
	Found    []domain.Passage // for the question, the best first
}

// ArticleForm is the page to write or change an article. Article.ID is empty for a new one. Its fields have the names the API
// gives them.
type ArticleForm struct {
	Frame     Frame
	Article   domain.Article
	Form      ui.Form
	Languages []string // to choose from
}

func (f ArticleForm) fresh() bool { return f.Article.ID == "" }

func (f ArticleForm) url(tail string) string { return articleURL(f.Article.ID) + tail }

func (f ArticleForm) heading() string {
	if f.fresh() {
		return "New article"
	}
	return f.Article.Title
}

func (f ArticleForm) saveURL() string {
	if f.fresh() {
		return "/knowledge"
	}
	return f.url("")
}

func articleURL(id domain.ArticleID) string { return "/knowledge/" + string(id) }

// languageOptions are the languages by name; the one for every other comes last.
func (f ArticleForm) languageOptions() []ui.Option {
	var out, other []ui.Option
	for _, l := range f.Languages {
		if l == anyLanguage {
			other = append(other, ui.Option{Value: l, Label: languageName(l)})
			continue
		}
		out = append(out, ui.Option{Value: l, Label: languageName(l)})
	}
	return append(out, other...)
}

// anyLanguage takes words as they are, without knowing their forms.
const anyLanguage = "simple"

// languageName is how a person calls a language.
func languageName(l string) string {
	switch l {
	case "":
		return ""
	case anyLanguage:
		return "Another language"
	}
	return strings.ToUpper(l[:1]) + l[1:]
}

// articleCount says a number of articles in words.
func articleCount(n int) string {
	if n == 1 {
		return "one article"
	}
	return number(n) + " articles"
}

const (
	openingSource = 2000 // bytes of Markdown that are read for an opening
	openingChars  = 180  // of an opening
)

var (
	bare = bluemonday.StrictPolicy()
	// ends sets a dot where only the layout parts what is written.
	ends = strings.NewReplacer("</h1>", " ·", "</h2>", " ·", "</h3>", " ·", "</h4>", " ·", "</li>", " ·", "</td>", " ·", "</th>", " ·")
)

// opening is the first words of a Markdown text, on one line and without its marks.
func opening(markdownText string) string {
	cut := len(markdownText) > openingSource
	if cut {
		markdownText = strings.ToValidUTF8(markdownText[:openingSource], "")
	}
	text := markdownText
	var raw bytes.Buffer
	if markdown.Convert([]byte(markdownText), &raw) == nil {
		text = html.UnescapeString(bare.Sanitize(ends.Replace(raw.String())))
	}
	text = strings.TrimSuffix(strings.Join(strings.Fields(text), " "), " ·")
	if utf8.RuneCountInString(text) > openingChars {
		text, cut = string([]rune(text)[:openingChars]), true
		if space := strings.LastIndexByte(text, ' '); space > 0 {
			text = text[:space]
		}
	}
	if cut {
		text = strings.TrimRight(text, " .,;:·") + "…"
	}
	return text
}

// ArticleValues are the fields of the form for an article as it is.
func ArticleValues(a domain.Article) map[string]string {
	return map[string]string{"title": a.Title, "url": a.URL, "content": a.Content, "language": a.Language, "classification": string(cmp.Or(a.Classification, domain.ClassPublic))}
}

// classificationName is how a person calls who may learn of an article.
func classificationName(c domain.Classification) string {
	switch c {
	case domain.ClassInternal:
		return "Internal"
	case domain.ClassConfidential:
		return "Confidential"
	}
	return "Public"
}

func classificationOptions() []ui.Option {
	return []ui.Option{
		{Value: string(domain.ClassPublic), Label: "Everybody", Hint: "Agents answer visitors from it."},
		{Value: string(domain.ClassInternal), Label: "The team", Hint: "Internal: no agent that talks with visitors finds it."},
		{Value: string(domain.ClassConfidential), Label: "Some of the team", Hint: "Confidential: likewise."},
	}
}
