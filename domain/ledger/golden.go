package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

type goldenRow struct {
	ID        domain.GoldenID
	OrgID     domain.OrgID
	ThreadID  domain.ThreadID
	Tape      json.RawMessage
	MarkedBy  string
	CreatedAt time.Time
}

func (r goldenRow) golden() (domain.Golden, error) {
	g := domain.Golden{ID: r.ID, OrgID: r.OrgID, ThreadID: r.ThreadID, MarkedBy: r.MarkedBy, CreatedAt: r.CreatedAt.UTC()}
	err := json.Unmarshal(r.Tape, &g.Tape)
	return g, err
}

// MarkGolden stores a golden thread in place of whatever was stored of it before. Results of replays of that go with it.
func (l *Ledger) MarkGolden(ctx context.Context, g domain.Golden) error {
	return l.InTx(ctx, func(tx *Ledger) error {
		var locked domain.ThreadID // two marks at once come one after the other
		if err := tx.NewRaw(`SELECT id FROM threads WHERE id = ? AND org_id = ? FOR UPDATE`, g.ThreadID, g.OrgID).Scan(ctx, &locked); err != nil {
			return classify(err)
		}
		if _, err := tx.NewRaw(`DELETE FROM golden_threads WHERE thread_id = ? AND org_id = ?`, g.ThreadID, g.OrgID).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewRaw(`INSERT INTO golden_threads (id, org_id, thread_id, tape, marked_by) VALUES (?, ?, ?, ?, ?)`,
			g.ID, g.OrgID, g.ThreadID, jsonOf(g.Tape), clean(g.MarkedBy)).Exec(ctx)
		return err
	})
}

// UnmarkGolden forgets that a thread is golden, with the results of its replays as such. It fails with NotFound if it is not.
func (l *Ledger) UnmarkGolden(ctx context.Context, org domain.OrgID, thread domain.ThreadID) error {
	res, err := l.NewRaw(`DELETE FROM golden_threads WHERE thread_id = ? AND org_id = ?`, thread, org).Exec(ctx)
	return one(res, err)
}

// Goldens lists an organisation's golden threads in the order in which they were marked; of one thread, if that is named.
func (l *Ledger) Goldens(ctx context.Context, org domain.OrgID, thread domain.ThreadID) ([]domain.Golden, error) {
	var rows []goldenRow
	err := l.NewRaw(`SELECT * FROM golden_threads WHERE org_id = ?0 AND (?1 = '' OR thread_id::text = ?1) ORDER BY created_at, id`, org, string(thread)).Scan(ctx, &rows)
	if err != nil {
		return nil, classify(err)
	}
	gs := make([]domain.Golden, len(rows))
	for i, r := range rows {
		if gs[i], err = r.golden(); err != nil {
			return nil, classify(err)
		}
	}
	return gs, nil
}

// OrganisationOf finds whose a thread is, for an operator, who belongs to no organisation.
func (l *Ledger) OrganisationOf(ctx context.Context, thread domain.ThreadID) (org domain.OrgID, err error) {
	err = l.NewRaw(`SELECT org_id FROM threads WHERE id = ?`, thread).Scan(ctx, &org)
	return org, classify(err)
}

// GoldenOrganisations finds who has golden threads, for an operator.
func (l *Ledger) GoldenOrganisations(ctx context.Context) (orgs []domain.OrgID, err error) {
	err = l.NewRaw(`SELECT DISTINCT org_id FROM golden_threads ORDER BY org_id`).Scan(ctx, &orgs)
	return orgs, classify(err)
}
