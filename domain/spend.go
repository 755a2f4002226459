package domain

// Budgets bound what an organisation's agents may spend, in US dollars. nil = no bound; 0 = nothing may be spent.
type Budgets struct {
	DailyUSD   *float64 // all agents together, a UTC day
	SessionUSD *float64 // on one visitor's session
}

// Spending is what an agent is about to spend at most.
type Spending struct {
	OrgID   OrgID
	Session string // a session's id, or of a thread without one the thread's
	USD     float64
}

// OverBudget says which budget does not have what was asked of it.
type OverBudget struct {
	Budget string // daily or session
}

func (o *OverBudget) Error() string { return "the " + o.Budget + " budget is used up" }

// MaxBudgetUSD bounds what a budget can be set to.
const MaxBudgetUSD = 1_000_000

// Validate fails with Invalid and a problem for every bad field: daily_budget_usd, session_budget_usd.
func (b Budgets) Validate() error {
	p := agentProblems{}
	for field, usd := range map[string]*float64{"daily_budget_usd": b.DailyUSD, "session_budget_usd": b.SessionUSD} {
		if usd != nil {
			between(p, field, *usd, 0, MaxBudgetUSD)
		}
	}
	return p.err()
}
