package ledger

import "context"

// WriterSetting is what a setting of Postgres is for whoever commits appends.
func (l *Ledger) WriterSetting(ctx context.Context, name string) (value string, err error) {
	err = l.writers.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value)
	return value, err
}
