package views

import (
	"fmt"
	"maps"
	"slices"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Site is the page that has a site read into the knowledge.
type Site struct {
	Frame     Frame
	Form      ui.Form
	Languages []string
	Last      domain.SiteImport // without an OrgID there never was one
}

func (p Site) languageOptions() []ui.Option {
	return ArticleForm{Languages: p.Languages}.languageOptions()
}

// siteWords says what became of a site.
func siteWords(i domain.SiteImport) string {
	switch {
	case i.Status == domain.ImportFailed:
		return "It could not be read: " + i.Error + "."
	case i.Status.Open() && i.Pages == 0:
		return "The sitemap is being read."
	case i.Status.Open():
		return fmt.Sprintf("%d of %s read so far.", i.Read, plural(i.Pages, "page", "pages"))
	}
	return fmt.Sprintf("%s read: %d added, %d updated, %d unchanged.", plural(i.Pages, "page", "pages"), i.Added, i.Updated, i.Unchanged)
}

func siteTone(i domain.SiteImport) ui.Tone {
	switch {
	case i.Status == domain.ImportFailed:
		return ui.Red
	case i.Status == domain.ImportDone && len(i.Failed) > 0:
		return ui.Amber
	case i.Status == domain.ImportDone:
		return ui.Green
	}
	return ui.Neutral
}

// unread are the addresses that could not be read, in order.
func unread(i domain.SiteImport) []string { return slices.Sorted(maps.Keys(i.Failed)) }
