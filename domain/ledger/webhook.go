package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// webhookRow is a webhook with its secrets as they lie in the table.
type webhookRow struct {
	domain.Webhook `bun:",extend"`
	Sealed         []byte `bun:"secret"`
	SealedBefore   []byte `bun:"previous_secret"`
}

// Both secrets are sealed for the same place, so that a rotation moves one to the other as it is.
func webhookPlace(id domain.WebhookID) string { return "webhooks.secret:" + string(id) }

// Webhooks lists an organisation's webhooks, the oldest first, without their secrets.
func (l *Ledger) Webhooks(ctx context.Context, org domain.OrgID) ([]domain.Webhook, error) {
	hs := []domain.Webhook{}
	err := l.NewSelect().Model(&hs).Where("org_id = ?", org).OrderExpr("id").Scan(ctx)
	return hs, classify(err)
}

// Webhook reads a webhook without its secrets. Another organisation's is NotFound.
func (l *Ledger) Webhook(ctx context.Context, org domain.OrgID, id domain.WebhookID) (domain.Webhook, error) {
	return l.webhook(ctx, l.NewSelect(), org, id)
}

// LockWebhook is Webhook for a transaction that will change it: nobody else can until it ends.
func (l *Ledger) LockWebhook(ctx context.Context, org domain.OrgID, id domain.WebhookID) (domain.Webhook, error) {
	return l.webhook(ctx, l.NewSelect().For("UPDATE"), org, id)
}

func (l *Ledger) webhook(ctx context.Context, q *bun.SelectQuery, org domain.OrgID, id domain.WebhookID) (domain.Webhook, error) {
	var h domain.Webhook
	err := q.Model(&h).Where("org_id = ? AND id = ?", org, id).Scan(ctx)
	return h, classify(err)
}

// SigningWebhook reads a webhook with the secrets that sign what it is told.
func (l *Ledger) SigningWebhook(ctx context.Context, org domain.OrgID, id domain.WebhookID) (domain.Webhook, error) {
	var row webhookRow
	if err := l.NewSelect().Model(&row).Where("org_id = ? AND id = ?", org, id).Scan(ctx); err != nil {
		return domain.Webhook{}, classify(err)
	}
	secret, err := l.seal.Open(webhookPlace(id), row.Sealed)
	var before []byte
	if err == nil && time.Now().Before(row.PreviousUntil) {
		before, err = l.seal.Open(webhookPlace(id), row.SealedBefore)
	}
	if err != nil {
		return domain.Webhook{}, &domain.Error{Kind: domain.Internal, Code: domain.CodeInternal, Err: err,
			Msg: fmt.Sprintf("the secret of the webhook to %q cannot be opened: was PARLEY_SECRET changed?", row.URL)}
	}
	row.Secret, row.Previous = string(secret), string(before)
	return row.Webhook, nil
}

// CreateWebhook stores a new webhook, its secret sealed.
func (l *Ledger) CreateWebhook(ctx context.Context, h domain.Webhook) error {
	sealed, err := l.seal.Seal(webhookPlace(h.ID), []byte(h.Secret))
	if err != nil {
		return classify(err)
	}
	if h.Kinds == nil {
		h.Kinds = []domain.TimelineKind{}
	}
	_, err = l.NewInsert().Model(&webhookRow{Webhook: h, Sealed: sealed}).Exec(ctx)
	if isUnique(err) {
		return &domain.Error{Kind: domain.Conflict, Msg: "this webhook is made already", Err: err}
	}
	return classify(err)
}

// UpdateWebhook stores where and of what a webhook is told, and whether. Another organisation's is NotFound.
func (l *Ledger) UpdateWebhook(ctx context.Context, h domain.Webhook) error {
	res, err := l.NewUpdate().Model(&h).Column("url", "kinds", "enabled", "disabled_reason", "failing_since", "updated_at").
		Where("org_id = ? AND id = ?", h.OrgID, h.ID).Exec(ctx)
	return one(res, err)
}

// SetWebhookSecret replaces a webhook's secret, sealed. The one before signs as well until the given time.
func (l *Ledger) SetWebhookSecret(ctx context.Context, org domain.OrgID, id domain.WebhookID, secret string, until time.Time) error {
	sealed, err := l.seal.Seal(webhookPlace(id), []byte(secret))
	if err != nil {
		return classify(err)
	}
	res, err := l.NewRaw(`UPDATE webhooks SET previous_secret = secret, previous_until = ?, secret = ?, updated_at = now()
WHERE org_id = ? AND id = ?`, until, sealed, org, id).Exec(ctx)
	return one(res, err)
}

// DeleteWebhook removes a webhook with its deliveries. Another organisation's is NotFound.
func (l *Ledger) DeleteWebhook(ctx context.Context, org domain.OrgID, id domain.WebhookID) error {
	return l.InTx(ctx, func(tx *Ledger) error {
		if err := one(tx.NewRaw(`DELETE FROM webhooks WHERE org_id = ? AND id = ?`, org, id).Exec(ctx)); err != nil {
			return err
		}
		_, err := tx.NewRaw(`DELETE FROM deliveries WHERE transport = 'webhook' AND target = ? AND org_id = ?`, id, org).Exec(ctx)
		return err
	})
}

// DropDeliveries gives up whatever a webhook has not been told yet; its owners may send it after all.
func (l *Ledger) DropDeliveries(ctx context.Context, org domain.OrgID, id domain.WebhookID, why string) error {
	_, err := l.NewRaw(`UPDATE deliveries SET status = 'dead', last_error = ?, updated_at = clock_timestamp()
WHERE transport = 'webhook' AND target = ? AND org_id = ? AND status = 'queued'`, why, id, org).Exec(ctx)
	return classify(err)
}

// WebhookAnswered ends a webhook's time of failures.
func (l *Ledger) WebhookAnswered(ctx context.Context, org domain.OrgID, id domain.WebhookID) error {
	_, err := l.NewRaw(`UPDATE webhooks SET failing_since = NULL WHERE org_id = ? AND id = ? AND failing_since IS NOT NULL`, org, id).Exec(ctx)
	return classify(err)
}

// WebhookFailed notes that a webhook could not be told something, and reports whether its patience is used up by now.
func (l *Ledger) WebhookFailed(ctx context.Context, org domain.OrgID, id domain.WebhookID) (enough bool, err error) {
	err = l.NewRaw(`WITH began AS (
    UPDATE webhooks SET failing_since = clock_timestamp() WHERE org_id = ?0 AND id = ?1 AND failing_since IS NULL
)
SELECT coalesce(clock_timestamp() - failing_since > ?2 * interval '1 second', false) FROM webhooks WHERE org_id = ?0 AND id = ?1`,
		org, id, domain.WebhookPatience.Seconds()).Scan(ctx, &enough)
	return enough, classify(err)
}

// DisableWebhook switches a webhook off, with the reason that its owners are told: by mail as well, if there is a way to send any.
// One that is off already stays as it is, and nobody is told again.
func (l *Ledger) DisableWebhook(ctx context.Context, org domain.OrgID, id domain.WebhookID, reason string, letter any) error {
	return l.InTx(ctx, func(tx *Ledger) error {
		res, err := tx.NewRaw(`UPDATE webhooks SET enabled = false, disabled_reason = ?, updated_at = now() WHERE org_id = ? AND id = ? AND enabled`,
			clean(reason), org, id).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if err := tx.DropDeliveries(ctx, org, id, "the webhook was switched off"); err != nil || !l.mails {
			return err
		}
		_, err = tx.NewRaw(`INSERT INTO deliveries (id, org_id, transport, target, payload, status, due_at, created_at, updated_at)
SELECT gen_random_uuid(), org_id, 'mail', email, ?::jsonb, 'queued', now(), now(), now() FROM users WHERE org_id = ? AND role = ?`,
			jsonOf(letter), org, domain.RoleOwner).Exec(ctx)
		return err
	})
}

// WebhookDeliveries reads a webhook's log, the newest first: what stands after before, if that is given, and has one of the
// statuses, if any are given.
func (l *Ledger) WebhookDeliveries(ctx context.Context, org domain.OrgID, id domain.WebhookID, statuses []string, before domain.DeliveryID, limit int64) ([]domain.WebhookDelivery, error) {
	ds := []domain.WebhookDelivery{}
	q := l.NewSelect().TableExpr("deliveries").
		ColumnExpr("id, thread_id, payload, payload->>'kind' AS kind, status, attempts, last_error, coalesce(answer_status, 0) AS answer_status, answer, due_at, created_at, updated_at").
		Where("transport = 'webhook' AND target = ? AND org_id = ?", id, org).OrderExpr("ord DESC").Limit(limit)
	if len(statuses) > 0 {
		q = q.Where("status IN (?)", bun.List(statuses))
	}
	if before != "" {
		q = q.Where("ord < (SELECT ord FROM deliveries WHERE id = ? AND org_id = ?)", before, org)
	}
	return ds, classify(q.Scan(ctx, &ds))
}
