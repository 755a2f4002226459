package ledger

import (
	"context"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// ExplainEvents is how the database would look for the events of a filter.
func (l *Ledger) ExplainEvents(ctx context.Context, org domain.OrgID, f EventFilter) (string, error) {
	var lines []string
	q := f.narrow(l.NewSelect().TableExpr("events AS e").ColumnExpr("e.*"), org)
	err := l.NewRaw("EXPLAIN ?", q).Scan(ctx, &lines)
	return strings.Join(lines, "\n"), err
}
