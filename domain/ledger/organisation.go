package ledger

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// HasOwner reports whether anybody owns anything here yet.
func (l *Ledger) HasOwner(ctx context.Context) (bool, error) {
	has, err := l.NewSelect().Model((*domain.User)(nil)).Where("role = ?", domain.RoleOwner).Exists(ctx)
	return has, classify(err)
}

// LockUsers keeps everybody else from making users until the transaction ends. Readers go on.
func (l *Ledger) LockUsers(ctx context.Context) error {
	_, err := l.NewRaw(`LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE`).Exec(ctx)
	return classify(err)
}

// EnsureOrganisation stores o unless its slug is taken and returns the one that has the slug. Of several at once one makes it.
func (l *Ledger) EnsureOrganisation(ctx context.Context, o domain.Organisation) (_ domain.Organisation, made bool, err error) {
	res, err := l.NewInsert().Model(&o).On("CONFLICT (slug) DO NOTHING").Exec(ctx)
	if err != nil {
		return o, false, classify(err)
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return o, true, classify(err)
	}
	o, err = l.OrganisationBySlug(ctx, o.Slug)
	return o, false, err
}

// OrganisationBySlug reads an organisation by the name it has on the command line.
func (l *Ledger) OrganisationBySlug(ctx context.Context, slug string) (domain.Organisation, error) {
	var o domain.Organisation
	err := l.NewSelect().Model(&o).Where("slug = ?", clean(slug)).Scan(ctx)
	return o, classify(err)
}

// CreateUser stores a user and the hash of their password. A taken e-mail address is a Conflict, and ends the transaction.
func (l *Ledger) CreateUser(ctx context.Context, u domain.User, passwordHash string) error {
	_, err := l.NewInsert().Model(&u).Value("password_hash", "?", passwordHash).Exec(ctx)
	if isUnique(err) {
		return &domain.Error{Kind: domain.Conflict, Msg: "somebody has this e-mail address already",
			Fields: map[string]string{"email": "is taken"}, Err: err}
	}
	return classify(err)
}

// UserByEmail reads a user and the hash of their password. The address must be in lower case.
func (l *Ledger) UserByEmail(ctx context.Context, email string) (u domain.User, passwordHash string, err error) {
	var row struct {
		domain.User  `bun:",extend"`
		PasswordHash string
	}
	err = l.NewSelect().Model(&row).Where("email = ?", clean(email)).Scan(ctx)
	return row.User, row.PasswordHash, classify(err)
}

// Users lists an organisation's users by name.
func (l *Ledger) Users(ctx context.Context, org domain.OrgID) ([]domain.User, error) {
	us := []domain.User{}
	err := l.NewSelect().Model(&us).Where("org_id = ?", org).OrderExpr("lower(name), id").Scan(ctx)
	return us, classify(err)
}

// CreatePortalSession signs a user in until the session has not been used for lifetime. It forgets those of the user that ended.
func (l *Ledger) CreatePortalSession(ctx context.Context, tokenHash []byte, u domain.User, lifetime time.Duration) error {
	_, err := l.NewRaw(`WITH ended AS (
    DELETE FROM portal_sessions WHERE user_id = ?1 AND (expires_at <= now() OR revoked_at IS NOT NULL)
)
INSERT INTO portal_sessions (token_hash, org_id, user_id, expires_at) VALUES (?2, ?0, ?1, now() + ?3 * interval '1 second')`,
		u.OrgID, u.ID, tokenHash, lifetime.Seconds()).Exec(ctx)
	return classify(err)
}

// PortalSession finds who is signed in with a token and notes, at most once a minute, that the session is in use, which gives
// it another lifetime; a lifetime of zero only looks. It fails with NotFound for a session that is unknown, expired or revoked.
func (l *Ledger) PortalSession(ctx context.Context, tokenHash []byte, lifetime time.Duration) (u domain.User, o domain.Organisation, err error) {
	var row struct {
		domain.User
		OrgName      string
		OrgSlug      string
		OrgCreatedAt time.Time
		Stale        bool
	}
	err = l.NewRaw(`SELECT u.*, o.name AS org_name, o.slug AS org_slug, o.created_at AS org_created_at,
       s.last_seen_at < now() - interval '1 minute' AS stale
FROM portal_sessions s JOIN users u ON u.id = s.user_id JOIN organisations o ON o.id = u.org_id
WHERE s.token_hash = ? AND s.expires_at > now() AND s.revoked_at IS NULL`, tokenHash).Scan(ctx, &row)
	if err == nil && row.Stale && lifetime > 0 {
		_, err = l.NewRaw(`UPDATE portal_sessions SET last_seen_at = now(), expires_at = now() + ?1 * interval '1 second'
WHERE token_hash = ?0 AND last_seen_at < now() - interval '1 minute'`, tokenHash, lifetime.Seconds()).Exec(ctx)
	}
	o = domain.Organisation{ID: row.OrgID, Name: row.OrgName, Slug: row.OrgSlug, CreatedAt: row.OrgCreatedAt}
	return row.User, o, classify(err)
}

// PortalUsers finds who is signed in with each of these tokens, as they are now, and notes no use. Sessions that are unknown, expired or
// revoked are left out. It is asked about everybody who has a page open, of all organisations together.
func (l *Ledger) PortalUsers(ctx context.Context, tokenHashes [][]byte) (map[string]domain.User, error) {
	var rows []struct {
		domain.User
		TokenHash []byte
	}
	err := l.NewRaw(`SELECT u.*, s.token_hash FROM portal_sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash IN (?) AND s.expires_at > now() AND s.revoked_at IS NULL`, bun.List(tokenHashes)).Scan(ctx, &rows)
	users := make(map[string]domain.User, len(rows))
	for _, r := range rows {
		users[string(r.TokenHash)] = r.User
	}
	return users, classify(err)
}

// RevokePortalSession ends a session. An unknown one is no failure.
func (l *Ledger) RevokePortalSession(ctx context.Context, tokenHash []byte) error {
	_, err := l.NewRaw(`UPDATE portal_sessions SET revoked_at = now() WHERE token_hash = ? AND revoked_at IS NULL`, tokenHash).Exec(ctx)
	return classify(err)
}
