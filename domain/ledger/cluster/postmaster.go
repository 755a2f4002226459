//go:build unix

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postmaster is what a running server writes about itself into postmaster.pid. The file outlives a server that was killed, and
// the process id may by then be somebody else's.
type postmaster struct {
	pid    int
	port   int
	socket string // directory
	ready  bool   // takes connections
}

// readPostmaster reads postmaster.pid; ok is false if there is none, or none that names a process.
func readPostmaster(data string) (p postmaster, ok bool) {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return p, false
	}
	// process id, data directory, start time, port, socket directory, listen address, shared memory key, status
	lines := strings.Split(string(text), "\n")
	if p.pid, err = strconv.Atoi(strings.TrimSpace(lines[0])); err != nil || p.pid <= 0 {
		return p, false
	}
	if len(lines) >= 8 {
		p.port, _ = strconv.Atoi(strings.TrimSpace(lines[3]))
		p.socket = strings.TrimSpace(lines[4])
		p.ready = strings.TrimSpace(lines[7]) == "ready"
	}
	return p, true
}

// ours is in the command line of every postmaster that a supervisor of this package starts, which Postgres keeps in postmaster.opts.
const ours = "cluster_name=parley"

// evict makes way for a postmaster of our own; the caller holds the lock. One that a supervisor of ours left behind when it was
// killed is stopped, if the kernel has not done so already, and waited for. One that somebody else started is left alone, and
// foreign is true.
func (h *home) evict(ctx context.Context) (foreign bool, err error) {
	p, ok := readPostmaster(h.data)
	if !ok || !worksIn(p.pid, h.data) {
		return false, h.disownPid()
	}
	opts, err := os.ReadFile(filepath.Join(h.data, "postmaster.opts"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if !bytes.Contains(opts, []byte(ours)) {
		return true, nil
	}
	h.log.say("stopping the Postgres (process %d) that a killed program left behind in %s", p.pid, h.dir)
	_ = syscall.Kill(p.pid, syscall.SIGINT)
	patience := time.After(stopGrace)
	for worksIn(p.pid, h.data) {
		select {
		case <-ctx.Done():
			return false, unavailable(ctx.Err(), "the Postgres that a killed program left behind in %s (process %d) does not stop", h.dir, p.pid)
		case <-patience:
			_ = syscall.Kill(p.pid, syscall.SIGQUIT)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return false, h.disownPid()
}

// disownPid keeps a stale postmaster.pid from barring the start. Postgres clears it away by itself unless its process id has
// gone to another process of the same user, which happens after a power cut. It never takes its own parent for a server, so
// with our id in the file it goes on to the check that matters: whether backends of the old server still use its memory.
func (h *home) disownPid() error {
	name := filepath.Join(h.data, "postmaster.pid")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	_, rest, ok := strings.Cut(string(text), "\n")
	if !ok { // cut short while it was written
		return os.Remove(name)
	}
	return put(name, os.O_TRUNC, fmt.Appendf(nil, "%d\n%s", os.Getpid(), rest))
}

// attach shares the server that another program started, if it takes connections; the error says why it does not.
func (h *home) attach(ctx context.Context) (*Server, error) {
	p, ok := readPostmaster(h.data)
	if !ok || !p.ready || !worksIn(p.pid, h.data) {
		return nil, errors.New("it is not ready")
	}
	s := newServer(p.socket, p.port)
	s.shared = true
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		s.stop()
		s.cut()
		return nil, err
	}
	_ = conn.Close(ctx)
	go s.watch(h)
	return s, nil
}

// watch ends a shared server once it is gone and nobody is left who would start it again.
func (s *Server) watch(h *home) {
	defer close(s.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.stopping.Done():
			return
		case <-tick.C:
		}
		if p, ok := readPostmaster(h.data); ok && worksIn(p.pid, h.data) {
			continue
		}
		if lock, err := h.lock(); lock != nil || err != nil {
			_ = lock.Close()
			s.err = unavailable(err, "the Postgres in %s has stopped, together with the program that ran it", h.dir)
			return
		}
	}
}
