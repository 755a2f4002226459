package ledger_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// Our own migrations go up on a fresh database, down again without a trace, and up once more.
func TestMigrations(t *testing.T) {
	t.Parallel()
	db := emptyDB(t)
	if err := ledger.CheckSchema(t.Context(), db); err != nil {
		t.Errorf("CheckSchema of a database nobody has migrated: %v", err)
	}
	for round := range 2 {
		applied, err := ledger.MigrateUp(t.Context(), db)
		if err != nil || len(applied) == 0 || !slices.IsSorted(applied) {
			t.Fatalf("round %d: up = %v, %v", round, applied, err)
		}
		if again, err := ledger.MigrateUp(t.Context(), db); err != nil || len(again) != 0 {
			t.Errorf("round %d: up again = %v, %v, want nothing to do", round, again, err)
		}
		if err := ledger.CheckSchema(t.Context(), db); err != nil {
			t.Errorf("round %d: CheckSchema = %v", round, err)
		}
		states, err := ledger.MigrationStatus(t.Context(), db)
		if err != nil || len(states) != len(applied) || slices.ContainsFunc(states, func(s ledger.MigrationState) bool {
			return s.AppliedAt.IsZero() || s.Group != 1 || s.Unknown
		}) {
			t.Errorf("round %d: status = %+v, %v", round, states, err)
		}
		back, err := ledger.MigrateDown(t.Context(), db)
		slices.Reverse(back)
		if err != nil || !slices.Equal(back, applied) {
			t.Fatalf("round %d: down = %v, %v, want %v backwards", round, back, err, applied)
		}
		if left := relations(t, db); len(left) > 0 {
			t.Errorf("round %d: down leaves %v behind", round, left)
		}
	}
	if back, err := ledger.MigrateDown(t.Context(), db); err != nil || len(back) != 0 {
		t.Errorf("down with nothing applied = %v, %v", back, err)
	}
}

// Whoever deletes a row that others refer to finds those by an index, and does not read their whole table. Organisations are not deleted,
// and invitations are few.
func TestReferencesAreIndexed(t *testing.T) {
	t.Parallel()
	var missing []string
	err := ledgertest.New(t).NewRaw(`SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid <> 'organisations'::regclass AND c.conrelid <> 'invitations'::regclass
  AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])`).Scan(t.Context(), &missing)
	if err != nil || len(missing) > 0 {
		t.Errorf("without an index: %v, %v", missing, err)
	}
}

// Nodes that start together do not trip over each other: each migration is applied once, and all see it done.
func TestMigrateConcurrently(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.EmptyDSN(t)
	all := make([][]string, 6)
	var nodes sync.WaitGroup
	for i := range all {
		db := openDB(t, dsn)
		nodes.Go(func() {
			applied, err := ledger.MigrateUp(t.Context(), db)
			if err != nil {
				t.Error(err)
			}
			all[i] = applied
			if _, err := db.NewSelect().Table("organisations").Count(t.Context()); err != nil {
				t.Errorf("MigrateUp returned before the schema was there: %v", err)
			}
		})
	}
	nodes.Wait()
	if n := len(slices.DeleteFunc(all, func(applied []string) bool { return len(applied) == 0 })); n != 1 {
		t.Errorf("%d nodes applied something, want 1", n)
	}
}

func TestMigrationGroups(t *testing.T) {
	t.Parallel()
	db := emptyDB(t)
	ctx := t.Context()
	v1, v2 := files("1_one"), files("1_one", "2_two", "3_three")
	mustMove(t, ledger.MigrateUpFrom, db, v1, "1_one")
	mustMove(t, ledger.MigrateUpFrom, db, v2, "2_two", "3_three")
	mustMove(t, ledger.MigrateDownFrom, db, v2, "3_three", "2_two")
	states, err := ledger.MigrationsStatus(ctx, db, v2)
	if err != nil || len(states) != 3 || states[0].Group != 1 || states[0].AppliedAt.IsZero() || states[1].Group != 0 || !states[2].AppliedAt.IsZero() {
		t.Errorf("status = %+v, %v", states, err)
	}
	mustMove(t, ledger.MigrateDownFrom, db, v2, "1_one")
	if left := relations(t, db); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A binary older than the schema touches nothing and says why in one line.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	db := emptyDB(t)
	newer, older := files("1_one", "2_two", "3_three"), files("1_one", "4_four")
	mustMove(t, ledger.MigrateUpFrom, db, newer, "1_one", "2_two", "3_three")
	before := relations(t, db)
	for name, run := range map[string]func() error{
		"check": func() error { return ledger.CheckSchemaAgainst(t.Context(), db, older) },
		"up":    func() error { _, err := ledger.MigrateUpFrom(t.Context(), db, older); return err },
		"down":  func() error { _, err := ledger.MigrateDownFrom(t.Context(), db, older); return err },
	} {
		err := run()
		if domain.KindOf(err) != domain.Conflict || !strings.HasPrefix(err.Error(), "the database's schema is newer than this parley") ||
			!strings.Contains(err.Error(), "2, 3") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := relations(t, db); !slices.Equal(before, after) {
		t.Errorf("the schema changed from %v to %v", before, after)
	}
	states, err := ledger.MigrationsStatus(t.Context(), db, older)
	if err != nil || len(states) != 4 || states[0].Unknown || !states[1].Unknown || !states[2].Unknown || states[3].Unknown {
		t.Errorf("status = %+v, %v", states, err)
	}
}

// A migration that fails leaves no trace of itself, and the next attempt goes on from there.
func TestFailedMigration(t *testing.T) {
	t.Parallel()
	db := emptyDB(t)
	broken := files("1_one", "2_two")
	broken["2_two.tx.up.sql"].Data = []byte("CREATE TABLE t2 (); SELECT 1/0;")
	applied, err := ledger.MigrateUpFrom(t.Context(), db, broken)
	if err == nil || !strings.Contains(err.Error(), "division by zero") || !slices.Equal(applied, []string{"1_one"}) {
		t.Errorf("up = %v, %v, want the first, and why the second failed", applied, err)
	}
	if got := relations(t, db); !slices.Equal(got, []string{"t1"}) {
		t.Errorf("there is %v, want t1 alone", got)
	}
	mustMove(t, ledger.MigrateUpFrom, db, files("1_one", "2_two"), "2_two")
}

// A node may die at any point: a migration is in the schema if and only if it is marked. The trigger stands for a death right
// after the commit, where bun would write its own mark.
func TestMarkIsPartOfMigration(t *testing.T) {
	t.Parallel()
	db := emptyDB(t)
	deadly := files("1_one")
	deadly["1_one.tx.up.sql"].Data = []byte(`CREATE TABLE t1 ();
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''died''; END';
CREATE TRIGGER die BEFORE UPDATE ON bun_migrations FOR EACH ROW EXECUTE FUNCTION die();`)
	applied, err := ledger.MigrateUpFrom(t.Context(), db, deadly)
	if err == nil || !strings.Contains(err.Error(), "died") {
		t.Fatalf("up = %v, %v, want the death", applied, err)
	}
	mustMove(t, ledger.MigrateUpFrom, db, deadly) // nothing is left to do
}

// A node that waits for another's migration gives up when it is told to.
func TestMigrateWaits(t *testing.T) {
	t.Parallel()
	db := emptyDB(t)
	hold := files("1_one")
	hold["1_one.tx.up.sql"].Data = []byte("CREATE TABLE t1 (); SELECT pg_sleep(60);")
	busy, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := ledger.MigrateUpFrom(busy, db, hold)
		done <- err
	}()
	waitFor(t, db, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
	ctx, cancel := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		_, err := ledger.MigrateUpFrom(ctx, db, files("1_one"))
		second <- err
	}()
	waitFor(t, db, "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	cancel()
	if err := <-second; err == nil {
		t.Error("the second node did not wait")
	}
	end()
	if err := <-done; err == nil {
		t.Error("the first node finished although it was stopped")
	}
	mustMove(t, ledger.MigrateUpFrom, db, files("1_one"), "1_one") // and nobody holds the lock
}

func mustMove(t *testing.T, move func(context.Context, *bun.DB, fs.FS) ([]string, error), db *bun.DB, from fs.FS, want ...string) {
	t.Helper()
	got, err := move(t.Context(), db, from)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("moved %v, %v, want %v", got, err, want)
	}
}

// files is a set of migrations, of which number n makes table tn.
func files(names ...string) fstest.MapFS {
	set := fstest.MapFS{}
	for _, name := range names {
		table := "t" + name[:1]
		set[name+".tx.up.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE " + table + " ();")}
		set[name+".tx.down.sql"] = &fstest.MapFile{Data: []byte("DROP TABLE " + table + ";")}
	}
	return set
}

func emptyDB(t *testing.T) *bun.DB {
	t.Helper()
	return openDB(t, ledgertest.EmptyDSN(t))
}

func openDB(t *testing.T, dsn string) *bun.DB {
	t.Helper()
	l, err := ledger.Open(t.Context(), dsn, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l.DB()
}

// relations lists what migrations have made, functions and types included.
func relations(t *testing.T, db *bun.DB) []string {
	t.Helper()
	var names []string
	err := db.NewRaw(`SELECT name FROM (
			SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'
			UNION ALL SELECT proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		) AS made WHERE name NOT LIKE 'bun_migration%' ORDER BY name`).Scan(t.Context(), &names)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// waitFor waits until a query says true.
func waitFor(t *testing.T, db *bun.DB, query string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		var is bool
		if err := db.NewRaw(query).Scan(t.Context(), &is); err != nil {
			t.Fatal(err)
		}
		if is {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for: %s", query)
		}
	}
}
