package ledger

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// CreateSession stores a new session and, unless its contact is known already, the stub it speaks for.
func (l *Ledger) CreateSession(ctx context.Context, s domain.Session, tokenHash []byte, contact domain.Contact) error {
	if s.Trail == nil {
		s.Trail = []domain.Step{}
	}
	return l.InTx(ctx, func(tx *Ledger) error {
		if _, err := tx.NewInsert().Model(&contact).On("CONFLICT (id) DO NOTHING").Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&s).Value("token_hash", "?", tokenHash).Exec(ctx)
		return err
	})
}

// AboutThread lets a session be about one thread.
func (l *Ledger) AboutThread(ctx context.Context, org domain.OrgID, id domain.SessionID, thread domain.ThreadID) error {
	_, err := l.NewRaw(`UPDATE sessions SET thread_id = ? WHERE id = ? AND org_id = ?`, thread, id, org).Exec(ctx)
	return classify(err)
}

// SessionByToken finds a live session of a widget by its token's hash. It fails with NotFound for an unknown or expired one.
func (l *Ledger) SessionByToken(ctx context.Context, widget domain.WidgetID, tokenHash []byte) (domain.Session, error) {
	return lookup[domain.Session](ctx, l, "token_hash = $1 AND widget_id::text = $2 AND expires_at > now()", tokenHash, string(widget))
}

// Living marks the widgets, by their keys, that are switched on, and the sessions that have not ended.
func (l *Ledger) Living(ctx context.Context, widgets map[string]bool, sessions map[domain.SessionID]bool) error {
	rows, err := l.hot.Query(ctx, `SELECT key, '' FROM widgets WHERE key = ANY($1::text[]) AND enabled
UNION ALL SELECT '', id::text FROM sessions WHERE id = ANY($2::text[]::uuid[]) AND expires_at > now()`,
		slices.Collect(maps.Keys(widgets)), column(slices.Collect(maps.Keys(sessions)), func(id domain.SessionID) string { return string(id) }))
	if err != nil {
		return classify(err)
	}
	var widget string
	var session domain.SessionID
	_, err = pgx.ForEachRow(rows, []any{&widget, &session}, func() error {
		if session == "" {
			widgets[widget] = true
		} else {
			sessions[session] = true
		}
		return nil
	})
	return classify(err)
}

// TouchSession notes that a session is in use, which prolongs it, and where its visitor is now.
func (l *Ledger) TouchSession(ctx context.Context, s domain.Session) error {
	_, err := l.NewUpdate().Model(&s).Column("page", "locale", "timezone", "attribution", "last_seen_at", "expires_at").WherePK().Where("org_id = ?", s.OrgID).Exec(ctx)
	return classify(err)
}

// SetPage notes where the visitor is now.
func (l *Ledger) SetPage(ctx context.Context, org domain.OrgID, id domain.SessionID, p domain.Page) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	step := "null"
	if p.URL != "" {
		step = jsonOf(domain.Step{URL: clean(p.URL), Title: clean(p.Title), At: time.Now().UTC().Truncate(time.Millisecond)})
	}
	// The trail grows with every other page and loses its oldest one: nobody who wanders for long fills the table.
	_, err = l.NewRaw(`UPDATE sessions SET page = page || ?0::jsonb, last_seen_at = now(), expires_at = ?1,
trail = CASE WHEN ?2::jsonb = 'null' OR trail->-1->>'url' = ?2::jsonb->>'url' THEN trail
             ELSE (CASE WHEN jsonb_array_length(trail) >= ?3 THEN trail - 0 ELSE trail END) || jsonb_build_array(?2::jsonb) END
WHERE id = ?4 AND org_id = ?5`, string(withoutNUL(b)), time.Now().Add(domain.SessionLifetime), step, domain.MaxTrail, id, org).Exec(ctx)
	return classify(err)
}

// Session reads a live session. It fails with NotFound for one that has ended.
func (l *Ledger) Session(ctx context.Context, org domain.OrgID, id domain.SessionID) (domain.Session, error) {
	return lookup[domain.Session](ctx, l, "id = $1::text::uuid AND org_id::text = $2 AND expires_at > now()", string(id), string(org))
}

// Contact reads a contact. Another organisation's is NotFound, and so is the one of a thread that has none.
func (l *Ledger) Contact(ctx context.Context, org domain.OrgID, id domain.ContactID) (domain.Contact, error) {
	if id == "" {
		return domain.Contact{}, domain.NotFoundf("there is no such contact")
	}
	return lookup[domain.Contact](ctx, l, "id = $1::text::uuid AND org_id::text = $2", string(id), string(org))
}

// SetContactDetails fills in what a contact said about themselves; empty arguments leave a field as it is. Of somebody with an external
// id, whom a site or the team vouches for, only what is not known is filled in: their own word, which reaches us through models too,
// proves nothing.
func (l *Ledger) SetContactDetails(ctx context.Context, org domain.OrgID, id domain.ContactID, name, email, phone string) error {
	res, err := l.NewRaw(`UPDATE contacts SET name = coalesce(CASE WHEN external_id IS NOT NULL THEN nullif(name, '') END, nullif(?, ''), name),
email = coalesce(CASE WHEN external_id IS NOT NULL THEN nullif(email, '') END, nullif(?, ''), email),
phone = coalesce(CASE WHEN external_id IS NOT NULL THEN nullif(phone, '') END, nullif(?, ''), phone),
stub = false, updated_at = now() WHERE org_id = ? AND id = ? AND erased_at IS NULL`,
		clean(name), clean(email), clean(phone), org, id).Exec(ctx)
	return one(res, err)
}

// LastSession reads a contact's latest session. It fails with NotFound if they have none (any more), or contact is empty.
func (l *Ledger) LastSession(ctx context.Context, org domain.OrgID, contact domain.ContactID) (domain.Session, error) {
	var s domain.Session
	if contact == "" {
		return s, domain.NotFoundf("there is no such session")
	}
	err := l.NewSelect().Model(&s).Where("org_id = ? AND contact_id = ?", org, contact).Order("last_seen_at DESC").Limit(1).Scan(ctx)
	return s, classify(err)
}
