package ledgertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/cluster"
	"github.com/parley-chat/parley/migrations"
)

// patience is how long anything here may take, on a machine that is busy with other tests.
const patience = time.Minute

// server is a Postgres to test on.
type server struct {
	dsn      string                 // of its maintenance database
	like     string                 // the clause of CREATE DATABASE that copies a template; its name follows
	template func() (string, error) // the name of the migrated database, made with the first call
	remove   func() error
}

// process is the one server of this test process, started with the first test that wants one.
var process struct {
	sync.Mutex
	*server
	err error
}

func running() (*server, error) {
	process.Lock()
	defer process.Unlock()
	if process.server == nil && process.err == nil {
		process.server, process.err = newServer()
	}
	return process.server, process.err
}

func removeRunning() error {
	process.Lock()
	defer process.Unlock()
	if process.server == nil {
		return nil
	}
	return process.remove()
}

func newServer() (*server, error) {
	s := &server{dsn: os.Getenv("PARLEY_TEST_DATABASE_URL"), remove: func() error { return nil }}
	if s.dsn == "" {
		if err := s.startCluster(); err != nil {
			return nil, err
		}
	}
	var version int
	err := s.connected(func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version)
	})
	if err != nil {
		return nil, errors.Join(err, s.remove())
	}
	s.like = " TEMPLATE "
	if version >= 15_00_00 { // older ones know no other way than to copy files, and no word for it
		s.like = " STRATEGY FILE_COPY TEMPLATE "
	}
	s.template = sync.OnceValues(s.makeTemplate)
	return s, nil
}

// startCluster makes a cluster that dies with this process, however that ends.
func (s *server) startCluster() error {
	dir, err := cluster.ScratchDir()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := cluster.Start(ctx, cluster.Config{Dir: dir, Ephemeral: true})
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	s.dsn = c.DSN("postgres")
	s.remove = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return errors.Join(c.Stop(ctx), os.RemoveAll(dir))
	}
	return nil
}

// makeTemplate makes the migrated database that others are cloned from, unless another process has. It is built under another
// name: Postgres refuses to clone a database that anyone is connected to, and half-built ones must not be found.
func (s *server) makeTemplate() (name string, err error) {
	hash, err := hashMigrations()
	if err != nil {
		return "", err
	}
	name, draft := "template_"+hash, "draft_"+hash
	return name, s.connected(func(ctx context.Context, conn *pgx.Conn) error {
		const lock = 7089618114 // held until conn closes
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
			return err
		}
		var there bool
		err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
		if err != nil || there {
			return err
		}
		for _, sql := range []string{"DROP DATABASE IF EXISTS " + draft + " WITH (FORCE)", "CREATE DATABASE " + draft} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return err
			}
		}
		if err := migrate(ctx, withDatabase(s.dsn, draft)); err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "ALTER DATABASE "+draft+" RENAME TO "+name)
		return err
	})
}

func migrate(ctx context.Context, dsn string) error {
	l, err := ledger.Open(ctx, dsn, ledger.Options{})
	if err != nil {
		return err
	}
	defer l.Close()
	_, err = ledger.MigrateUp(ctx, l.DB())
	return err
}

// hashMigrations tells one set of migrations from another, so that a change of any of them makes a new template.
func hashMigrations() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(migrations.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations.FS, path)
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	return fmt.Sprintf("%.8x", sum.Sum(nil)), err
}

// connected lends f a connection to the maintenance database.
func (s *server) connected(f func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.dsn)
	if err != nil {
		return err
	}
	return errors.Join(f(ctx, conn), conn.Close(ctx))
}

// withDatabase is dsn, a URL or a list of keywords, for another database of the same server.
func withDatabase(dsn, name string) string {
	u, err := url.Parse(dsn)
	if err != nil || u.Scheme == "" {
		return strings.TrimSpace(dsn) + " dbname=" + name // the last one counts
	}
	q := u.Query()
	q.Del("dbname")
	u.Path, u.RawQuery = "/"+name, q.Encode()
	return u.String()
}
