package views

import (
	"fmt"
	"strconv"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Budget is the page that bounds what agents may cost. The form's fields are daily_budget_usd and session_budget_usd.
type Budget struct {
	Frame    Frame
	Form     ui.Form
	SpentUSD float64 // today, with what is set aside for calls in progress
}

// BudgetValues are the fields of the form for budgets as they are.
func BudgetValues(b domain.Budgets) map[string]string {
	v := map[string]string{}
	for name, usd := range map[string]*float64{"daily_budget_usd": b.DailyUSD, "session_budget_usd": b.SessionUSD} {
		if usd != nil {
			v[name] = strconv.FormatFloat(*usd, 'f', -1, 64)
		}
	}
	return v
}

func (b Budget) spent() string {
	if b.SpentUSD == 0 {
		return "Nothing was spent today."
	}
	return fmt.Sprintf("Spent today: $%.4f.", b.SpentUSD)
}
