//go:build unix

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// home is a cluster's directory and what is needed to run Postgres in it.
type home struct {
	Config
	dir, data string // absolute
	log       *journal

	account account // from prepare on
	bin     string
	socket  string
}

func openHome(cfg Config) (*home, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(dir)
	missing := errors.Is(err, fs.ErrNotExist)
	// Others may pass through, for Postgres may be one of them, but not look around; the data itself is for its owner alone.
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, refuse("cannot make the data directory: %v", err)
	}
	if missing { // whatever the umask
		if err := os.Chmod(dir, 0o711); err != nil {
			return nil, err
		}
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	h := &home{Config: cfg, dir: dir, data: filepath.Join(dir, "data"), log: &journal{out: cfg.Log}}
	if data, err := filepath.EvalSymlinks(h.data); err == nil { // the data may have been moved to another disk
		h.data = data
	}
	return h, nil
}

// lock makes this program the cluster's supervisor until the file is closed, be it by the program's death. It returns nil if
// there is one already. Postgres does not inherit the lock.
func (h *home) lock() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(h.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, refuse("cannot use %s: it belongs to another user; start as that user, or choose another data directory", h.dir)
	} else if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, fmt.Errorf("cannot lock %s: %w", h.dir, err)
}

// prepare finds out who is to run which Postgres, and makes the cluster if there is none.
func (h *home) prepare(ctx context.Context) (err error) {
	major, err := h.major()
	if err != nil {
		return err
	}
	if h.account, err = accountFor(h.data); err != nil {
		return err
	}
	if h.bin, err = findBinaries(ctx, h.BinDir, h.data, major); err != nil {
		return err
	}
	if err := h.reachable(ctx); err != nil {
		return err
	}
	if major == "" {
		if err := h.init(ctx); err != nil {
			return err
		}
	}
	h.socket, err = h.makeSocketDir()
	return err
}

// major is the version of Postgres that made the data, such as "17", or "" if there is none yet.
func (h *home) major() (string, error) {
	version, err := os.ReadFile(filepath.Join(h.data, "PG_VERSION"))
	if err == nil {
		return strings.TrimSpace(string(version)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", refuse("cannot read the cluster: %v; start as the user it belongs to", err)
	}
	entries, err := os.ReadDir(h.data)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	if len(entries) > 0 {
		return "", refuse("%s is neither empty nor a Postgres cluster; move it away, or choose another data directory", h.data)
	}
	return "", nil
}

// init makes the cluster beside its final place and moves it there when it is complete, so that an init that was interrupted
// leaves nothing a later start could take for a cluster.
func (h *home) init(ctx context.Context) error {
	left, err := filepath.Glob(filepath.Join(h.dir, "init-*"))
	if err != nil {
		return err
	}
	for _, dir := range left {
		_ = os.RemoveAll(dir)
	}
	draft, err := os.MkdirTemp(h.dir, "init-") // a new name each time: an interrupted initdb may still be cleaning up its own
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(draft) }()
	if err := h.account.give(draft); err != nil {
		return err
	}
	if err := h.initdb(ctx, draft); err != nil {
		return err
	}
	if err := put(filepath.Join(draft, "postgresql.conf"), os.O_APPEND, h.tunables()); err != nil {
		return err
	}
	if err := syscall.Rmdir(h.data); err != nil && !errors.Is(err, fs.ErrNotExist) { // it is empty, or major would have refused it
		return fmt.Errorf("cannot put the new cluster in the place of %s: %w", h.data, err)
	}
	if err := os.Rename(draft, h.data); err != nil {
		return err
	}
	return syncDir(h.dir)
}

func (h *home) initdb(ctx context.Context, draft string) error {
	locale := "C.UTF-8" // byte order for speed and for indexes that survive an upgrade of the system, but case for all letters
	if runtime.GOOS == "darwin" {
		locale = "en_US.UTF-8"
	}
	args := []string{"--pgdata=" + draft, "--username=" + superuser, "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8",
		"--locale=" + locale, "--lc-messages=C", "--data-checksums", "--no-instructions"}
	if h.Ephemeral {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(h.bin, "initdb"), args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // it then removes what it made
	h.dress(cmd)
	runtime.LockOSThread() // the child's death signal hangs on the thread that started it
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		return unavailable(err, "initdb could not make a cluster in %s: %s", h.dir, h.log.reason())
	}
	return nil
}

// dress makes cmd run as the cluster's account, in its directory, tied to our life and not to our terminal. Its environment is
// bare: ours holds secrets, and PG* variables that would steer it elsewhere.
func (h *home) dress(cmd *exec.Cmd) {
	h.log.forget()
	cmd.Dir, cmd.Stdout, cmd.Stderr = h.dir, h.log, h.log
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = childAttr(h.account.cred)
	cmd.WaitDelay = stopGrace // for children of its own that outlive it and hold the log's pipe
}

// makeSocketDir makes the directory of the socket, which only the cluster's account may enter.
func (h *home) makeSocketDir() (string, error) {
	const longest = 103 - len("/.s.PGSQL.5432") // what fits an address on macOS; Linux has four more
	dir := filepath.Join(h.dir, "run")
	if len(dir) > longest {
		short, err := os.MkdirTemp("", "parley-")
		if err != nil {
			return "", err
		}
		dir = short
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return dir, h.account.give(dir)
}

// put writes to a file that is there, appending (O_APPEND) or instead of what it holds (O_TRUNC). We may be root, and the file
// lies where the account may put a link to another in its place, so links are not followed.
func put(name string, flag int, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NOFOLLOW|flag, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes a rename in dir survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
