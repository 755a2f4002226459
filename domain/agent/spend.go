package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parley-chat/parley/domain"
)

// hold checks all budgets before a call that may cost so much, and sets it aside. settle tells what it did cost. A refusal before
// the turn's first call means that the turn is skipped; after it, that the turn has failed.
func (t *modelTurn) hold(ctx context.Context, usd float64) (settle func(usd float64), err error) {
	if usd <= 0 { // a model without a price costs nobody's budget
		return func(float64) {}, nil
	}
	if most := t.config.TurnBudgetUSD; most > 0 && t.usage.CostUSD+usd > most {
		return nil, &Failure{Reason: fmt.Sprintf("stopped: another call could cost more than is left of the turn's $%g", most), Permanent: true}
	}
	return holdFrom(ctx, t.purse, t.r, usd, t.calls > 0, func(err error) {
		t.log.ErrorContext(ctx, "could not settle what a model call cost; it stays counted at its highest", "turn", t.r.TurnID, "err", err)
	})
}

// holdFrom sets money aside in the organisation's purse.
func holdFrom(ctx context.Context, p Purse, r TurnRequest, usd float64, begun bool, unsettled func(error)) (settle func(usd float64), err error) {
	if p == nil {
		return func(float64) {}, nil
	}
	hold, err := p.Hold(ctx, domain.Spending{OrgID: r.OrgID, Session: r.session(), USD: usd})
	over, spent := errors.AsType[*domain.OverBudget](err)
	switch {
	case spent && begun:
		return nil, &Failure{Reason: "stopped: " + over.Error(), Permanent: true, Err: err}
	case spent:
		return nil, &Failure{Reason: over.Error(), Permanent: true, Skip: domain.SkipBudgetExceeded, Err: err}
	case err != nil && ctx.Err() != nil:
		return nil, cutShort(ctx)
	case err != nil:
		return nil, &Failure{Reason: "the budget could not be checked", Err: err}
	}
	return func(usd float64) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
		defer cancel()
		err := p.Settle(ctx, r.OrgID, hold, usd)
		for wait := 100 * time.Millisecond; err != nil && domain.KindOf(err) == domain.Unavailable && ctx.Err() == nil; wait *= 2 {
			time.Sleep(wait)
			err = p.Settle(ctx, r.OrgID, hold, usd)
		}
		if err != nil {
			unsettled(err)
		}
	}, nil
}
