//go:build unix

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDeaths(t *testing.T) {
	t.Parallel()
	var d deaths
	var total time.Duration
	for i := range mostDeaths - 1 {
		delay, again := d.next(time.Second)
		if !again {
			t.Fatalf("gave up after %d deaths", i+1)
		}
		total += delay
	}
	if total < 20*time.Second || total > time.Minute {
		t.Errorf("it tries for %v, want long enough for an outage to pass and short enough to be noticed", total)
	}
	if delay, again := d.next(2 * steady); delay != 100*time.Millisecond || !again {
		t.Errorf("a death after a long life: %v, %v, want a fresh start", delay, again)
	}
	for range mostDeaths - 1 {
		_, again := d.next(time.Second)
		if again != (d < mostDeaths) {
			t.Errorf("death %d: again = %v", d, again)
		}
	}
}

func TestReadPostmaster(t *testing.T) {
	t.Parallel()
	const running = "4711\n/var/lib/parley/data\n1700000000\n5432\n/var/lib/parley/run\n\n  5432001         7\n"
	for _, tt := range []struct {
		text string
		want postmaster
		ok   bool
	}{
		{"", postmaster{}, false},
		{"no number\n", postmaster{}, false},
		{"-4711\n", postmaster{}, false}, // a standalone backend
		{"4711\n/var/lib/parley/data\n", postmaster{pid: 4711}, true},
		{running + "starting\n", postmaster{4711, 5432, "/var/lib/parley/run", false}, true},
		{running + "ready   \n", postmaster{4711, 5432, "/var/lib/parley/run", true}, true},
		{running + "stopping\n", postmaster{4711, 5432, "/var/lib/parley/run", false}, true},
	} {
		data := t.TempDir()
		write(t, filepath.Join(data, "postmaster.pid"), tt.text)
		got, ok := readPostmaster(data)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: %+v, %v, want %+v, %v", tt.text, got, ok, tt.want, tt.ok)
		}
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	j := &journal{out: &out}
	if got := j.reason(); got != "it did not say why" {
		t.Errorf("reason of nothing = %q", got)
	}
	for _, piece := range []string{"starting\nLOG:  he", "re\nFATAL:  out of", " cheese\nLOG:  database system is shut down\n", "half"} {
		_, _ = fmt.Fprint(j, piece)
	}
	j.say("again in %v", time.Second)
	if got, want := out.String(), "starting\nLOG:  here\nFATAL:  out of cheese\nLOG:  database system is shut down\nagain in 1s\n"; got != want {
		t.Errorf("passed on %q, want %q", got, want)
	}
	if got := j.reason(); got != "out of cheese" {
		t.Errorf("reason = %q", got)
	}
	j.forget()
	_, _ = fmt.Fprint(j, " line\n")
	if got := j.reason(); got != "half line" {
		t.Errorf("reason without a mark = %q", got)
	}
}

// A first start that fails says why in Postgres's own words, at once.
func TestBrokenSettings(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: newDir(t), Ephemeral: true}
	s := start(t, cfg)
	stop(t, s)
	if err := put(filepath.Join(dataOf(s), "postgresql.conf"), os.O_APPEND, []byte("max_connections = plenty\n")); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "postgresql.conf") {
		t.Errorf("Start = %v, want what is wrong with postgresql.conf", err)
	}
}
