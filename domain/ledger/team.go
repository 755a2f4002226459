package ledger

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// User reads one of an organisation's people. Another organisation's is NotFound.
func (l *Ledger) User(ctx context.Context, org domain.OrgID, id domain.UserID) (domain.User, error) {
	var u domain.User
	err := l.NewSelect().Model(&u).Where("org_id = ? AND id = ?", org, id).Scan(ctx)
	return u, classify(err)
}

// PasswordHash is what somebody's password is compared with.
func (l *Ledger) PasswordHash(ctx context.Context, org domain.OrgID, id domain.UserID) (hash string, err error) {
	err = l.NewSelect().Model((*domain.User)(nil)).Column("password_hash").Where("org_id = ? AND id = ?", org, id).Scan(ctx, &hash)
	return hash, classify(err)
}

// SetPassword gives somebody another password. They are signed out wherever they were signed in, but for the session with the hash of its
// token in keep.
func (l *Ledger) SetPassword(ctx context.Context, org domain.OrgID, id domain.UserID, passwordHash string, keep []byte) error {
	return l.InTx(ctx, func(tx *Ledger) error {
		if err := one(tx.NewRaw(`UPDATE users SET password_hash = ? WHERE org_id = ? AND id = ?`, passwordHash, org, id).Exec(ctx)); err != nil {
			return err
		}
		_, err := tx.NewRaw(`UPDATE portal_sessions SET revoked_at = now()
WHERE org_id = ? AND user_id = ? AND revoked_at IS NULL AND token_hash <> ?`, org, id, append([]byte{}, keep...)).Exec(ctx)
		return err
	})
}

// RenameUser gives somebody another name. What they have said keeps the one it was said under.
func (l *Ledger) RenameUser(ctx context.Context, org domain.OrgID, id domain.UserID, name string) error {
	return one(l.NewRaw(`UPDATE users SET name = ? WHERE org_id = ? AND id = ?`, name, org, id).Exec(ctx))
}

// UpdateUser changes what somebody is called and may do.
func (l *Ledger) UpdateUser(ctx context.Context, u domain.User) error {
	return one(l.NewRaw(`UPDATE users SET name = ?, role = ? WHERE org_id = ? AND id = ?`, u.Name, u.Role, u.OrgID, u.ID).Exec(ctx))
}

// DeleteUser takes somebody out of their organisation, with their sign-ins and the invitations they made. What they did stays on the record.
func (l *Ledger) DeleteUser(ctx context.Context, org domain.OrgID, id domain.UserID) error {
	return one(l.NewRaw(`DELETE FROM users WHERE org_id = ? AND id = ?`, org, id).Exec(ctx))
}

// Owners counts an organisation's owners. Under LockUsers the number stays until the transaction ends.
func (l *Ledger) Owners(ctx context.Context, org domain.OrgID) (n int, err error) {
	err = l.NewRaw(`SELECT count(*) FROM users WHERE org_id = ? AND role = ?`, org, domain.RoleOwner).Scan(ctx, &n)
	return n, classify(err)
}

// AssignedThreads are those that somebody has.
func (l *Ledger) AssignedThreads(ctx context.Context, u domain.User) (ids []domain.ThreadID, err error) {
	err = l.NewRaw(`SELECT id FROM threads WHERE org_id = ? AND assignee_id = ? AND handling = ?`, u.OrgID, u.ID, domain.HandlingHuman).Scan(ctx, &ids)
	return ids, classify(err)
}

// PutInvitation stores an invitation under the hash of its token, in the place of one for the same address.
func (l *Ledger) PutInvitation(ctx context.Context, i domain.Invitation, tokenHash []byte) error {
	_, err := l.NewInsert().Model(&i).Value("token_hash", "?", tokenHash).
		On("CONFLICT (org_id, email) DO UPDATE").
		Set("id = EXCLUDED.id, user_id = EXCLUDED.user_id, role = EXCLUDED.role, token_hash = EXCLUDED.token_hash").
		Set("invited_by = EXCLUDED.invited_by, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at").Exec(ctx)
	return classify(err)
}

// Invitations lists an organisation's, the newest first, also those that are over.
func (l *Ledger) Invitations(ctx context.Context, org domain.OrgID) ([]domain.Invitation, error) {
	is := []domain.Invitation{}
	err := l.NewSelect().Model(&is).Where("org_id = ?", org).OrderExpr("id DESC").Scan(ctx)
	return is, classify(err)
}

// Invitation reads one of an organisation's. Another organisation's is NotFound.
func (l *Ledger) Invitation(ctx context.Context, org domain.OrgID, id domain.InvitationID) (domain.Invitation, error) {
	var i domain.Invitation
	err := l.NewSelect().Model(&i).Where("org_id = ? AND id = ?", org, id).Scan(ctx)
	return i, classify(err)
}

// DeleteInvitation makes a link worthless.
func (l *Ledger) DeleteInvitation(ctx context.Context, org domain.OrgID, id domain.InvitationID) error {
	return one(l.NewRaw(`DELETE FROM invitations WHERE org_id = ? AND id = ?`, org, id).Exec(ctx))
}

// Invited reads the invitation a token is for, with its organisation and, if it is for one of the team, their name. One that is unknown, used
// or over is NotFound.
func (l *Ledger) Invited(ctx context.Context, tokenHash []byte) (i domain.Invitation, org, name string, err error) {
	var row struct {
		domain.Invitation `bun:",extend"`
		OrgName           string
		UserName          string
	}
	err = l.NewRaw(`SELECT i.*, o.name AS org_name, coalesce(u.name, '') AS user_name
FROM invitations i JOIN organisations o ON o.id = i.org_id LEFT JOIN users u ON u.id = i.user_id
WHERE i.token_hash = ? AND i.expires_at > now()`, tokenHash).Scan(ctx, &row)
	return row.Invitation, row.OrgName, row.UserName, classify(err)
}

// TakeInvitation uses an invitation up: of several at once one gets it, and the others NotFound.
func (l *Ledger) TakeInvitation(ctx context.Context, tokenHash []byte) (i domain.Invitation, err error) {
	err = l.NewRaw(`DELETE FROM invitations WHERE token_hash = ? AND expires_at > now() RETURNING ?`, tokenHash,
		bun.Safe("id, org_id, user_id, email, role, invited_by, created_at, expires_at")).Scan(ctx, &i)
	return i, classify(err)
}
