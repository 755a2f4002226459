package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

const siteImportColumns = `org_id, sitemap, language, classification, status, token, pages, read, added, updated, unchanged, failed, error,
started_at, coalesce(finished_at, '0001-01-01Z'::timestamptz) AS finished_at`

type siteImportRow struct {
	domain.SiteImport
	Failed json.RawMessage
}

func (l *Ledger) siteImport(ctx context.Context, sql string, args ...any) (domain.SiteImport, error) {
	var row siteImportRow
	if err := l.NewRaw(sql, args...).Scan(ctx, &row); err != nil {
		return domain.SiteImport{}, classify(err)
	}
	i := row.SiteImport
	return i, classify(json.Unmarshal(row.Failed, &i.Failed))
}

// StartSiteImport has a site read. It fails with Conflict while another one of the organisation's is being read.
func (l *Ledger) StartSiteImport(ctx context.Context, i domain.SiteImport) error {
	res, err := l.NewRaw(`INSERT INTO site_imports AS s (org_id, sitemap, language, classification, status, lease_until, started_at)
VALUES (?, ?, ?, ?, 'waiting', statement_timestamp(), statement_timestamp())
ON CONFLICT (org_id) DO UPDATE
SET sitemap = excluded.sitemap, language = excluded.language, classification = excluded.classification, status = 'waiting', token = s.token + 1,
    lease_until = excluded.lease_until, pages = 0, read = 0, added = 0, updated = 0, unchanged = 0, failed = '{}', error = '',
    started_at = excluded.started_at, finished_at = NULL
WHERE s.status IN ('done', 'failed')`, i.OrgID, clean(i.Sitemap), i.Language, i.Classification).Exec(ctx)
	if err = one(res, err); domain.KindOf(err) == domain.NotFound && err != nil {
		return domain.Conflictf("a site is being read already")
	}
	return err
}

// SiteImport reads the organisation's last one. It fails with NotFound if there never was one.
func (l *Ledger) SiteImport(ctx context.Context, org domain.OrgID) (domain.SiteImport, error) {
	return l.siteImport(ctx, `SELECT `+siteImportColumns+` FROM site_imports WHERE org_id = ?`, org)
}

// ClaimSiteImport takes one that nobody reads, for as long as lease, or as KeepSiteImport is called. It fails with NotFound if there is none.
func (l *Ledger) ClaimSiteImport(ctx context.Context, lease time.Duration) (domain.SiteImport, error) {
	return l.siteImport(ctx, `UPDATE site_imports SET status = 'running', token = token + 1, read = 0,
    lease_until = statement_timestamp() + ? * interval '1 millisecond'
WHERE org_id = (SELECT org_id FROM site_imports WHERE status IN ('waiting', 'running') AND lease_until <= statement_timestamp()
    ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING `+siteImportColumns, lease.Milliseconds())
}

// KeepSiteImport stores how far it has come and holds it for another lease; one that is done or failed is let go. It fails with Conflict if
// somebody else has it.
func (l *Ledger) KeepSiteImport(ctx context.Context, i domain.SiteImport, lease time.Duration) error {
	res, err := l.NewRaw(`UPDATE site_imports SET status = ?0, pages = ?1, read = ?2, added = ?3, updated = ?4, unchanged = ?5, failed = ?6::jsonb,
    error = ?7, lease_until = statement_timestamp() + ?8 * interval '1 millisecond',
    finished_at = CASE WHEN ?0 IN ('done', 'failed') THEN statement_timestamp() END
WHERE org_id = ?9 AND token = ?10 AND status = 'running'`, i.Status, i.Pages, i.Read, i.Added, i.Updated, i.Unchanged, failedOf(i), clean(i.Error),
		lease.Milliseconds(), i.OrgID, i.Token).Exec(ctx)
	if err = one(res, err); domain.KindOf(err) == domain.NotFound && err != nil {
		return domain.Conflictf("somebody else reads the site")
	}
	return err
}

func failedOf(i domain.SiteImport) string {
	if i.Failed == nil {
		return "{}"
	}
	return clean(jsonOf(i.Failed))
}
