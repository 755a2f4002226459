package ledger

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// KnownContact is a contact with what their first visit told.
type KnownContact struct {
	domain.Contact `bun:",extend"`
	FirstPage      domain.Page     `bun:"type:jsonb"`
	Attribution    json.RawMessage `bun:"type:jsonb"`
}

// ContactFilter says which contacts to list. Zero fields do not filter.
type ContactFilter struct {
	ExternalID string
	Email      string // whatever its case
	Phone      string
	Query      string // in names, addresses, numbers and external ids
	After      domain.ContactID
	Limit      int
}

// contacts takes what the first visit told from the profile, where it is kept: a session holds its latest page, and is forgotten once it
// has ended. Contacts from before there were profiles have nothing but their sessions.
func (l *Ledger) contacts() *bun.SelectQuery {
	return l.NewSelect().TableExpr("contacts AS c").ColumnExpr("c.*").
		ColumnExpr("coalesce(c.profile->'first_page', v.page, '{}') || jsonb_strip_nulls(jsonb_build_object('referrer', coalesce(c.profile->'referrer', v.page->'referrer'))) AS first_page").
		ColumnExpr("coalesce(c.profile->'attribution', v.attribution, '{}') AS attribution").
		Join("LEFT JOIN LATERAL (SELECT page, attribution FROM sessions WHERE contact_id = c.id ORDER BY created_at, id LIMIT 1) v ON true")
}

// Contacts lists an organisation's contacts, the oldest first.
func (l *Ledger) Contacts(ctx context.Context, org domain.OrgID, f ContactFilter) ([]KnownContact, error) {
	q := l.contacts().Where("c.org_id = ?", org).OrderExpr("c.id").Limit(int64(f.Limit))
	if f.After != "" {
		q.Where("c.id > ?", f.After)
	}
	if f.ExternalID != "" {
		q.Where("c.external_id = ?", clean(f.ExternalID))
	}
	if f.Email != "" {
		q.Where("c.email <> '' AND lower(c.email) = lower(?)", clean(f.Email))
	}
	if f.Phone != "" {
		q.Where("c.phone = ?", clean(f.Phone))
	}
	if f.Query != "" {
		q.Where(known+" AND "+told, like(f.Query), org)
	}
	cs := []KnownContact{}
	return cs, classify(q.Scan(ctx, &cs))
}

// KnownContact reads a contact. Another organisation's is NotFound.
func (l *Ledger) KnownContact(ctx context.Context, org domain.OrgID, id domain.ContactID) (KnownContact, error) {
	var c KnownContact
	err := l.contacts().Where("c.org_id = ? AND c.id = ?", org, id).Scan(ctx, &c)
	return c, classify(err)
}

// LockContact is KnownContact for a transaction that will change it: nobody else can until it ends.
func (l *Ledger) LockContact(ctx context.Context, org domain.OrgID, id domain.ContactID) (KnownContact, error) {
	var locked int
	if err := l.NewRaw(`SELECT 1 FROM contacts WHERE org_id = ? AND id = ? FOR NO KEY UPDATE`, org, id).Scan(ctx, &locked); err != nil {
		return KnownContact{}, classify(err)
	}
	return l.KnownContact(ctx, org, id)
}

func externalIDTaken() error {
	return domain.Conflictf("another contact of the organisation has this external_id")
}

// CreateContact stores a new contact. It fails with Conflict if the organisation has one with its external id.
func (l *Ledger) CreateContact(ctx context.Context, c domain.Contact) error {
	_, err := l.NewInsert().Model(&c).Exec(ctx)
	if isUnique(err) {
		return externalIDTaken()
	}
	return classify(err)
}

// UpdateContact stores what can be said of a contact. It fails as CreateContact does, and with NotFound.
func (l *Ledger) UpdateContact(ctx context.Context, c domain.Contact) error {
	res, err := l.NewUpdate().Model(&c).Column("external_id", "name", "email", "phone", "stub", "opted_out", "updated_at").
		Where("org_id = ? AND id = ?", c.OrgID, c.ID).Exec(ctx)
	if isUnique(err) {
		return externalIDTaken()
	}
	return one(res, err)
}

// DeleteContact removes a contact with their sessions, threads and files. It locks the contact before the threads, as everything that
// locks both does, and begins again if it lost in a deadlock. Another organisation's is NotFound.
func (l *Ledger) DeleteContact(ctx context.Context, org domain.OrgID, id domain.ContactID) error {
	for try := 1; ; try++ {
		err := l.InTx(ctx, func(tx *Ledger) error {
			if _, err := tx.LockContact(ctx, org, id); err != nil {
				return err
			}
			if _, err := tx.lockThreadsOf(ctx, org, id); err != nil {
				return err
			}
			res, err := tx.NewRaw(`DELETE FROM contacts WHERE org_id = ? AND id = ?`, org, id).Exec(ctx)
			return one(res, err)
		})
		if err == nil || ctx.Err() != nil || try == identifyTries || !contended(err) {
			return err
		}
	}
}

// lockThreadsOf takes all threads of a contact in the order in which everybody takes them.
func (tx *Ledger) lockThreadsOf(ctx context.Context, org domain.OrgID, contact domain.ContactID) ([]domain.Thread, error) {
	var ts []domain.Thread
	err := tx.NewRaw(`SELECT * FROM threads WHERE org_id = ? AND contact_id = ? ORDER BY id FOR UPDATE`, org, contact).Scan(ctx, &ts)
	return ts, classify(err)
}

// ContactSessions reads a contact's sessions, the oldest first.
func (l *Ledger) ContactSessions(ctx context.Context, org domain.OrgID, contact domain.ContactID) ([]domain.Session, error) {
	ss := []domain.Session{}
	err := l.NewSelect().Model(&ss).Where("org_id = ? AND contact_id = ?", org, contact).Order("created_at", "id").Scan(ctx)
	return ss, classify(err)
}

// ContactThreads reads all threads of a contact, the oldest first, without the signposts of joined ones.
func (l *Ledger) ContactThreads(ctx context.Context, org domain.OrgID, contact domain.ContactID) ([]Conversation, error) {
	cs := []Conversation{}
	err := l.conversations().Where("t.org_id = ? AND t.contact_id = ? AND t.merged_into IS NULL", org, contact).OrderExpr("t.id").Scan(ctx, &cs)
	return cs, classify(err)
}
