package relay_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// G3: whatever is appended where, whoever follows from where, and whatever is cut or lost between, each reader is told exactly the
// seqs after its cursor, in order. The model is one number: how long the thread is.
func TestFollowTellsExactlyTheSequence(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	ledgers := []*ledger.Ledger{ledgertest.Open(t, dsn), ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)} // the last one announces nothing
	often := func(r *relay.Relay) { r.SweepEvery(50 * time.Millisecond) }
	relays := []*relay.Relay{start(t, ledgers[0], often), start(t, ledgers[1], often)}
	rapid.Check(t, func(rt *rapid.T) {
		m := &room{Fixture: ledgertest.Seed(t, ledgers[0]), ledgers: ledgers, relays: relays}
		defer m.empty()
		rt.Repeat(map[string]func(*rapid.T){
			"append":   m.append,
			"follow":   m.follow,
			"cut":      m.cut,
			"catch up": m.catchUp,
			"break":    m.breakConnections,
			"": func(rt *rapid.T) {
				for _, r := range m.readers {
					r.inOrder(rt)
				}
			},
		})
		for _, r := range m.readers {
			r.reaches(rt, m.length)
			r.inOrder(rt)
		}
	})
}

// room is a thread and who reads in it.
type room struct {
	ledgertest.Fixture
	ledgers []*ledger.Ledger
	relays  []*relay.Relay
	readers []*reader
	length  int64
	broken  int
}

const mostReaders = 5

func (m *room) append(rt *rapid.T) {
	var all sync.WaitGroup
	for range rapid.IntRange(1, 3).Draw(rt, "writers") {
		l := rapid.SampledFrom(m.ledgers).Draw(rt, "node")
		lines := rapid.IntRange(1, 12).Draw(rt, "lines")
		first := m.length
		m.length += int64(lines)
		all.Go(func() {
			for i := range lines {
				m.insist(l, fmt.Sprint(first, "-", i))
			}
		})
	}
	all.Wait()
}

// insist says a line until it is acknowledged, as a widget does.
func (m *room) insist(l *ledger.Ledger, clientID string) {
	for deadline := time.Now().Add(20 * time.Second); say(l, m.Fixture, clientID) != nil && time.Now().Before(deadline); {
	}
}

func (m *room) follow(rt *rapid.T) {
	if len(m.readers) == mostReaders {
		rt.Skip("full")
	}
	after := rapid.Int64Range(0, m.length).Draw(rt, "after")
	m.readers = append(m.readers, m.read(rt, after))
}

// cut lets a reader go and another one come back with the cursor it had.
func (m *room) cut(rt *rapid.T) {
	if len(m.readers) == 0 {
		rt.Skip("nobody there")
	}
	i := rapid.IntRange(0, len(m.readers)-1).Draw(rt, "reader")
	cursor := m.readers[i].leave()
	m.readers[i].inOrder(rt)
	m.readers[i] = m.read(rt, cursor)
}

func (m *room) catchUp(rt *rapid.T) {
	if len(m.readers) == 0 {
		rt.Skip("nobody there")
	}
	rapid.SampledFrom(m.readers).Draw(rt, "reader").reaches(rt, m.length)
}

func (m *room) breakConnections(rt *rapid.T) {
	if m.broken++; m.broken > 2 {
		rt.Skip("enough: followers wait longer after each")
	}
	_, _ = m.ledgers[0].NewRaw(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < ?`, rapid.Float64Range(0.1, 1).Draw(rt, "share")).Exec(context.Background())
}

func (m *room) empty() {
	for _, r := range m.readers {
		r.leave()
	}
}

// reader follows the thread from a cursor until it leaves.
type reader struct {
	after int64
	stop  context.CancelFunc
	gone  chan struct{}

	mu     sync.Mutex
	told   []int64
	failed error
}

func (m *room) read(rt *rapid.T, after int64) *reader {
	on := rapid.SampledFrom(m.relays).Draw(rt, "node")
	ctx, stop := context.WithCancel(context.Background())
	r := &reader{after: after, stop: stop, gone: make(chan struct{})}
	if rapid.Bool().Draw(rt, "attends") {
		on.Attend(ctx, m.Org, m.Thread, after, func(u relay.Update) bool { r.hear(u.Message, nil); return true }, func(err error) {
			r.hear(nil, err)
			close(r.gone)
		})
		return r
	}
	go func() {
		defer close(r.gone)
		for u, err := range on.Follow(ctx, m.Org, m.Thread, after) {
			r.hear(u.Message, err)
		}
	}()
	return r
}

func (r *reader) hear(m *domain.Message, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m != nil {
		r.told = append(r.told, m.Seq)
	}
	if err != nil {
		r.failed = err
	}
}

// leave ends the reader and returns its cursor.
func (r *reader) leave() int64 {
	r.stop()
	<-r.gone
	return r.after + int64(len(r.told))
}

func (r *reader) inOrder(rt *rapid.T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		rt.Fatal(r.failed)
	}
	for i, seq := range r.told {
		if seq != r.after+int64(i)+1 {
			rt.Fatalf("after %d a reader was told %v", r.after, r.told)
		}
	}
}

func (r *reader) reaches(rt *rapid.T, length int64) {
	deadline := time.Now().Add(30 * time.Second) // a broken connection is retried with growing pauses
	for {
		r.mu.Lock()
		at := r.after + int64(len(r.told))
		r.mu.Unlock()
		if at >= length {
			return
		}
		if time.Now().After(deadline) {
			rt.Fatalf("a reader after %d got to %d of %d", r.after, at, length)
		}
		time.Sleep(time.Millisecond)
	}
}
