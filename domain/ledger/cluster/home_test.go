//go:build unix

package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

// What is wrong with a directory is said in one line that names it and what to do, and nothing in it is touched.
func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, cfg *Config)
		want  []string
	}{
		{"data of another major version", func(t *testing.T, cfg *Config) {
			write(t, filepath.Join(cfg.Dir, "data", "PG_VERSION"), "9\n")
		}, []string{"made by Postgres 9", "install postgresql-9", "PGBIN", "pg_upgrade"}},
		{"data that is no cluster", func(t *testing.T, cfg *Config) {
			write(t, filepath.Join(cfg.Dir, "data", "holiday.jpg"), "sea")
		}, []string{"data is neither empty nor a Postgres cluster", "move it away"}},
		{"a file in the way", func(t *testing.T, cfg *Config) {
			write(t, filepath.Join(cfg.Dir, "file"), "")
			cfg.Dir = filepath.Join(cfg.Dir, "file")
		}, []string{"cannot make the data directory", "file"}},
		{"a directory that Postgres cannot reach", func(t *testing.T, cfg *Config) {
			closed := filepath.Join(cfg.Dir, "closed")
			if err := os.Mkdir(closed, 0o700); err != nil {
				t.Fatal(err)
			}
			if os.Geteuid() != 0 { // root is not held up itself, only Postgres is
				if err := os.Chmod(closed, 0); err != nil {
					t.Fatal(err)
				}
			}
			cfg.Dir = filepath.Join(closed, "cluster")
		}, []string{"cannot", "closed"}},
		{"no binaries", func(_ *testing.T, cfg *Config) { cfg.BinDir = cfg.Dir }, []string{"no Postgres server", "PGBIN"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := newDir(t)
			cfg := Config{Dir: dir, Ephemeral: true}
			tt.spoil(t, &cfg)
			before := tree(t, dir)
			s, err := Start(t.Context(), cfg)
			if err == nil {
				stop(t, s)
				t.Fatal("it started")
			}
			if domain.KindOf(err) != domain.Invalid || strings.Contains(err.Error(), "\n") {
				t.Errorf("the failure is not one line for the operator: %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			for _, file := range before {
				if !slices.Contains(tree(t, dir), file) {
					t.Errorf("%s is gone or changed", file)
				}
			}
		})
	}
}

func TestFindBinDirWithoutAny(t *testing.T) { // not parallel: it hides the binaries
	all := places
	defer func() { places = all }()
	places = nil
	t.Setenv("PATH", t.TempDir())
	_, err := FindBinDir("")
	if err == nil || !strings.Contains(err.Error(), "package postgresql") || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("FindBinDir = %v, want what to install", err)
	}
}

// An older Postgres beside a newer one is found when the data needs it.
func TestFindBinariesByVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, version := range []string{"12", "17"} {
		for _, name := range []string{"initdb", "postgres"} {
			path := filepath.Join(dir, version, name)
			write(t, path, "#!/bin/sh\necho 'postgres (PostgreSQL) "+version+".4 (Debian)'\n")
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct{ bin, major, want string }{
		{"17", "", ""},
		{"17", "17", ""},
		{"17", "16", "install postgresql-16"},
		{"12", "12", ""}, // what is there goes on
		{"12", "", "needs 14 or newer"},
	} {
		_, err := findBinaries(t.Context(), filepath.Join(dir, tt.bin), "data", tt.major)
		if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("findBinaries(%s, data of %q) = %v, want %q", tt.bin, tt.major, err, tt.want)
		}
	}
}

func TestPathVersion(t *testing.T) {
	t.Parallel()
	for dir, want := range map[string]int{
		"/usr/lib/postgresql/17/bin":                              17,
		"/usr/pgsql-9/bin":                                        9,
		"/opt/homebrew/opt/postgresql@16/bin":                     16,
		"/Applications/Postgres.app/Contents/Versions/18/bin":     18,
		"/Applications/Postgres.app/Contents/Versions/latest/bin": 0,
	} {
		if got := pathVersion(dir); got != want {
			t.Errorf("pathVersion(%s) = %d, want %d", dir, got, want)
		}
	}
}

// Making a cluster that was interrupted, at whatever point, leaves nothing the next start stumbles over.
func TestInterruptedInit(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	write(t, filepath.Join(dir, "init-123", "PG_VERSION"), "15\n")
	for _, after := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		s, err := Start(ctx, Config{Dir: dir, Ephemeral: true})
		cancel()
		if err == nil {
			stop(t, s) // a fast machine
		}
	}
	s := start(t, Config{Dir: dir, Ephemeral: true})
	ask(t, s.DSN(Database), "SELECT 'up'")
	if left, _ := filepath.Glob(filepath.Join(dir, "init-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// An empty directory that somebody made for the data is used.
func TestEmptyDataDirectory(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	ask(t, start(t, Config{Dir: dir, Ephemeral: true}).DSN(Database), "SELECT 'up'")
}

// Whatever a power cut left in postmaster.pid does not bar or delay the start.
func TestStalePostmaster(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: newDir(t), Ephemeral: true}
	s := start(t, cfg)
	data := dataOf(s)
	running, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(running), "\n")
	stop(t, s)

	account, err := accountFor(data)
	if err != nil {
		t.Fatal(err)
	}
	neighbour := exec.Command("sleep", "60") // of the same user, the only kind that Postgres itself takes for a server
	neighbour.SysProcAttr = childAttr(account.cred)
	if err := neighbour.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = neighbour.Process.Kill(), neighbour.Wait() }()
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}

	for name, text := range map[string]string{
		"a process that is gone":            strconv.Itoa(gone.Process.Pid) + "\n" + rest,
		"another process of the same user":  strconv.Itoa(neighbour.Process.Pid) + "\n" + rest,
		"another process of another user":   "1\n" + rest,
		"an empty file":                     "",
		"a file that was not fully written": "12",
	} {
		write(t, filepath.Join(data, "postmaster.pid"), text)
		if err := account.give(filepath.Join(data, "postmaster.pid")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		s := start(t, cfg)
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%s: the start took %v", name, d)
		}
		ask(t, s.DSN(Database), "SELECT 'up'")
		stop(t, s)
	}
}

// A server that an administrator runs by hand on the data is shared, and left running.
func TestServerStartedByHand(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: newDir(t), Ephemeral: true}
	first := start(t, cfg)
	data := dataOf(first)
	stop(t, first)

	bin, err := FindBinDir("")
	if err != nil {
		t.Fatal(err)
	}
	account, err := accountFor(data)
	if err != nil {
		t.Fatal(err)
	}
	byHand := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-F", "-p", "5433", "-c", "listen_addresses=",
		"-c", "unix_socket_directories="+first.socket)
	byHand.SysProcAttr = childAttr(account.cred)
	byHand.Dir = cfg.Dir
	if err := byHand.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = byHand.Process.Signal(os.Interrupt), byHand.Wait() }()
	await(t, "the server started by hand", func() bool { p, ok := readPostmaster(data); return ok && p.ready })

	s := start(t, cfg)
	if !s.shared {
		t.Fatal("it did not share the server")
	}
	stop(t, s)
	ask(t, s.DSN(Database), "SELECT 'still there'")
}

// As root, Postgres runs as whoever owns the data; an ordinary user runs it as themselves.
func TestAccount(t *testing.T) {
	t.Parallel()
	data := filepath.Join(newDir(t), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		if a, err := accountFor(data); err != nil || a.cred != nil {
			t.Errorf("accountFor = %+v, %v, want ourselves", a, err)
		}
		if _, err := accountFor("/"); err == nil || !strings.Contains(err.Error(), "belongs to user root") {
			t.Errorf("accountFor somebody else's directory = %v", err)
		}
		return
	}
	a, err := accountFor(data)
	if err != nil || a.cred == nil || a.cred.Uid == 0 {
		t.Errorf("accountFor = %+v, %v, want an account that is not root", a, err)
	}
	if err := os.Chown(data, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	a, err = accountFor(data)
	if err != nil || a.cred == nil || a.cred.Uid != 4711 || a.cred.Gid != 4712 || a.name != "4711" {
		t.Errorf("accountFor = %+v, %v, want the owner 4711", a, err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree lists the files below dir with their contents.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // a closed directory is part of the test
		}
		text, err := os.ReadFile(path)
		files = append(files, path+": "+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
