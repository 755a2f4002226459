package ledger

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// Identifiers say who somebody is on a channel that is not ours. The channel's word is taken: whoever can post events may say so.
type Identifiers struct {
	ExternalID string
	Name       string
	Email      string
	Phone      string
}

// None reports whether they tell nobody from anybody. A name alone does not.
func (i Identifiers) None() bool { return i.ExternalID == "" && i.Email == "" && i.Phone == "" }

// ResolveContact finds the contact whom the identifiers mean: by external id, then by e-mail address, then by phone number; of several
// with the same address, one whom a site has vouched for comes first, then the oldest. Identifiers that the contact lacks are added,
// unless they belong to another contact; none is overwritten. If nobody fits, a contact is made. Calls with the same identifiers get the
// same contact even if they run at the same time, on any nodes. It fails with Invalid if there are no identifiers.
func (l *Ledger) ResolveContact(ctx context.Context, org domain.OrgID, i Identifiers) (c domain.Contact, err error) {
	i = Identifiers{clean(i.ExternalID), clean(i.Name), clean(i.Email), clean(i.Phone)}
	if i.None() {
		return c, domain.InvalidField("contact", "must have an external_id, an email or a phone")
	}
	err = l.InTx(ctx, func(tx *Ledger) error {
		var locks []string
		for kind, value := range map[string]string{"x": i.ExternalID, "e": i.Email, "p": i.Phone} {
			if value != "" {
				locks = append(locks, "contact:"+string(org)+":"+kind+":"+value)
			}
		}
		slices.Sort(locks) // as everybody who takes several
		for _, lock := range locks {
			if _, err := tx.NewRaw(`SELECT pg_advisory_xact_lock(hashtextextended(lower(?), 0))`, lock).Exec(ctx); err != nil {
				return err
			}
		}
		if c, err = tx.findContact(ctx, org, i); err != nil && domain.KindOf(err) != domain.NotFound {
			return err
		} else if err != nil {
			return tx.NewRaw(`INSERT INTO contacts (id, org_id, external_id, name, email, phone, stub) VALUES (?, ?, ?, ?, ?, ?, false) RETURNING *`,
				NewID[domain.ContactID](), org, bun.NullZero(i.ExternalID), i.Name, i.Email, i.Phone).Scan(ctx, &c)
		}
		if (c.ExternalID != "" || i.ExternalID == "") && (c.Name != "" || i.Name == "") && (c.Email != "" || i.Email == "") && (c.Phone != "" || i.Phone == "") {
			return nil
		}
		return tx.NewRaw(`UPDATE contacts c SET external_id = coalesce(external_id, ?2), name = coalesce(nullif(name, ''), ?3),
email = CASE WHEN email <> '' OR EXISTS (SELECT FROM contacts o WHERE o.org_id = ?0 AND o.email <> '' AND lower(o.email) = lower(?4)) THEN email ELSE ?4 END,
phone = CASE WHEN phone <> '' OR EXISTS (SELECT FROM contacts o WHERE o.org_id = ?0 AND o.phone <> '' AND o.phone = ?5) THEN phone ELSE ?5 END,
stub = false, updated_at = now() WHERE org_id = ?0 AND id = ?1 RETURNING *`,
			org, c.ID, bun.NullZero(i.ExternalID), i.Name, i.Email, i.Phone).Scan(ctx, &c)
	})
	return c, classify(err)
}

func (tx *Ledger) findContact(ctx context.Context, org domain.OrgID, i Identifiers) (c domain.Contact, err error) {
	err = tx.NewRaw(`SELECT * FROM contacts WHERE org_id = ?0 AND erased_at IS NULL
AND (?1 <> '' AND external_id = ?1 OR ?2 <> '' AND email <> '' AND lower(email) = lower(?2) OR ?3 <> '' AND phone <> '' AND phone = ?3)
ORDER BY (?1 <> '' AND external_id = ?1) IS TRUE DESC, (?2 <> '' AND lower(email) = lower(?2)) DESC, external_id IS NULL, id LIMIT 1 FOR NO KEY UPDATE`,
		org, i.ExternalID, i.Email, i.Phone).Scan(ctx, &c)
	return c, classify(err)
}

// ContactByExternalID finds a contact by the organisation's own id for them. It fails with NotFound.
func (l *Ledger) ContactByExternalID(ctx context.Context, org domain.OrgID, id string) (c domain.Contact, err error) {
	err = l.NewSelect().Model(&c).Where("org_id = ? AND external_id = ?", org, clean(id)).Scan(ctx)
	return c, classify(err)
}

// ChannelThread says which thread over a channel is meant.
type ChannelThread struct {
	OrgID     domain.OrgID
	ContactID domain.ContactID // empty: of somebody unknown, whom Key stands for
	Channel   string
	Key       string         // correlation key; empty: the contact's over the channel
	AgentID   domain.AgentID // who answers there
	SetAgent  bool           // also where the thread was there before
}

// EnsureChannelThread finds or begins a thread over a channel without a widget.
func (l *Ledger) EnsureChannelThread(ctx context.Context, c ChannelThread) (domain.Thread, error) {
	key := c.Key
	if key == "" {
		key = CorrelationKey(c.ContactID, c.Channel)
	}
	var t domain.Thread
	err := l.NewRaw(`INSERT INTO threads (id, org_id, contact_id, agent_id, channel, correlation_key, handling) VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (org_id, correlation_key) DO UPDATE SET agent_id = EXCLUDED.agent_id WHERE ?7 AND threads.agent_id IS DISTINCT FROM EXCLUDED.agent_id
RETURNING *`, NewID[domain.ThreadID](), c.OrgID, bun.NullZero(c.ContactID), bun.NullZero(c.AgentID), clean(c.Channel), clean(key), domain.HandlingAgent, c.SetAgent).Scan(ctx, &t)
	if domain.KindOf(classify(err)) == domain.NotFound {
		return l.ThreadByKey(ctx, c.OrgID, clean(key))
	}
	if isOrphan(err) { // the contact was joined to another one, or deleted, meanwhile
		return t, joined()
	}
	return t, classify(err)
}

// LatestThread reads the thread in which a contact and we have talked last, over one channel or, with an empty one, over any. It
// fails with NotFound.
func (l *Ledger) LatestThread(ctx context.Context, org domain.OrgID, contact domain.ContactID, channel string) (t domain.Thread, err error) {
	err = l.NewRaw(`SELECT * FROM threads WHERE org_id = ?0 AND contact_id = ?1 AND merged_into IS NULL AND (?2 = '' OR channel = ?2)
ORDER BY last_message_at DESC NULLS LAST, id DESC LIMIT 1`, org, contact, clean(channel)).Scan(ctx, &t)
	return t, classify(err)
}
