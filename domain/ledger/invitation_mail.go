package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// A mailed invitation's delivery names it and holds no link: the letter is written when it is sent.
type invitationLetter struct {
	Letter     string              `json:"letter"`
	Invitation domain.InvitationID `json:"invitation"`
}

// invitationMails are the deliveries that take invitations to people, in the words of their index.
const invitationMails = `transport = 'mail' AND payload->>'letter' = 'invitation'`

// TellsInvitation reports whether a delivery takes an invitation to somebody.
func (d Delivery) TellsInvitation() bool {
	var l invitationLetter
	return d.Transport == TransportMail && json.Unmarshal(d.Payload, &l) == nil && l.Letter == "invitation"
}

// How many invitations are mailed within an hour: an organisation's, and of those to one address. Whoever invites chooses who gets mail
// from this server.
const (
	InvitationMailsHourly  = 50
	InvitationMailsToOne   = 3
	invitationMailsCounted = time.Hour
)

// mailInvitation has an invitation mailed, in the transaction that makes it and under the organisation's lock; once for however many ask
// before it is sent. It fails with Throttled over the limits.
func (l *Ledger) mailInvitation(ctx context.Context, i domain.Invitation) error {
	payload, err := json.Marshal(invitationLetter{"invitation", i.ID})
	if err != nil {
		return err
	}
	if _, err := l.NewRaw(`DELETE FROM deliveries WHERE org_id = ? AND transport = ? AND target = ? AND status = 'queued' AND payload = ?::jsonb`,
		i.OrgID, TransportMail, i.Email, string(payload)).Exec(ctx); err != nil {
		return err
	}
	if err := l.mayMail(ctx, i); err != nil {
		return err
	}
	return l.Enqueue(ctx, Delivery{OrgID: i.OrgID, Transport: TransportMail, Target: i.Email, Payload: payload})
}

// mayMail fails with Throttled where an organisation has mailed enough invitations for now.
func (l *Ledger) mayMail(ctx context.Context, i domain.Invitation) error {
	var n struct {
		Every, Same        int
		Oldest, OldestSame time.Time // of those that count
	}
	if err := l.NewRaw(`SELECT count(*) AS every, count(*) FILTER (WHERE target = ?) AS same, coalesce(min(created_at), now()) AS oldest,
       coalesce(min(created_at) FILTER (WHERE target = ?), now()) AS oldest_same
FROM deliveries WHERE org_id = ? AND `+invitationMails+` AND created_at > now() - ? * interval '1 second'`,
		i.Email, i.Email, i.OrgID, invitationMailsCounted.Seconds()).Scan(ctx, &n); err != nil {
		return err
	}
	e := &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited}
	switch {
	case n.Same >= InvitationMailsToOne:
		e.Msg, e.RetryAfter = "they were mailed several times within the hour: wait a while, or send them the link yourself", until(n.OldestSame)
	case n.Every >= InvitationMailsHourly:
		e.Msg, e.RetryAfter = "many invitations were mailed within the hour: wait a while, or send the link yourself", until(n.Oldest)
	default:
		return nil
	}
	return e
}

// until is in how long a mail of then counts no more.
func until(then time.Time) time.Duration {
	return max(time.Until(then.Add(invitationMailsCounted)), time.Second)
}

// addMails adds to some of an organisation's invitations how the last mail of each stands. One that was sent before its invitation was
// replaced is none of the new one's.
func (l *Ledger) addMails(ctx context.Context, org domain.OrgID, is []domain.Invitation) error {
	if len(is) == 0 {
		return nil
	}
	ids, oldest := make([]domain.InvitationID, 0, len(is)), is[0].CreatedAt
	for _, i := range is {
		ids = append(ids, i.ID)
		if i.CreatedAt.Before(oldest) {
			oldest = i.CreatedAt
		}
	}
	var mails []struct {
		Invitation domain.InvitationID
		domain.InvitationMail
	}
	if err := l.NewRaw(`SELECT DISTINCT ON (invitation) payload->>'invitation' AS invitation, id, status, attempts, last_error AS error, updated_at AS at
FROM deliveries WHERE org_id = ? AND `+invitationMails+` AND created_at >= ?::timestamptz - interval '1 hour' AND payload->>'invitation' IN (?)
ORDER BY invitation, ord DESC`, org, oldest, bun.List(ids)).Scan(ctx, &mails); err != nil { // an hour, as clocks differ
		return classify(err)
	}
	of := map[domain.InvitationID]*domain.InvitationMail{}
	for n := range mails {
		of[mails[n].Invitation] = &mails[n].InvitationMail
	}
	for n := range is {
		is[n].Mail = of[is[n].ID]
	}
	return nil
}

// MailedInvitation is what an invitation's letter tells.
type MailedInvitation struct {
	domain.Invitation
	Organisation string
	Name         string // of one of the team who chooses another password; else empty
	By, ByEmail  string // who invites; empty: a program with an API key
	Token        string
}

// ErrSecretChanged is why an invitation has no link that works: it was made under another PARLEY_SECRET.
var ErrSecretChanged = errors.New("PARLEY_SECRET has changed since: send the invitation again")

// MailedInvitation reads the invitation that a delivery takes to somebody. It fails with NotFound for one that was used, replaced or
// withdrawn, whose time is over, or that is for another address; and with ErrSecretChanged.
func (l *Ledger) MailedInvitation(ctx context.Context, d Delivery) (m MailedInvitation, err error) {
	var p invitationLetter
	if err := json.Unmarshal(d.Payload, &p); err != nil {
		return m, classify(err)
	}
	var row struct {
		domain.Invitation `bun:",extend"`
		TokenHash         []byte
		OrgName           string
		UserName          string
		ByName, ByEmail   string
	}
	if err := l.NewRaw(`SELECT i.*, o.name AS org_name, coalesce(u.name, '') AS user_name, coalesce(b.name, '') AS by_name, coalesce(b.email, '') AS by_email
FROM invitations i JOIN organisations o ON o.id = i.org_id
LEFT JOIN users u ON u.org_id = i.org_id AND u.id = i.user_id LEFT JOIN users b ON b.org_id = i.org_id AND b.id = i.invited_by
WHERE i.org_id = ? AND i.id = ? AND i.email = ? AND i.expires_at > now()`, d.OrgID, p.Invitation, d.Target).Scan(ctx, &row); err != nil {
		return m, classify(err)
	}
	token, hash, err := l.invitationToken(row.ID)
	if err != nil {
		return m, err
	}
	if !bytes.Equal(hash, row.TokenHash) {
		return m, ErrSecretChanged
	}
	return MailedInvitation{row.Invitation, row.OrgName, row.UserName, row.ByName, row.ByEmail, token}, nil
}
