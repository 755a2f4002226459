package ledger

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
)

// CreateAPIKey stores a key by its hash.
func (l *Ledger) CreateAPIKey(ctx context.Context, k domain.APIKey, keyHash []byte) error {
	_, err := l.NewInsert().Model(&k).Value("key_hash", "?", keyHash).Exec(ctx)
	if isUnique(err) {
		return &domain.Error{Kind: domain.Conflict, Msg: "this API key is made already", Err: err}
	}
	return classify(err)
}

// APIKeys lists an organisation's keys, the newest first.
func (l *Ledger) APIKeys(ctx context.Context, org domain.OrgID) ([]domain.APIKey, error) {
	ks := []domain.APIKey{}
	err := l.NewSelect().Model(&ks).Where("org_id = ?", org).OrderExpr("id DESC").Scan(ctx)
	return ks, classify(err)
}

// APIKey reads a key, without what opens anything. Another organisation's is NotFound.
func (l *Ledger) APIKey(ctx context.Context, org domain.OrgID, id domain.APIKeyID) (domain.APIKey, error) {
	var k domain.APIKey
	err := l.NewSelect().Model(&k).Where("org_id = ? AND id = ?", org, id).Scan(ctx)
	return k, classify(err)
}

// DeleteAPIKey makes a key worthless at once. Another organisation's is NotFound.
func (l *Ledger) DeleteAPIKey(ctx context.Context, org domain.OrgID, id domain.APIKeyID) error {
	res, err := l.NewDelete().Model((*domain.APIKey)(nil)).Where("org_id = ? AND id = ?", org, id).Exec(ctx)
	return one(res, err)
}

// OrganisationByAPIKey finds whom a key acts for and, where it was used, notes so at most once a minute. expired tells of a key whose
// time is over by the clock of the database, which all nodes share.
func (l *Ledger) OrganisationByAPIKey(ctx context.Context, keyHash []byte, used bool) (o domain.Organisation, k domain.APIKey, expired bool, err error) {
	var row struct {
		domain.APIKey
		OrgName      string
		OrgSlug      string
		OrgCreatedAt time.Time
		Stale        bool
		Expired      bool
	}
	err = l.NewRaw(`SELECT k.*, o.name AS org_name, o.slug AS org_slug, o.created_at AS org_created_at,
       coalesce(k.last_used_at < now() - interval '1 minute', true) AS stale, coalesce(k.expires_at <= now(), false) AS expired
FROM api_keys k JOIN organisations o ON o.id = k.org_id WHERE k.key_hash = ?`, keyHash).Scan(ctx, &row)
	if err == nil && used && row.Stale && !row.Expired {
		_, err = l.NewRaw(`UPDATE api_keys SET last_used_at = now()
WHERE id = ? AND coalesce(last_used_at < now() - interval '1 minute', true)`, row.ID).Exec(ctx)
	}
	o = domain.Organisation{ID: row.OrgID, Name: row.OrgName, Slug: row.OrgSlug, CreatedAt: row.OrgCreatedAt}
	return o, row.APIKey, row.Expired, classify(err)
}
