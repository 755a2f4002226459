package ledger

import (
	"context"

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
