// Package ledger holds all SQL: ordinary reads and writes through bun, and the one batched append path by which anything that
// happens in a thread is recorded. It must never decide what a person may do beyond an organisation's bounds, talk to an agent,
// or keep anything in memory whose loss somebody would notice.
package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/parley-chat/parley/domain"
)

// Ledger is a handle on the database. The zero value is not usable; call Open. A handle given by InTx does its ordinary reads and
// writes in that transaction; appends and claims always have their own.
type Ledger struct {
	bun.IDB // ordinary queries: the database, or the transaction of InTx
	*core
}

// core is what all handles of one database share.
type core struct {
	db      *bun.DB
	readers *pgxpool.Pool // bun: plain text, planned anew each time
	keyed   *sql.DB       // hot, for lookups
	lookups sync.Map      // their statements
	hot     *pgxpool.Pool // the reads of every turn and every reader, and hints: prepared
	writers *pgxpool.Pool // claims and what else is written beside the lanes: prepared too, durable commits
	commits *pgxpool.Pool // the same for the lanes alone, which therefore wait for no connection
	seal    *Sealer
	lanes   []*lane
	mails   bool // there is a way to send mail
	heard   []func([]Outcome)
	births  *Births // nil: every turn waits for a claim
	first   precedence
	places  gather[placeQuery, []ChatwootPlace]
	threads gather[chatwootBegin, domain.ThreadID]
	reports gather[ChatwootReport, bool]
	news    gather[sinceQuery, sinceAnswer]
	resent  []func()
	log     *slog.Logger

	noTrigrams atomic.Bool  // this database cannot tell what resembles what
	turnsSwept atomic.Bool  // all turns there were at the beginning have been looked at
	leftSwept  atomic.Int64 // when all that wait for an answer were looked at last, in Unix milliseconds; 0 = never
}

// Options of Open; the zero value of a field means its default.
type Options struct {
	Sealer *Sealer // seals stored credentials; nil refuses to store or read any
	Lanes  int     // append lanes, each with a connection of its own (2)
	Conns  int     // connections for everything but lanes and claims (16), half of them for what is prepared
	Log    *slog.Logger
}

const writerConns = 3 // for what is written beside the lanes: claims, deliveries, threads that begin

// Open connects to Postgres and starts the append lanes. It fails when the server cannot be reached within ctx; afterwards
// outages heal by themselves. Close must be called.
func Open(ctx context.Context, dsn string, o Options) (*Ledger, error) {
	if o.Lanes == 0 {
		o.Lanes = 2
	}
	if o.Conns == 0 {
		o.Conns = 16
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	readers, err := open(ctx, dsn, max(1, o.Conns/2), func(c *pgx.ConnConfig) {
		// bun writes arguments into the text: prepared, each query would leave a statement of its own behind.
		c.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	})
	if err != nil {
		return nil, err
	}
	hot, err := open(ctx, dsn, max(1, o.Conns-o.Conns/2), prepared)
	if err != nil {
		readers.Close()
		return nil, err
	}
	durable := func(c *pgx.ConnConfig) {
		prepared(c)
		c.RuntimeParams["synchronous_commit"] = "on"
		// A node that is cut off in the middle of a transaction must not hold its locks, the claims' among them, for the two hours
		// that a server otherwise waits before it asks. Sockets of the same machine know no such thing and ignore it.
		c.RuntimeParams["tcp_keepalives_idle"] = "10"
		c.RuntimeParams["tcp_keepalives_interval"] = "5"
		c.RuntimeParams["tcp_keepalives_count"] = "3"
	}
	writers, err := open(ctx, dsn, writerConns, durable)
	if err != nil {
		readers.Close()
		hot.Close()
		return nil, err
	}
	commits, err := open(ctx, dsn, o.Lanes, durable)
	if err != nil {
		readers.Close()
		hot.Close()
		writers.Close()
		return nil, err
	}
	db := bun.NewDB(stdlib.OpenDBFromPool(readers), pgdialect.New(), bun.WithDiscardUnknownColumns())
	l := &Ledger{IDB: db, core: &core{db: db, readers: readers, hot: hot, keyed: stdlib.OpenDBFromPool(hot), writers: writers, commits: commits, seal: o.Sealer, log: o.Log}}
	l.places = gather[placeQuery, []ChatwootPlace]{most: laneBatch, ask: l.chatwootPlaces}
	l.news = gather[sinceQuery, sinceAnswer]{most: newsBatch, ask: l.since}
	l.threads = gather[chatwootBegin, domain.ThreadID]{most: laneBatch, ask: l.chatwootThreads}
	l.reports = gather[ChatwootReport, bool]{most: laneBatch, ask: l.keepChatwootReports}
	for range o.Lanes {
		l.lanes = append(l.lanes, l.startLane())
	}
	return l, nil
}

// prepared lets a connection keep its statements and their plans.
func prepared(c *pgx.ConnConfig) {
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	// A generic plan made while the tables were empty would keep its sequential scan, or a join that reads a whole index, until the
	// tables are analysed. What is prepared looks rows up by their keys, however many there are.
	c.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	// A bitmap does not tell the index which of its entries are dead: of a queue, whatever passed through it would be read again each time
	// until the next vacuum.
	for _, way := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan"} {
		c.RuntimeParams[way] = "off"
	}
	// Nor do few rows need helpers, for which a plan would rather read a whole table together than a small index alone.
	c.RuntimeParams["max_parallel_workers_per_gather"] = "0"
}

func open(ctx context.Context, dsn string, conns int, set func(*pgx.ConnConfig)) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL is not a Postgres URL: %w", err)
	}
	cfg.MaxConns = int32(conns)
	cfg.ShouldPing = doubtful
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "parley"
	}
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["jit"] = "off" // compiling takes longer than any of these statements: it made the inbox's counts four times as slow
	set(cfg.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("cannot reach Postgres: %w", err)
	}
	return pool, nil
}

// OnCommit adds somebody who hears of appends once they are committed and before their callers are answered; they must not block.
// Call it before the first append.
func (l *Ledger) OnCommit(f func([]Outcome)) { l.heard = append(l.heard, f) }

// OnResend adds somebody who hears that something on record is to be delivered again; they must not block.
func (l *Ledger) OnResend(f func()) { l.resent = append(l.resent, f) }

func (l *Ledger) again(err error) error {
	if err == nil {
		for _, f := range l.resent {
			f()
		}
	}
	return err
}

// DB is the database behind every handle, for migrations.
func (l *Ledger) DB() *bun.DB { return l.db }

// ConnConfig is how to reach this database, for a connection outside the pools such as the one that listens.
func (l *Ledger) ConnConfig() *pgx.ConnConfig { return l.readers.Config().ConnConfig.Copy() }

// Close answers what the lanes still hold, then lets go of all connections. Nothing may be appended any more.
func (l *Ledger) Close() {
	for _, ln := range l.lanes {
		ln.close()
	}
	_ = l.db.Close()
	_ = l.keyed.Close()
	l.readers.Close()
	l.hot.Close()
	l.writers.Close()
	l.commits.Close()
}

// Identity tells this database from all others, whatever it is called and wherever it runs.
func (l *Ledger) Identity(ctx context.Context) (id string, err error) {
	err = l.readers.QueryRow(ctx, `SELECT system_identifier || '-' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()`).Scan(&id)
	return id, classify(err)
}

// Ping reports whether the database answers.
func (l *Ledger) Ping(ctx context.Context) error { return classify(l.readers.Ping(ctx)) }

// InTx runs f in a transaction: committed if f returns nil, rolled back otherwise.
func (l *Ledger) InTx(ctx context.Context, f func(tx *Ledger) error) error {
	return classify(l.db.RunInTx(ctx, &sql.TxOptions{}, func(_ context.Context, tx bun.Tx) error {
		return f(&Ledger{IDB: tx, core: l.core})
	}))
}

// NewID makes an identifier: a UUIDv7, so that what is written together lies together.
func NewID[T ~string]() T { return T(uuid.Must(uuid.NewV7()).String()) }

// clean is [domain.Storable], for whatever comes from outside.
func clean(s string) string { return domain.Storable(s) }
