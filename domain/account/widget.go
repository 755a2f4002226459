package account

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

const (
	widgetKeyPrefix = "wid_"
	widgetKeyDigits = 22
)

// Widgets lists an organisation's widgets, the oldest first.
func (s *Service) Widgets(ctx context.Context, org domain.OrgID) ([]domain.Widget, error) {
	return s.ledger.Widgets(ctx, org)
}

// Widget reads a widget. It fails with NotFound, for another organisation's too.
func (s *Service) Widget(ctx context.Context, org domain.OrgID, id domain.WidgetID) (domain.Widget, error) {
	w, err := s.ledger.Widget(ctx, org, id)
	return w, found(err, "widget")
}

// WidgetByKey finds a widget by its public key, with its identity secret. It fails with NotFound. Every call reads the ledger, so
// that a change counts from the next request on, on every node.
func (s *Service) WidgetByKey(ctx context.Context, key string) (domain.Widget, error) {
	w, err := s.ledger.WidgetByKey(ctx, key)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		err = &domain.Error{Kind: domain.NotFound, Code: domain.CodeUnknownWidget, Msg: "there is no widget with this key"}
	}
	return w, err
}

// CreateWidget makes a widget with a key and an identity secret; the answer has the secret, and no other will. Zero caps, rates and
// texts mean the defaults. It fails with Invalid, also for an agent that the organisation does not have.
func (s *Service) CreateWidget(ctx context.Context, org domain.OrgID, in WidgetInput) (domain.Widget, error) {
	w := newWidget(org)
	in, err := in.withDefaults(s.DefaultWidget()).check()
	if err != nil {
		return domain.Widget{}, err
	}
	in.over(&w)
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		if err := wantAgent(ctx, tx, w); err != nil {
			return err
		}
		return tx.CreateWidget(ctx, w)
	})
	if err != nil {
		return domain.Widget{}, err
	}
	return w, nil
}

func newWidget(org domain.OrgID) domain.Widget {
	return domain.Widget{ID: ledger.NewID[domain.WidgetID](), OrgID: org, Key: widgetKeyPrefix + random62(widgetKeyDigits), IdentitySecret: newToken(), CreatedAt: now()}
}

const notOurAgent = "is not an agent of this organisation"

// wantAgent fails with a bad field unless the widget's agent, if it has one, belongs to the same organisation.
func wantAgent(ctx context.Context, tx *ledger.Ledger, w domain.Widget) error {
	if w.AgentID == "" {
		return nil
	}
	has, err := tx.HasAgent(ctx, w.OrgID, w.AgentID)
	if err == nil && !has {
		return domain.InvalidField("agent_id", notOurAgent)
	}
	return err
}

// UpdateWidget changes a widget from the next request on. It fails like CreateWidget, and with NotFound.
func (s *Service) UpdateWidget(ctx context.Context, org domain.OrgID, id domain.WidgetID, in WidgetInput) (domain.Widget, error) {
	return s.ChangeWidget(ctx, org, id, func(domain.Widget) (WidgetInput, error) { return in, nil })
}

// ChangeWidget is UpdateWidget with what change makes of the widget as it stands, while nobody else can change it. It fails as change
// does, too.
func (s *Service) ChangeWidget(ctx context.Context, org domain.OrgID, id domain.WidgetID, change func(domain.Widget) (WidgetInput, error)) (domain.Widget, error) {
	return s.changeWidget(ctx, org, id, func(tx *ledger.Ledger, w *domain.Widget) error {
		in, err := change(*w)
		if err != nil {
			return err
		}
		if in, err = in.check(); err != nil {
			return err
		}
		in.over(w)
		return wantAgent(ctx, tx, *w)
	})
}

// SetWebchat switches the trigger: off, messages are taken and no agent is asked. It fails with NotFound.
func (s *Service) SetWebchat(ctx context.Context, org domain.OrgID, id domain.WidgetID, on bool) (domain.Widget, error) {
	return s.changeWidget(ctx, org, id, func(_ *ledger.Ledger, w *domain.Widget) error {
		w.WebchatEnabled = on
		return nil
	})
}

func (s *Service) changeWidget(ctx context.Context, org domain.OrgID, id domain.WidgetID, change func(*ledger.Ledger, *domain.Widget) error) (domain.Widget, error) {
	var w domain.Widget
	err := s.ledger.InTx(ctx, func(tx *ledger.Ledger) (err error) {
		if w, err = tx.LockWidget(ctx, org, id); err != nil {
			return found(err, "widget")
		}
		if err = change(tx, &w); err != nil {
			return err
		}
		w.UpdatedAt = now()
		return tx.UpdateWidget(ctx, w)
	})
	if err != nil {
		return domain.Widget{}, err
	}
	return w, nil
}

// RotateIdentitySecret gives a widget a new identity secret and tells it, this once. Signatures made with the one before are good for
// domain.SecretOverlap more, so that the site can change over; EndPreviousSecret ends that. It fails with NotFound.
func (s *Service) RotateIdentitySecret(ctx context.Context, org domain.OrgID, id domain.WidgetID) (secret string, until time.Time, err error) {
	secret, until = newToken(), now().Add(domain.SecretOverlap)
	if err := s.ledger.SetIdentitySecret(ctx, org, id, secret, until); err != nil {
		return "", time.Time{}, found(err, "widget")
	}
	return secret, until, nil
}

// EndPreviousSecret makes signatures with the secret of before the last rotation worthless from now on. It fails with NotFound.
func (s *Service) EndPreviousSecret(ctx context.Context, org domain.OrgID, id domain.WidgetID) error {
	return found(s.ledger.EndPreviousSecret(ctx, org, id), "widget")
}

// DeleteWidget removes a widget: pages that embed it lose their chat. Its threads stay. It fails with NotFound.
func (s *Service) DeleteWidget(ctx context.Context, org domain.OrgID, id domain.WidgetID) error {
	return found(s.ledger.DeleteWidget(ctx, org, id), "widget")
}
