package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// widgetRow is a widget with its identity secret as it lies in the table.
type widgetRow struct {
	domain.Widget `bun:",extend"`
	Sealed        []byte `bun:"identity_secret"`
	Previous      []byte `bun:"previous_secret"`
}

// Both secrets are sealed for the same place, so that a rotation moves one to the other as it is.
func widgetPlace(id domain.WidgetID) string { return "widgets.identity_secret:" + string(id) }

// Widgets lists an organisation's widgets, the oldest first, without their identity secrets.
func (l *Ledger) Widgets(ctx context.Context, org domain.OrgID) ([]domain.Widget, error) {
	ws := []domain.Widget{}
	err := l.NewSelect().Model(&ws).Where("org_id = ?", org).OrderExpr("id").Scan(ctx)
	return ws, classify(err)
}

// Widget reads a widget without its identity secret. Another organisation's is NotFound.
func (l *Ledger) Widget(ctx context.Context, org domain.OrgID, id domain.WidgetID) (domain.Widget, error) {
	return l.widget(ctx, l.NewSelect(), org, id)
}

// LockWidget is Widget for a transaction that will change it: nobody else can until it ends.
func (l *Ledger) LockWidget(ctx context.Context, org domain.OrgID, id domain.WidgetID) (domain.Widget, error) {
	return l.widget(ctx, l.NewSelect().For("UPDATE"), org, id)
}

func (l *Ledger) widget(ctx context.Context, q *bun.SelectQuery, org domain.OrgID, id domain.WidgetID) (domain.Widget, error) {
	var w domain.Widget
	err := q.Model(&w).Where("org_id = ? AND id = ?", org, id).Scan(ctx)
	return w, classify(err)
}

// WidgetByKey finds a widget by its public key, with its identity secret. What it says is never stale: a widget that was switched
// off or given other origins is so from the next request on, on every node.
func (l *Ledger) WidgetByKey(ctx context.Context, key string) (domain.Widget, error) {
	row, err := lookup[widgetRow](ctx, l, "key = $1", clean(key))
	if err != nil {
		return domain.Widget{}, err
	}
	secret, err := l.seal.Open(widgetPlace(row.ID), row.Sealed)
	var previous []byte
	if err == nil && row.SecretOverlaps(time.Now()) {
		previous, err = l.seal.Open(widgetPlace(row.ID), row.Previous)
	}
	if err != nil {
		return domain.Widget{}, &domain.Error{Kind: domain.Internal, Code: domain.CodeInternal, Err: err,
			Msg: fmt.Sprintf("the identity secret of widget %q cannot be opened: was PARLEY_SECRET changed?", row.Name)}
	}
	row.IdentitySecret, row.PreviousSecret = string(secret), string(previous)
	return row.Widget, nil
}

// CreateWidget stores a new widget, its identity secret sealed.
func (l *Ledger) CreateWidget(ctx context.Context, w domain.Widget) error {
	sealed, err := l.seal.Seal(widgetPlace(w.ID), []byte(w.IdentitySecret))
	if err != nil {
		return classify(err)
	}
	_, err = l.NewInsert().Model(&widgetRow{Widget: w, Sealed: sealed}).Exec(ctx)
	return classify(err)
}

// UpdateWidget stores all of w but its organisation, key, birth and identity secret. Another organisation's is NotFound.
func (l *Ledger) UpdateWidget(ctx context.Context, w domain.Widget) error {
	res, err := l.NewUpdate().Model(&w).ExcludeColumn("id", "org_id", "key", "created_at", "previous_until").
		Where("org_id = ? AND id = ?", w.OrgID, w.ID).Exec(ctx)
	return one(res, err)
}

// SetIdentitySecret replaces a widget's identity secret, sealed. The one before stays good until the given time, and the one before
// that ends at once.
func (l *Ledger) SetIdentitySecret(ctx context.Context, org domain.OrgID, id domain.WidgetID, secret string, until time.Time) error {
	sealed, err := l.seal.Seal(widgetPlace(id), []byte(secret))
	if err != nil {
		return classify(err)
	}
	res, err := l.NewRaw(`UPDATE widgets SET previous_secret = identity_secret, previous_until = ?, identity_secret = ?, updated_at = now()
WHERE org_id = ? AND id = ?`, until, sealed, org, id).Exec(ctx)
	return one(res, err)
}

// EndPreviousSecret ends the secret of before the last rotation at once.
func (l *Ledger) EndPreviousSecret(ctx context.Context, org domain.OrgID, id domain.WidgetID) error {
	res, err := l.NewRaw(`UPDATE widgets SET previous_secret = NULL, previous_until = NULL, updated_at = now() WHERE org_id = ? AND id = ?`, org, id).Exec(ctx)
	return one(res, err)
}

// DeleteWidget removes a widget and its visitors' sessions. Their threads stay.
func (l *Ledger) DeleteWidget(ctx context.Context, org domain.OrgID, id domain.WidgetID) error {
	res, err := l.NewDelete().Model((*domain.Widget)(nil)).Where("org_id = ? AND id = ?", org, id).Exec(ctx)
	return one(res, err)
}
