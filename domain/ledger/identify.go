package ledger

import (
	"context"

	"github.com/parley-chat/parley/domain"
)

// Identity is who a session's visitor has proven to be. Empty names leave what is known.
type Identity struct {
	ExternalID string
	Name       string
	Email      string
}

const identifyTries = 5

// Identify binds a session to the contact with the proven external id, who from then on has one thread per channel. If the organisation
// does not know the id, the session's stub takes it on. If it does, the stub's threads, lines and details become the known contact's, and
// the stub is removed. A session of another known contact merely changes to this one.
//
// Calls at the same time, on any nodes, end in the same state. It fails with NotFound for a session that has ended.
func (l *Ledger) Identify(ctx context.Context, org domain.OrgID, session domain.SessionID, id Identity) (domain.Contact, error) {
	id.ExternalID, id.Name, id.Email = clean(id.ExternalID), clean(id.Name), clean(id.Email)
	for try := 1; ; try++ {
		var c domain.Contact
		var outs []Outcome
		err := l.InTx(ctx, func(tx *Ledger) (err error) {
			c, outs, err = tx.identify(ctx, org, session, id)
			return err
		})
		switch {
		case err == nil:
			if len(outs) > 0 {
				for _, f := range l.heard {
					f(outs)
				}
			}
			return c, nil
		case ctx.Err() != nil, try == identifyTries, !isUnique(err) && !contended(err):
			return c, err
		}
		// Somebody else has made the contact or its thread meanwhile, or the two of us deadlocked: try again and see all of it.
	}
}

func (tx *Ledger) identify(ctx context.Context, org domain.OrgID, session domain.SessionID, id Identity) (c domain.Contact, outs []Outcome, err error) {
	var stub domain.Contact
	if err := tx.NewRaw(`SELECT contact_id AS id FROM sessions WHERE id = ? AND org_id = ? FOR UPDATE`, session, org).Scan(ctx, &stub); err != nil {
		return c, nil, classify(err)
	}
	var known []domain.Contact
	// Both are locked in id order, as everywhere. NO KEY: threads may still begin with the known one meanwhile.
	if err := tx.NewRaw(`SELECT * FROM contacts WHERE org_id = ? AND (id = ? OR external_id = ?) ORDER BY id FOR NO KEY UPDATE`,
		org, stub.ID, id.ExternalID).Scan(ctx, &known); err != nil {
		return c, nil, classify(err)
	}
	found := false
	for _, k := range known {
		if k.ExternalID == id.ExternalID {
			c, found = k, true
		}
		if k.ID == stub.ID {
			stub = k
		}
	}
	switch {
	case found && c.ID == stub.ID: // nothing to join
	case found && stub.ExternalID == "":
		if outs, err = tx.absorb(ctx, c, stub, session); err != nil {
			return c, nil, err
		}
	case found: // somebody else used this browser before: their threads stay theirs
	case stub.ExternalID == "":
		c = stub
	default:
		c = domain.Contact{ID: NewID[domain.ContactID](), OrgID: org}
		if _, err := tx.NewRaw(`INSERT INTO contacts (id, org_id, external_id, stub) VALUES (?, ?, ?, false)`, c.ID, org, id.ExternalID).Exec(ctx); err != nil {
			return c, nil, err
		}
	}
	if err := tx.NewRaw(`UPDATE contacts SET external_id = ?, name = coalesce(nullif(?, ''), name), email = coalesce(nullif(?, ''), email),
stub = false, updated_at = now() WHERE id = ? AND org_id = ? RETURNING *`, id.ExternalID, id.Name, id.Email, c.ID, org).Scan(ctx, &c); err != nil {
		return c, nil, err
	}
	_, err = tx.NewRaw(`UPDATE sessions SET contact_id = ?, identified = true WHERE id = ? AND org_id = ?`, c.ID, session, org).Exec(ctx)
	return c, outs, err
}

// absorb gives everything that a stub has to a known contact. Of the stub's sessions only the one that brought the proof comes along: the
// others have proven nothing and end with the stub.
func (tx *Ledger) absorb(ctx context.Context, known, stub domain.Contact, session domain.SessionID) (outs []Outcome, err error) {
	if outs, err = tx.joinThreads(ctx, known, stub); err != nil {
		return nil, err
	}
	if _, err := tx.NewRaw(`UPDATE contacts SET name = coalesce(nullif(name, ''), ?), email = coalesce(nullif(email, ''), ?),
phone = coalesce(nullif(phone, ''), ?), opted_out = opted_out OR ?, profile = ?::jsonb || profile WHERE id = ? AND org_id = ?`,
		stub.Name, stub.Email, stub.Phone, stub.OptedOut, string(withoutNUL(stub.Profile)), known.ID, known.OrgID).Exec(ctx); err != nil {
		return nil, err
	}
	if _, err := tx.NewRaw(`UPDATE sessions SET contact_id = ? WHERE id = ? AND org_id = ?`, known.ID, session, known.OrgID).Exec(ctx); err != nil {
		return nil, err
	}
	if err := tx.repoint(ctx, "contacts", string(stub.ID), string(known.ID), "sessions", "threads"); err != nil {
		return nil, err
	}
	_, err = tx.NewRaw(`DELETE FROM contacts WHERE id = ? AND org_id = ?`, stub.ID, stub.OrgID).Exec(ctx)
	return outs, err
}

// repoint lets every row that refers to one row of a table refer to another, but for the tables named, which the caller sees to.
// It asks the catalogue, so that a table that is added later comes along.
func (tx *Ledger) repoint(ctx context.Context, table, from, to string, except ...string) error {
	var refs []struct{ Referrer, Field string }
	if err := tx.NewRaw(`SELECT c.conrelid::regclass::text AS referrer, quote_ident(a.attname) AS field
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid = ?::regclass AND cardinality(c.conkey) = 1 ORDER BY 1, 2`, table).Scan(ctx, &refs); err != nil {
		return err
	}
	skip := map[string]bool{}
	for _, e := range except {
		skip[e] = true
	}
	for _, r := range refs {
		if skip[r.Referrer] {
			continue
		}
		if _, err := tx.NewRaw("UPDATE "+r.Referrer+" SET "+r.Field+" = ? WHERE "+r.Field+" = ?", to, from).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
