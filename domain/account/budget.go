package account

import (
	"context"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Budget is what an organisation's agents may spend and have spent.
type Budget struct {
	domain.Budgets
	SpentTodayUSD float64 // UTC, with what is set aside for calls in progress
}

// Budgets reads what an organisation's agents may spend.
func (s *Service) Budgets(ctx context.Context, org domain.OrgID) (Budget, error) {
	b, err := s.ledger.Budgets(ctx, org)
	if err != nil {
		return Budget{}, found(err, "organisation")
	}
	spent, err := s.ledger.SpentToday(ctx, org)
	return Budget{b, spent}, err
}

// SetBudgets bounds what an organisation's agents may spend from their next call on. It fails with Invalid.
func (s *Service) SetBudgets(ctx context.Context, org domain.OrgID, b domain.Budgets) (Budget, error) {
	if err := b.Validate(); err != nil {
		return Budget{}, err
	}
	if err := s.ledger.SetBudgets(ctx, org, b); err != nil {
		return Budget{}, found(err, "organisation")
	}
	return s.Budgets(ctx, org)
}

// ChangeBudgets lets change say what may be spent, looking at what may be, while nobody else can change it. It fails as SetBudgets and
// change do.
func (s *Service) ChangeBudgets(ctx context.Context, org domain.OrgID, change func(domain.Budgets) (domain.Budgets, error)) (Budget, error) {
	err := s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		if err := tx.LockOrganisation(ctx, org); err != nil {
			return found(err, "organisation")
		}
		b, err := tx.Budgets(ctx, org)
		if err != nil {
			return err
		}
		if b, err = change(b); err != nil {
			return err
		}
		if err := b.Validate(); err != nil {
			return err
		}
		return tx.SetBudgets(ctx, org, b)
	})
	if err != nil {
		return Budget{}, err
	}
	return s.Budgets(ctx, org)
}
