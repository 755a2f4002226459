package account

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Import is an article that somebody else keeps: a file or a page. Importing the same Source again updates the article.
type Import struct {
	Source string // a file's path within its folder after FileSource, or a page's address
	ArticleInput
}

// FileSource prefixes the sources of articles that came from files.
const FileSource = "file:"

// Imported is what became of an import.
type Imported struct {
	Added     int               `json:"added"`
	Updated   int               `json:"updated"`
	Unchanged int               `json:"unchanged"`
	Removed   []string          `json:"removed"` // sources
	Failed    map[string]string `json:"failed"`  // source → what is wrong with it
}

// ImportArticles stores articles under their sources. One that is not acceptable fails alone, and stays as it was before.
func (s *Service) ImportArticles(ctx context.Context, org domain.OrgID, all []Import) (Imported, error) {
	out := Imported{Removed: []string{}, Failed: map[string]string{}}
	for _, in := range all {
		a, err := newArticle(org, in.ArticleInput)
		if err != nil {
			out.Failed[in.Source] = err.Error()
			continue
		}
		a.Source = in.Source
		done, err := s.ledger.PutArticle(ctx, a)
		switch {
		case err != nil:
			return out, err
		case done == ledger.ImportAdded:
			out.Added++
		case done == ledger.ImportUpdated:
			out.Updated++
		default:
			out.Unchanged++
		}
	}
	return out, nil
}

// PruneArticles removes what an import with sources that begin with prefix no longer has, and returns the sources that went.
func (s *Service) PruneArticles(ctx context.Context, org domain.OrgID, prefix string, kept []Import) ([]string, error) {
	sources := make([]string, len(kept))
	for i, in := range kept {
		sources[i] = in.Source
	}
	return s.ledger.PruneArticles(ctx, org, prefix, sources)
}

var (
	frontMatter = regexp.MustCompile(`(?s)\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\z)`)
	firstTitle  = regexp.MustCompile(`\A\s*#[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|\z)`)
)

// ParseMarkdown reads a Markdown file: its front matter may name title, url, language and classification; without a title the first
// heading is it, or else name.
func ParseMarkdown(name, text string) ArticleInput {
	text = strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
	in := ArticleInput{}
	if m := frontMatter.FindStringSubmatch(text); m != nil {
		text = text[len(m[0]):]
		for line := range strings.Lines(m[1]) {
			key, value, _ := strings.Cut(line, ":")
			value = strings.Trim(strings.TrimSpace(value), `"'`)
			switch strings.ToLower(strings.TrimSpace(key)) {
			case "title":
				in.Title = value
			case "url":
				in.URL = value
			case "language", "lang":
				in.Language = languageOf(value)
			case "classification":
				in.Classification = domain.Classification(value)
			}
		}
	}
	if in.Title == "" {
		in.Title = name
		if m := firstTitle.FindStringSubmatch(text); m != nil {
			in.Title, text = m[1], text[len(m[0]):]
		}
	}
	in.Content = strings.TrimSpace(text)
	return in
}

// languageOf is the search's name of a language, which may be given as a web page names it (de, pt-BR); others come back as they are.
func languageOf(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	code, _, _ := strings.Cut(s, "-")
	if name, ok := languageCodes[code]; ok && len(code) == 2 {
		return name
	}
	return s
}

// PreferredLanguage is the first language of an Accept-Language header that an article can be in; english, if there is none.
func PreferredLanguage(header string) string {
	for tag := range strings.SplitSeq(header, ",") {
		tag, _, _ = strings.Cut(tag, ";")
		if l := languageOf(tag); slices.Contains(languages, l) && l != "simple" {
			return l
		}
	}
	return "english"
}

var languageCodes = map[string]string{
	"ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "da": "danish", "nl": "dutch", "en": "english", "fi": "finnish", "fr": "french",
	"de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian",
	"ne": "nepali", "no": "norwegian", "nb": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish",
	"sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}

var anyHeading = regexp.MustCompile(`(?m)^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$`)

// SplitMarkdown parts one text into articles at its headings: those of the highest level that it has more than once, else of its first.
// What stands before the first of them belongs to it. Without a heading it is one article called title.
func SplitMarkdown(title, text string) []ArticleInput {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	heads := anyHeading.FindAllStringSubmatchIndex(withoutCode(text), -1)
	count := [7]int{}
	for _, h := range heads {
		count[h[3]-h[2]]++
	}
	level := 0
	for _, most := range []int{2, 1} {
		for l := 1; l <= 6 && level == 0; l++ {
			if count[l] >= most {
				level = l
			}
		}
	}
	var out []ArticleInput
	from, name := 0, title
	add := func(to int) {
		if content := strings.TrimSpace(text[from:to]); content != "" {
			out = append(out, ArticleInput{Title: name, Content: content})
		}
	}
	for _, h := range heads {
		if h[3]-h[2] == level {
			add(h[0])
			from, name = h[1], text[h[4]:h[5]]
		}
	}
	add(len(text))
	for i := range out {
		if out[i].Title == "" {
			out[i].Title = fmt.Sprintf("Article %d", i+1)
		}
	}
	return out
}

var fenced = regexp.MustCompile("(?ms)^(```|~~~).*?^(```|~~~)[ \\t]*$")

// withoutCode blanks out code, in which a # is no heading, and keeps every other byte where it was.
func withoutCode(text string) string {
	return fenced.ReplaceAllStringFunc(text, func(code string) string { return strings.Repeat(" ", len(code)) })
}
