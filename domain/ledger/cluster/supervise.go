//go:build unix

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	stopGrace    = 5 * time.Second  // for an end in order, where nobody says how long it may take
	longestDelay = 10 * time.Second // between two attempts to bring up a Postgres that keeps dying
	steady       = time.Minute      // a Postgres that ran this long has recovered from whatever it was
	mostDeaths   = 10               // in a row, none of them steady: then it needs a person
)

// tunables are the settings a new cluster begins with; its owner may change them in postgresql.conf.
func (h *home) tunables() []byte {
	connections := 200
	if h.Ephemeral {
		connections = 300
	}
	return fmt.Appendf(nil, `
# Parley's defaults. Statements and error details stay out of the log because they hold what people wrote.
max_connections = %d
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
`, connections)
}

// arguments are the settings that are ours to decide.
func (h *home) arguments() []string {
	args := []string{"-D", h.data}
	set := func(settings ...string) {
		for _, s := range settings {
			args = append(args, "-c", s)
		}
	}
	set("listen_addresses=", "port=5432", "unix_socket_directories="+h.socket, "unix_socket_permissions=0700", ours,
		"logging_collector=off", "log_destination=stderr")
	if h.Ephemeral {
		// Commits stay synchronous: a test may kill Postgres, and what was committed must then be there.
		set("fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0", "autovacuum=off",
			"shared_buffers=32MB", "min_wal_size=32MB", "max_wal_size=64MB")
	} else {
		set("fsync=on")
	}
	return args
}

// launch starts the goroutine that keeps Postgres running and waits until the first one is ready. The goroutine has the lock
// from here on and ends with Stop, or when Postgres has died too often.
func (h *home) launch(ctx context.Context, lock *os.File) (*Server, error) {
	s := newServer(h.socket, 5432)
	ready := make(chan struct{}, 1)
	go func() {
		defer close(s.done)
		defer func() { _ = lock.Close() }()
		defer h.dropSocketDir()
		s.err = h.keepUp(s, ready)
	}()
	select {
	case <-ready:
		return s, nil
	case <-s.done:
		return nil, s.err
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		return nil, unavailable(errors.Join(ctx.Err(), s.Stop(grace)), "Postgres did not come up in time")
	}
}

// keepUp runs one postmaster after the other until s is to stop. A first one that does not come up is not tried again: the
// cause is a setting or the disk, and whoever starts us wants to hear of it.
func (h *home) keepUp(s *Server, ready chan<- struct{}) error {
	// Linux asks the child to stop when the thread that started it dies, so that thread has to live as long as we do.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var deaths deaths
	for up := false; ; {
		began := time.Now()
		err := h.run(s, func() {
			if !up {
				ready <- struct{}{}
			}
			up = true
		})
		if s.stopping.Err() != nil {
			return nil
		}
		delay, again := deaths.next(time.Since(began))
		if !up && !remnants(h.log.reason()) {
			return unavailable(err, "Postgres does not start in %s: %s", h.dir, h.log.reason())
		}
		if !again {
			return unavailable(err, "Postgres does not stay up in %s: %s", h.dir, h.log.reason())
		}
		h.log.say("Postgres in %s ended unexpectedly (%v); starting it again in %v", h.dir, err, delay)
		select {
		case <-time.After(delay):
		case <-s.stopping.Done():
			return nil
		}
	}
}

// remnants reports whether a postmaster did not start because its killed predecessor, or that one's backends, have not all gone
// yet. They will.
func remnants(reason string) bool {
	return strings.Contains(reason, "pre-existing shared memory block") || strings.Contains(reason, `lock file "postmaster.pid" already exists`)
}

// deaths counts ends that follow each other closely.
type deaths int

// next says how long to wait after a postmaster that ran for the given time, and whether it is worth trying again at all.
func (d *deaths) next(ran time.Duration) (time.Duration, bool) {
	if ran > steady {
		*d = 0
	}
	delay := min(100*time.Millisecond<<*d, longestDelay)
	*d++
	return delay, *d < mostDeaths
}

// run starts one postmaster, calls ready when it takes connections, and returns when it has ended.
func (h *home) run(s *Server, ready func()) error {
	cmd := exec.Command(filepath.Join(h.bin, "postgres"), h.arguments()...)
	h.dress(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	stopping, cutting := s.stopping.Done(), s.cutting.Done()
	for {
		select {
		case err := <-ended:
			return err
		case <-stopping:
			_ = cmd.Process.Signal(syscall.SIGINT) // fast shutdown: disconnects everybody, writes a checkpoint
			stopping = nil
		case <-cutting:
			_ = cmd.Process.Signal(syscall.SIGQUIT) // immediate shutdown: recovers from the log at the next start
			cutting = nil
		case <-tick.C:
			if p, ok := readPostmaster(h.data); ok && p.pid == cmd.Process.Pid && p.ready {
				tick.Stop()
				ready()
			}
		}
	}
}

// dropSocketDir removes a socket directory that had to be outside of the cluster's own.
func (h *home) dropSocketDir() {
	if filepath.Dir(h.socket) != h.dir {
		_ = os.Remove(h.socket)
	}
}
