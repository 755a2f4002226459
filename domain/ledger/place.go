package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Place reads what is remembered of where a network is, and until when. An empty place: nobody knows. It fails with NotFound if
// nothing is remembered (any more).
func (l *Ledger) Place(ctx context.Context, org domain.OrgID, network string) (p domain.Place, until time.Time, err error) {
	var place json.RawMessage
	if err := l.NewRaw(`SELECT place, expires_at FROM places WHERE org_id = ? AND network = ? AND expires_at > now()`, org, network).
		Scan(ctx, &place, &until); err != nil {
		return p, until, classify(err)
	}
	return p, until, json.Unmarshal(place, &p)
}

// KeepPlace remembers where a network is.
func (l *Ledger) KeepPlace(ctx context.Context, org domain.OrgID, network string, p domain.Place, until time.Time) error {
	_, err := l.NewRaw(`INSERT INTO places (org_id, network, place, expires_at) VALUES (?, ?, ?, ?)
ON CONFLICT (org_id, network) DO UPDATE SET place = excluded.place, expires_at = excluded.expires_at`, org, network, jsonOf(p), until).Exec(ctx)
	return classify(err)
}

// SweepPlaces forgets places whose time is over.
func (l *Ledger) SweepPlaces(ctx context.Context) error {
	return l.forget(ctx, "places", "x.expires_at < now()")
}

// SetSessionPlace notes in the profile of a session's contact, whoever that is by now, where they are.
func (l *Ledger) SetSessionPlace(ctx context.Context, org domain.OrgID, session domain.SessionID, p domain.Place) error {
	_, err := l.NewRaw(`UPDATE contacts SET profile = profile || jsonb_build_object('geo', ?0::jsonb), updated_at = now()
WHERE org_id = ?1 AND id = (SELECT contact_id FROM sessions WHERE id = ?2 AND org_id = ?1) AND profile->'geo' IS DISTINCT FROM ?0::jsonb`,
		jsonOf(p), org, session).Exec(ctx)
	return classify(err)
}
