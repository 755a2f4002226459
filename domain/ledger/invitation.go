package ledger

import (
	"context"
	"crypto/sha256"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// An invitation's token follows from its id, with PARLEY_SECRET: whoever has the database alone has no link, and every mail of one
// invitation, however often it is sent, has the same.

// invitationToken is the token of an invitation, and the hash under which it is found.
func (l *Ledger) invitationToken(id domain.InvitationID) (token string, hash []byte, err error) {
	if token, err = l.seal.Token("invitation:" + string(id)); err != nil {
		return "", nil, classify(err)
	}
	sum := sha256.Sum256([]byte(token))
	return token, sum[:], nil
}

// InvitationsAtOnce is how many of an organisation's may be open, those that are over included.
const InvitationsAtOnce = 200

// PutInvitation stores an invitation, in the place of one for the same address, and has it mailed if that is wanted. It fails with Conflict
// where too many are open, and with Throttled as mailInvitation does.
func (l *Ledger) PutInvitation(ctx context.Context, i domain.Invitation, mail bool) (token string, err error) {
	return l.invite(ctx, i, mail, func(tx *Ledger, hash []byte) error {
		var open int
		if err := tx.NewRaw(`SELECT count(*) FROM invitations WHERE org_id = ? AND email <> ?`, i.OrgID, i.Email).Scan(ctx, &open); err != nil {
			return err
		}
		if open >= InvitationsAtOnce {
			return domain.Conflictf("there are %d invitations that nobody has used: withdraw some of them first", open)
		}
		_, err := tx.NewInsert().Model(&i).Value("token_hash", "?", hash).
			On("CONFLICT (org_id, email) DO UPDATE").
			Set("id = EXCLUDED.id, user_id = EXCLUDED.user_id, role = EXCLUDED.role, token_hash = EXCLUDED.token_hash").
			Set("invited_by = EXCLUDED.invited_by, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at").Exec(ctx)
		return err
	})
}

// RenewInvitation gives an invitation more time, under the same link, as somebody's, and has it mailed if that is wanted. It fails with
// NotFound, also when it was used a moment ago, and with Throttled as mailInvitation does.
func (l *Ledger) RenewInvitation(ctx context.Context, i domain.Invitation, mail bool) (token string, err error) {
	return l.invite(ctx, i, mail, func(tx *Ledger, hash []byte) error {
		return one(tx.NewRaw(`UPDATE invitations SET token_hash = ?, invited_by = ?, expires_at = ? WHERE org_id = ? AND id = ?`,
			hash, bun.NullZero(i.InvitedBy), i.ExpiresAt, i.OrgID, i.ID).Exec(ctx))
	})
}

// invite stores an invitation together with its mail. Of one organisation it is done by one at a time, so that none goes over a limit.
func (l *Ledger) invite(ctx context.Context, i domain.Invitation, mail bool, store func(tx *Ledger, hash []byte) error) (string, error) {
	token, hash, err := l.invitationToken(i.ID)
	if err != nil {
		return "", err
	}
	err = l.InTx(ctx, func(tx *Ledger) error {
		if err := tx.LockOrganisation(ctx, i.OrgID); err != nil {
			return err
		}
		if err := store(tx, hash); err != nil || !mail {
			return err
		}
		return tx.mailInvitation(ctx, i)
	})
	if err != nil {
		return "", classify(err)
	}
	if mail {
		_ = l.again(nil)
	}
	return token, nil
}

// Invitations lists an organisation's, the newest first, also those that are over, with how their mails stand.
func (l *Ledger) Invitations(ctx context.Context, org domain.OrgID) ([]domain.Invitation, error) {
	is := []domain.Invitation{}
	if err := l.NewSelect().Model(&is).Where("org_id = ?", org).OrderExpr("id DESC").Scan(ctx); err != nil {
		return nil, classify(err)
	}
	return is, l.addMails(ctx, org, is)
}

// Invitation reads one of an organisation's, with how its mail stands. Another organisation's is NotFound.
func (l *Ledger) Invitation(ctx context.Context, org domain.OrgID, id domain.InvitationID) (domain.Invitation, error) {
	is := make([]domain.Invitation, 1)
	if err := l.NewSelect().Model(&is[0]).Where("org_id = ? AND id = ?", org, id).Scan(ctx); err != nil {
		return is[0], classify(err)
	}
	return is[0], l.addMails(ctx, org, is)
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
