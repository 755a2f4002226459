package account

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

const (
	webhookSecretPrefix = "whsec_"
	webhookSecretDigits = 43
	maxWebhooks         = 20 // of an organisation: each line is told to every one
)

// WebhookInput is what an owner says about a webhook.
type WebhookInput struct {
	ID      domain.WebhookID // of a new one, so that a form that is sent twice makes one; empty: any
	URL     string
	Kinds   []domain.TimelineKind // empty: all there are
	Enabled bool
}

func (in WebhookInput) check() (WebhookInput, error) {
	p := problems{}
	in.URL = p.line("url", in.URL, 2048, true)
	if u, err := url.Parse(in.URL); in.URL != "" {
		switch {
		case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
			p.add("url", "must start with https:// or http:// and name a host")
		case u.User != nil:
			p.add("url", "must not contain a password: it is shown to everyone who looks")
		case u.Fragment != "":
			p.add("url", "must not have a part behind #")
		}
	}
	kinds := []domain.TimelineKind{}
	for _, k := range in.Kinds {
		if !slices.Contains(domain.WebhookKinds(), k) {
			p.add("kinds", "has no kind %.40q", k)
		} else if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	in.Kinds = kinds
	return in, p.err()
}

// Webhooks lists an organisation's webhooks, the oldest first.
func (s *Service) Webhooks(ctx context.Context, org domain.OrgID) ([]domain.Webhook, error) {
	return s.ledger.Webhooks(ctx, org)
}

// Webhook reads a webhook. It fails with NotFound, for another organisation's too.
func (s *Service) Webhook(ctx context.Context, org domain.OrgID, id domain.WebhookID) (domain.Webhook, error) {
	h, err := s.ledger.Webhook(ctx, org, id)
	return h, found(err, "webhook")
}

// CreateWebhook makes a webhook with a secret; the answer has it, and no other will. It fails with Invalid, and with Conflict when
// there are many already.
func (s *Service) CreateWebhook(ctx context.Context, org domain.OrgID, in WebhookInput) (domain.Webhook, error) {
	in, err := in.check()
	if err != nil {
		return domain.Webhook{}, err
	}
	h := domain.Webhook{ID: cmp.Or(in.ID, ledger.NewID[domain.WebhookID]()), OrgID: org, URL: in.URL, Kinds: in.Kinds, Enabled: in.Enabled,
		Secret: newWebhookSecret(), CreatedAt: now(), UpdatedAt: now()}
	has, err := s.ledger.Webhooks(ctx, org)
	if err == nil && len(has) >= maxWebhooks {
		err = domain.Conflictf("there are %d webhooks already: delete one first", len(has))
	}
	if err == nil {
		err = s.ledger.CreateWebhook(ctx, h)
	}
	if err != nil {
		return domain.Webhook{}, err
	}
	return h, nil
}

func newWebhookSecret() string { return webhookSecretPrefix + random62(webhookSecretDigits) }

// UpdateWebhook changes a webhook for what happens from now on. Switched off, it is not told any more what still waits; switched on,
// its time of failures begins anew. It fails with Invalid and NotFound.
func (s *Service) UpdateWebhook(ctx context.Context, org domain.OrgID, id domain.WebhookID, in WebhookInput) (domain.Webhook, error) {
	return s.ChangeWebhook(ctx, org, id, func(domain.Webhook) (WebhookInput, error) { return in, nil })
}

// ChangeWebhook lets change say what a webhook is to be, looking at what it is, while nobody else can change it. It fails as
// UpdateWebhook and change do.
func (s *Service) ChangeWebhook(ctx context.Context, org domain.OrgID, id domain.WebhookID, change func(domain.Webhook) (WebhookInput, error)) (domain.Webhook, error) {
	var h domain.Webhook
	err := s.ledger.InTx(ctx, func(tx *ledger.Ledger) (err error) {
		if h, err = tx.LockWebhook(ctx, org, id); err != nil {
			return found(err, "webhook")
		}
		in, err := change(h)
		if err != nil {
			return err
		}
		if in, err = in.check(); err != nil {
			return err
		}
		if in.Enabled && !h.Enabled {
			h.DisabledReason, h.FailingSince = "", time.Time{}
		}
		h.URL, h.Kinds, h.Enabled, h.UpdatedAt = in.URL, in.Kinds, in.Enabled, now()
		if err := tx.UpdateWebhook(ctx, h); err != nil || h.Enabled {
			return err
		}
		return tx.DropDeliveries(ctx, org, id, "the webhook was switched off")
	})
	if err != nil {
		return domain.Webhook{}, err
	}
	return h, nil
}

// RotateWebhookSecret gives a webhook a new secret and tells it, this once. What it is told is signed with the one before as well for
// domain.SecretOverlap, so that the receiver can change over. It fails with NotFound.
func (s *Service) RotateWebhookSecret(ctx context.Context, org domain.OrgID, id domain.WebhookID) (secret string, until time.Time, err error) {
	secret, until = newWebhookSecret(), now().Add(domain.SecretOverlap)
	if err := s.ledger.SetWebhookSecret(ctx, org, id, secret, until); err != nil {
		return "", time.Time{}, found(err, "webhook")
	}
	return secret, until, nil
}

// DeleteWebhook removes a webhook and its log. It fails with NotFound.
func (s *Service) DeleteWebhook(ctx context.Context, org domain.OrgID, id domain.WebhookID) error {
	return found(s.ledger.DeleteWebhook(ctx, org, id), "webhook")
}

// WebhookDelivery is an entry of a webhook's log.
type WebhookDelivery = domain.WebhookDelivery

// WebhookDeliveries reads a webhook's log, the newest first: those after before, if given, with one of the statuses, if any are
// given. It fails with NotFound.
func (s *Service) WebhookDeliveries(ctx context.Context, org domain.OrgID, id domain.WebhookID, statuses []string, before domain.DeliveryID, limit int) ([]WebhookDelivery, error) {
	if _, err := s.Webhook(ctx, org, id); err != nil {
		return nil, err
	}
	return s.ledger.WebhookDeliveries(ctx, org, id, statuses, before, int64(limit))
}

// ResendDelivery tells a webhook again what it was told, or could not be. It fails with NotFound, also for what is on its way, and
// with Conflict while the webhook is off.
func (s *Service) ResendDelivery(ctx context.Context, org domain.OrgID, id domain.WebhookID, delivery domain.DeliveryID) error {
	h, err := s.Webhook(ctx, org, id)
	if err != nil {
		return err
	}
	if !h.Enabled {
		return domain.Conflictf("the webhook is switched off: switch it on first")
	}
	const what = "delivery that could be sent again"
	if d, err := s.ledger.Delivery(ctx, org, delivery); err != nil || d.Transport != ledger.TransportWebhook || d.Target != string(id) {
		return cmp.Or(found(err, what), error(notFound(what)))
	}
	return found(s.ledger.ResendDelivery(ctx, org, delivery), what)
}
