// Package migrations holds the schema's changes as SQL, one file per change, embedded in the binary. It must never hold Go that touches data.
package migrations

import "embed"

// FS holds NAME.tx.up.sql and NAME.tx.down.sql, each run in one transaction.
//
//go:embed *.sql
var FS embed.FS
