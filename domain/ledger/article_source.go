package ledger

import (
	"context"

	"github.com/parley-chat/parley/domain"
)

// Imported says what storing an imported article has come to.
type Imported string

const (
	ImportAdded     Imported = "added"
	ImportUpdated   Imported = "updated"
	ImportUnchanged Imported = "unchanged"
)

// PutArticle stores an article under its Source: a new one, or over the one that the same source gave before, which keeps its id.
// One that says the same is left alone, its time of change included.
func (l *Ledger) PutArticle(ctx context.Context, a domain.Article) (Imported, error) {
	var done struct{ Fresh bool }
	err := l.NewRaw(`INSERT INTO articles AS a (id, org_id, title, url, content, language, classification, source, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (org_id, source) WHERE source <> '' DO UPDATE
SET title = excluded.title, url = excluded.url, content = excluded.content, language = excluded.language,
    classification = excluded.classification, updated_at = excluded.updated_at
WHERE (a.title, a.url, a.content, a.language, a.classification)
   IS DISTINCT FROM (excluded.title, excluded.url, excluded.content, excluded.language, excluded.classification)
RETURNING xmax = 0 AS fresh`, a.ID, a.OrgID, clean(a.Title), clean(a.URL), clean(a.Content), a.Language, a.Classification, clean(a.Source),
		a.CreatedAt, a.UpdatedAt).Scan(ctx, &done)
	switch {
	case err != nil && domain.KindOf(classify(err)) == domain.NotFound: // no row: nothing was to be changed
		return ImportUnchanged, nil
	case err != nil:
		return "", classify(err)
	case done.Fresh:
		return ImportAdded, nil
	}
	return ImportUpdated, nil
}

// PruneArticles removes the articles whose source begins with prefix and is not among those to keep, and returns the sources of
// those that went.
func (l *Ledger) PruneArticles(ctx context.Context, org domain.OrgID, prefix string, keep []string) ([]string, error) {
	gone := []string{}
	err := l.NewRaw(`DELETE FROM articles WHERE org_id = ? AND source <> '' AND starts_with(source, ?) AND source <> ALL (?) RETURNING source`,
		org, clean(prefix), bunArray(append([]string{}, keep...))).Scan(ctx, &gone)
	return gone, classify(err)
}
