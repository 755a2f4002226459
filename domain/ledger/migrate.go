package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/migrate"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/migrations"
)

// MigrationState is one migration and whether the database has it.
type MigrationState struct {
	Name      string    // as its file begins: 20261121090000_ledger; of an unknown one the number alone
	AppliedAt time.Time // zero = not applied
	Group     int64     // what was applied together is rolled back together; 0 = not applied
	Unknown   bool      // the database has it, this binary does not
}

// MigrateUp brings the database's schema up to this binary and returns the names of what it applied, which may be nothing.
// Any number of nodes may call it at once: one works, the others wait for it until ctx ends. Each migration is applied wholly
// or not at all; after a failure those before it stay. It fails like CheckSchema, without touching anything, if the schema is
// newer. db must have room for two connections.
func MigrateUp(ctx context.Context, db *bun.DB) (applied []string, err error) {
	return migrateUp(ctx, db, migrations.FS)
}

// MigrateDown takes back the last group of migrations, newest first, and returns their names; none if nothing is applied.
// What the tables held is gone. Otherwise it is like MigrateUp.
func MigrateDown(ctx context.Context, db *bun.DB) (rolledBack []string, err error) {
	return migrateDown(ctx, db, migrations.FS)
}

// MigrationStatus lists all migrations, oldest first: this binary's, and those the database has beyond them. It changes nothing.
func MigrationStatus(ctx context.Context, db *bun.DB) ([]MigrationState, error) {
	return migrationStatus(ctx, db, migrations.FS)
}

// CheckSchema fails with Conflict, in one line, if the database has migrations that this binary does not know: a newer Parley
// has been here, and this one would misread what it left. An older schema, or none, is no failure.
func CheckSchema(ctx context.Context, db *bun.DB) error {
	return checkSchema(ctx, db, migrations.FS)
}

func migrateUp(ctx context.Context, db *bun.DB, files fs.FS) ([]string, error) {
	return migrateLocked(ctx, db, files, func(m *migrate.Migrator) error {
		_, err := m.Migrate(ctx)
		return err
	})
}

func migrateDown(ctx context.Context, db *bun.DB, files fs.FS) ([]string, error) {
	names, err := migrateLocked(ctx, db, files, func(m *migrate.Migrator) error {
		_, err := m.Rollback(ctx)
		return err
	})
	slices.Reverse(names)
	return names, err
}

// migrateLocked does work while no other node migrates the same database, and returns the names of the migrations it changed,
// oldest first, be it that it failed half-way.
func migrateLocked(ctx context.Context, db *bun.DB, files fs.FS, work func(*migrate.Migrator) error) (names []string, err error) {
	const lock = 7089618113 // any number that nobody else takes in this database
	defer func() {
		if err != nil && domain.KindOf(err) == domain.Internal {
			err = fmt.Errorf("cannot migrate the database: %w", err)
		}
	}()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(?)", lock); err != nil {
		return nil, err
	}
	late := context.WithoutCancel(ctx)
	defer func() {
		_, unlock := conn.ExecContext(late, "SELECT pg_advisory_unlock(?)", lock)
		err = errors.Join(err, unlock)
	}()

	if err := checkSchema(ctx, db, files); err != nil {
		return nil, err
	}
	known, err := discover(files)
	if err != nil {
		return nil, err
	}
	m := newMigrator(db, known)
	if err := m.Init(ctx); err != nil {
		return nil, err
	}
	before, err := m.MigrationsWithStatus(ctx)
	if err != nil {
		return nil, err
	}
	failure := work(m)
	after, err := m.MigrationsWithStatus(late)
	for i := range after {
		if after[i].IsApplied() != before[i].IsApplied() {
			names = append(names, after[i].String())
		}
	}
	return names, errors.Join(failure, err)
}

func discover(files fs.FS) (*migrate.Migrations, error) {
	found := migrate.NewMigrations()
	return found, found.Discover(files)
}

func newMigrator(db *bun.DB, known *migrate.Migrations) *migrate.Migrator {
	// bun marks a migration after committing it. Dying in between would leave a schema that can go neither up nor down, so we
	// mark in the same transaction, and bun's own mark, being an upsert, finds it done.
	mark := func(ctx context.Context, tx bun.IConn, m *migrate.Migration) error {
		if m.IsApplied() { // then it is being taken back
			_, err := tx.ExecContext(ctx, "DELETE FROM bun_migrations WHERE id = ?", m.ID)
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO bun_migrations (name, group_id) VALUES (?, ?)", m.Name, m.GroupID)
		return err
	}
	return migrate.NewMigrator(db, known, migrate.WithMarkAppliedOnSuccess(true), migrate.WithUpsert(true), migrate.AfterMigration(mark))
}

func migrationStatus(ctx context.Context, db *bun.DB, files fs.FS) ([]MigrationState, error) {
	known, err := discover(files)
	if err != nil {
		return nil, err
	}
	rows, err := newMigrator(db, known).AppliedMigrations(ctx)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42P01" { // no such table: nothing was ever applied
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read which migrations the database has: %w", err)
	}
	applied := map[string]migrate.Migration{}
	for _, row := range rows {
		applied[row.Name] = row
	}
	var states []MigrationState
	for _, m := range known.Sorted() {
		row := applied[m.Name]
		delete(applied, m.Name)
		states = append(states, MigrationState{Name: m.String(), AppliedAt: row.MigratedAt, Group: row.GroupID})
	}
	for name, row := range applied {
		states = append(states, MigrationState{Name: name, AppliedAt: row.MigratedAt, Group: row.GroupID, Unknown: true})
	}
	slices.SortFunc(states, func(a, b MigrationState) int { return strings.Compare(a.Name, b.Name) })
	return states, nil
}

func checkSchema(ctx context.Context, db *bun.DB, files fs.FS) error {
	states, err := migrationStatus(ctx, db, files)
	if err != nil {
		return err
	}
	var unknown []string
	for _, s := range states {
		if s.Unknown {
			unknown = append(unknown, s.Name)
		}
	}
	if len(unknown) > 0 {
		return domain.Conflictf("the database's schema is newer than this parley, which does not know its migration %s: run the newer parley",
			strings.Join(unknown, ", "))
	}
	return nil
}
