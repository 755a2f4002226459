package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// Budget is what an organisation's agents may spend and have spent.
type Budget struct {
	DailyUSD      *float64 `json:"daily_budget_usd" nullable:"true" doc:"What all agents together may cost a UTC day; null: no limit." example:"20"`
	SessionUSD    *float64 `json:"session_budget_usd" nullable:"true" doc:"What agents may cost in one visitor's session; null: no limit." example:"0.5"`
	SpentTodayUSD float64  `json:"spent_today_usd" doc:"Since midnight UTC, with what is set aside for calls in progress." example:"3.17"`
}

func showBudget(b account.Budget) Budget { return Budget{b.DailyUSD, b.SessionUSD, b.SpentTodayUSD} }

// BudgetFields is what can be set of a budget.
type BudgetFields struct {
	DailyUSD   Amount `json:"daily_budget_usd,omitzero" doc:"What all agents together may cost a UTC day; null: no limit."`
	SessionUSD Amount `json:"session_budget_usd,omitzero" doc:"What agents may cost in one visitor's session; null: no limit."`
}

// Amount is dollars in a request body that tells null (no limit) from absent (as it was).
type Amount struct {
	Given bool
	USD   *float64
}

// UnmarshalJSON is called for null as well, but not for an absent key.
func (a *Amount) UnmarshalJSON(b []byte) error {
	*a = Amount{Given: true}
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	return json.Unmarshal(b, &a.USD)
}

// Schema describes an Amount to huma.
func (Amount) Schema(huma.Registry) *huma.Schema {
	none := 0.0
	return &huma.Schema{Type: huma.TypeNumber, Nullable: true, Minimum: &none, Examples: []any{20}}
}

type updateBudgetRequest struct {
	Match
	Body BudgetFields `example:"{\"daily_budget_usd\":20,\"session_budget_usd\":0.5}"`
}

func (a *API) budgetOperations() {
	const tag = tagAgents
	add(a, operation(http.MethodGet, "/organisation/budget", "get-budget", tag, "Read the budget", "What the organisation's agents may spend, and have spent today."), a.getBudget)
	add(a, changes(ownerOperation(http.MethodPatch, "/organisation/budget", "update-budget", tag, "Change the budget",
		"Checked before every call that costs, on all nodes together. A conversation that an empty budget leaves without an agent has "+
			"`dispatch_skipped` with the reason `budget_exceeded` in its timeline. `If-Match` is about the limits alone, whatever is spent meanwhile.")), a.updateBudget)
}

// taggedBudget is tagged by what can be changed, and by what is spent beside it, which changes all the time.
func taggedBudget(b account.Budget) *Tagged[Budget] {
	shown := showBudget(b)
	return &Tagged[Budget]{tagBeside(b.Budgets, shown), shown}
}

func (a *API) getBudget(ctx context.Context, _ *struct{}) (*Tagged[Budget], error) {
	b, err := a.Account.Budgets(ctx, callerOf(ctx).scope())
	return taggedBudget(b), err
}

func (a *API) updateBudget(ctx context.Context, in *updateBudgetRequest) (*Tagged[Budget], error) {
	b, err := a.Account.ChangeBudgets(ctx, callerOf(ctx).scope(), func(now domain.Budgets) (domain.Budgets, error) {
		err := in.check(now)
		if in.Body.DailyUSD.Given {
			now.DailyUSD = in.Body.DailyUSD.USD
		}
		if in.Body.SessionUSD.Given {
			now.SessionUSD = in.Body.SessionUSD.USD
		}
		return now, err
	})
	return taggedBudget(b), err
}
