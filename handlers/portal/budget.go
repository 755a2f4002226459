package portal

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

func (p *Portal) showBudget(w http.ResponseWriter, r *http.Request) error {
	budgets, err := p.Account.Budgets(r.Context(), memberOf(r).Organisation.ID)
	if err != nil {
		return err
	}
	return p.budgetForm(w, r, http.StatusOK, ui.Form{Values: views.BudgetValues(budgets.Budgets)})
}

func (p *Portal) budgetForm(w http.ResponseWriter, r *http.Request, status int, form ui.Form) error {
	budgets, err := p.Account.Budgets(r.Context(), memberOf(r).Organisation.ID)
	if err != nil {
		return err
	}
	frame, err := p.frame(w, r, views.AgentsSection, "Budget")
	if err != nil {
		return err
	}
	return render(w, r, status, views.BudgetPage(views.Budget{Frame: frame, Form: form, SpentUSD: budgets.SpentTodayUSD}))
}

func (p *Portal) updateBudget(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	_, err := p.Account.SetBudgets(r.Context(), memberOf(r).Organisation.ID, domain.Budgets{
		DailyUSD: dollarsOf(r.PostForm.Get("daily_budget_usd")), SessionUSD: dollarsOf(r.PostForm.Get("session_budget_usd")),
	})
	if form, ok := problems(err); ok {
		return p.budgetForm(w, r, http.StatusUnprocessableEntity, asTyped(r, form))
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "budget-saved")
	return done(w, r, "/agents/budget")
}

// dollarsOf reads an amount of a form. A blank one is none; what is no number is -1, which no budget allows.
func dollarsOf(s string) *float64 {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	usd, err := strconv.ParseFloat(s, 64)
	if err != nil {
		usd = -1
	}
	return &usd
}
