package ledger

import (
	"context"
	"math"
	"time"

	"github.com/parley-chat/parley/domain"
)

const million = 1e6 // amounts lie in the tables as millionths of a dollar

func micros(usd float64) int64 {
	if !(usd > 0) { // not a number either
		return 0
	}
	return int64(math.Ceil(min(usd, domain.MaxBudgetUSD) * million))
}

// Budgets reads what an organisation's agents may spend.
func (l *Ledger) Budgets(ctx context.Context, org domain.OrgID) (domain.Budgets, error) {
	var row struct{ Daily, Session *int64 }
	err := l.NewRaw(`SELECT daily_budget_micros AS daily, session_budget_micros AS session FROM organisations WHERE id = ?`, org).Scan(ctx, &row)
	return domain.Budgets{DailyUSD: dollars(row.Daily), SessionUSD: dollars(row.Session)}, classify(err)
}

func dollars(micros *int64) *float64 {
	if micros == nil {
		return nil
	}
	usd := float64(*micros) / million
	return &usd
}

// SetBudgets bounds what an organisation's agents may spend from now on.
func (l *Ledger) SetBudgets(ctx context.Context, org domain.OrgID, b domain.Budgets) error {
	stored := func(usd *float64) *int64 {
		if usd == nil {
			return nil
		}
		m := micros(*usd)
		return &m
	}
	res, err := l.NewRaw(`UPDATE organisations SET daily_budget_micros = ?, session_budget_micros = ? WHERE id = ?`,
		stored(b.DailyUSD), stored(b.SessionUSD), org).Exec(ctx)
	return one(res, err)
}

// SpentToday is what an organisation's agents have spent and set aside on the present UTC day, in dollars.
func (l *Ledger) SpentToday(ctx context.Context, org domain.OrgID) (float64, error) {
	var spent int64
	err := l.NewRaw(`SELECT coalesce(sum(micros), 0) FROM spend_days WHERE org_id = ? AND day = (now() AT TIME ZONE 'UTC')::date`, org).Scan(ctx, &spent)
	return float64(spent) / million, classify(err)
}

// The two counters are locked in this order by everybody.
const purse = `
WITH days AS (
    INSERT INTO spend_days AS d (org_id, day) VALUES (?0, (now() AT TIME ZONE 'UTC')::date)
    ON CONFLICT (org_id, day) DO UPDATE SET micros = d.micros RETURNING day, micros
), sessions AS (
    INSERT INTO spend_sessions AS s (org_id, session) SELECT ?0, ?1::uuid FROM days
    ON CONFLICT (org_id, session) DO UPDATE SET updated_at = now() RETURNING micros
)
SELECT o.daily_budget_micros AS daily, o.session_budget_micros AS session, days.day, days.micros AS day_spent, sessions.micros AS session_spent
FROM organisations o, days, sessions WHERE o.id = ?0`

const addSpend = `
WITH held AS (
    INSERT INTO spend_holds (id, org_id, day, session, micros) VALUES (?2, ?0, ?3, ?1::uuid, ?4)
), sessions AS (
    UPDATE spend_sessions SET micros = micros + ?4 WHERE org_id = ?0 AND session = ?1::uuid
)
UPDATE spend_days SET micros = micros + ?4 WHERE org_id = ?0 AND day = ?3`

// Hold sets money aside for a call before it is made and returns the hold's id. It fails with *domain.OverBudget if a budget has
// less left, or nothing at all. Of any number of calls on any number of nodes no more come through than there is money for.
func (l *Ledger) Hold(ctx context.Context, s domain.Spending) (hold string, err error) {
	amount := micros(s.USD)
	var over *domain.OverBudget
	err = l.InTx(ctx, func(tx *Ledger) error {
		var p struct {
			Daily, Session         *int64
			Day                    time.Time
			DaySpent, SessionSpent int64
		}
		if err := tx.NewRaw(purse, s.OrgID, s.Session).Scan(ctx, &p); err != nil {
			return err
		}
		switch {
		case exhausted(p.Daily, p.DaySpent, amount):
			over = &domain.OverBudget{Budget: "daily"}
			return nil
		case exhausted(p.Session, p.SessionSpent, amount):
			over = &domain.OverBudget{Budget: "session"}
			return nil
		}
		hold = string(NewID[domain.EventID]())
		_, err := tx.NewRaw(addSpend, s.OrgID, s.Session, hold, p.Day.Format(time.DateOnly), amount).Exec(ctx)
		return err
	})
	if over != nil && err == nil {
		return "", over
	}
	return hold, err
}

func exhausted(budget *int64, spent, wanted int64) bool {
	return budget != nil && (spent >= *budget || spent+wanted > *budget)
}

// Settling looks for the hold first, so that it counts once however often it is asked for.
const settle = `
WITH held AS (
    DELETE FROM spend_holds WHERE id = ?1 AND org_id = ?0 RETURNING day, session, micros
), days AS (
    UPDATE spend_days d SET micros = greatest(0, d.micros + ?2 - held.micros) FROM held WHERE d.org_id = ?0 AND d.day = held.day
    RETURNING held.session, held.micros
)
UPDATE spend_sessions s SET micros = greatest(0, s.micros + ?2 - days.micros), updated_at = now()
FROM days WHERE s.org_id = ?0 AND s.session = days.session`

// Settle replaces what was held by what the call has cost. A hold that nobody settles, because its node died, stays counted:
// the call may have been made.
func (l *Ledger) Settle(ctx context.Context, org domain.OrgID, hold string, usd float64) error {
	_, err := l.NewRaw(settle, org, hold, micros(usd)).Exec(ctx)
	return classify(err)
}

// SweepSpend forgets counters that nothing asks for any more.
func (l *Ledger) SweepSpend(ctx context.Context) error {
	if err := l.forget(ctx, "spend_holds", "x.created_at < now() - interval '1 day'"); err != nil {
		return err
	}
	return l.forget(ctx, "spend_sessions", "x.updated_at < now() - interval '90 days'")
}
