package ledger

import (
	"database/sql"
	"strings"

	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/parley-chat/parley/domain"
)

// likeEscaper makes a visitor's % and _ mean themselves.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// bunArray is a slice as a Postgres array.
func bunArray[T any](s []T) any { return pgdialect.Array(s) }

// one turns a write that met no row into NotFound.
func one(res sql.Result, err error) error {
	if err != nil {
		return classify(err)
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return classify(err)
	}
	return domain.NotFoundf("there is no such thing")
}
