package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/cluster"
)

// database is where the ledger lives: a server that DATABASE_URL names, or the embedded one.
type database struct {
	dsn     string
	cluster *cluster.Server // nil with DATABASE_URL
}

const (
	clusterStart = 2 * time.Minute  // for Postgres to recover after a power cut
	clusterStop  = 20 * time.Second // for Postgres to end its connections and write a checkpoint
)

// openDatabase reaches the configured server, or starts the embedded one. close must be called.
func openDatabase(ctx context.Context, c config) (*database, error) {
	if c.databaseURL != "" {
		return &database{dsn: c.databaseURL}, nil
	}
	dir := filepath.Join(c.dataDir, "postgres")
	if err := os.MkdirAll(c.dataDir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the data directory %s (PARLEY_DATA_DIR): %w", c.dataDir, err)
	}
	starting, cancel := context.WithTimeout(ctx, clusterStart)
	defer cancel()
	srv, err := cluster.Start(starting, cluster.Config{Dir: dir, BinDir: c.pgBin, Log: clusterLog{c.log}})
	if err != nil {
		return nil, err
	}
	return &database{dsn: srv.DSN(cluster.Database), cluster: srv}, nil
}

func (d *database) close() {
	if d.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), clusterStop)
	defer cancel()
	_ = d.cluster.Stop(ctx) // it has said in the log what went wrong
}

// withLedger runs f on the configured database with its schema checked to be one that this binary knows.
func withLedger(ctx context.Context, c config, f func(*ledger.Ledger) error) error {
	db, err := openDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer db.close()
	l, err := c.openLedger(ctx, db.dsn)
	if err != nil {
		return err
	}
	defer l.Close()
	return f(l)
}

// withMigrated runs f on the database that the environment names, with its schema brought up to date.
func withMigrated(ctx context.Context, std *stdio, env getenv, f func(config, *ledger.Ledger) error) error {
	cfg, err := readConfig(env, std.Err)
	if err != nil {
		return err
	}
	return withLedger(ctx, cfg, func(l *ledger.Ledger) error {
		if _, err := ledger.MigrateUp(ctx, l.DB()); err != nil {
			return err
		}
		return f(cfg, l)
	})
}

func (c config) openLedger(ctx context.Context, dsn string) (*ledger.Ledger, error) {
	seal, err := c.sealer()
	if err != nil {
		return nil, err
	}
	l, err := ledger.Open(ctx, dsn, ledger.Options{Sealer: seal, Log: c.log})
	if err != nil {
		return nil, err
	}
	if err := ledger.CheckSchema(ctx, l.DB()); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
