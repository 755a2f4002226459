package ledger

import (
	"context"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// KeepTexts keeps the texts of passages that were found, by their digest, so that they can be found again when their articles have changed.
func (l *Ledger) KeepTexts(ctx context.Context, org domain.OrgID, texts map[string]string) error {
	digests := slices.Sorted(maps.Keys(texts)) // in one order, so that nobody waits for each other
	bodies := make([]string, len(digests))
	for i, d := range digests {
		bodies[i] = clean(texts[d])
	}
	_, err := l.NewRaw(`INSERT INTO passage_texts AS p (org_id, digest, body) SELECT ?, * FROM unnest(?::text[], ?::text[])
ON CONFLICT (org_id, digest) DO UPDATE SET seen_on = EXCLUDED.seen_on WHERE p.seen_on < EXCLUDED.seen_on`,
		org, bunArray(digests), bunArray(bodies)).Exec(ctx)
	return classify(err)
}

// SweepTexts forgets texts that no record refers to any more: their organisation keeps details for a shorter time.
func (l *Ledger) SweepTexts(ctx context.Context) error {
	return l.forget(ctx, "passage_texts", `EXISTS (SELECT FROM organisations o
    WHERE o.id = x.org_id AND o.record_days > 0 AND x.seen_on < (now() AT TIME ZONE 'UTC')::date - o.record_days - 1)`)
}

// fillPassages puts the texts where the record has only digests. Of what was recorded without one, the article as it is now has to
// do, or the snippet if there is none any more.
func (l *Ledger) fillPassages(ctx context.Context, org domain.OrgID, xs []domain.Exchange) error {
	var ps []*domain.Passage
	for i := range xs {
		for j := range xs[i].Lookups {
			for k := range xs[i].Lookups[j].Passages {
				ps = append(ps, &xs[i].Lookups[j].Passages[k])
			}
		}
	}
	if len(ps) == 0 {
		return nil
	}
	var digests []string
	var articles []domain.ArticleID
	for _, p := range ps {
		digests, articles = append(digests, p.Body), append(articles, p.Article)
	}
	texts, err := l.pairs(ctx, `SELECT digest AS key, body AS text FROM passage_texts WHERE org_id = ? AND digest IN (?)`, org, bun.List(digests))
	if err != nil {
		return err
	}
	now, err := l.pairs(ctx, `SELECT id::text AS key, content AS text FROM articles WHERE org_id = ? AND id IN (?)`, org, bun.List(articles))
	if err != nil {
		return err
	}
	for _, p := range ps {
		body, kept := texts[p.Body]
		if !kept {
			if body, kept = now[string(p.Article)]; !kept {
				body = p.Snippet
			}
		}
		p.Body = body
	}
	return nil
}

func (l *Ledger) pairs(ctx context.Context, sql string, args ...any) (map[string]string, error) {
	var rows []struct{ Key, Text string }
	if err := l.NewRaw(sql, args...).Scan(ctx, &rows); err != nil {
		return nil, classify(err)
	}
	m := make(map[string]string, len(rows))
	for _, r := range rows {
		m[r.Key] = r.Text
	}
	return m, nil
}
