package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/cluster"
)

type doctorCmd struct {
	Running bool `help:"Only ask whether a parley runs at PARLEY_ADDR and is well, as a container's health check does."`
	JSON    bool `help:"Print JSON."`
}

// check is one thing that can be wrong, and how it is found out.
type check struct {
	name string
	run  func(context.Context) (detail string, err error)
}

// finding is the outcome of one check.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

const doctorTimeout = 5 * time.Second // for each check

// Run checks without changing anything: no cluster is made or started, no migration applied.
func (c *doctorCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	cfg, err := readConfig(env, std.Err)
	if err != nil {
		return err
	}
	checks := []check{
		{"data directory", cfg.checkDataDir},
		{"database", cfg.checkDatabase},
		{"address", cfg.checkAddress},
		{"mail", cfg.checkMail},
		{"places", cfg.checkGeo},
		{"backplane", cfg.checkBackplane},
	}
	if c.Running {
		checks = []check{{"address", cfg.checkRunning}}
	}
	var findings []finding
	healthy := true
	for _, check := range checks {
		ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
		detail, err := check.run(ctx)
		cancel()
		if err != nil {
			detail, healthy = oneLine(err), false
		}
		findings = append(findings, finding{check.name, err == nil, detail})
	}
	if c.JSON {
		err = json.NewEncoder(std.Out).Encode(map[string]any{"ok": healthy, "checks": findings})
	} else {
		for _, f := range findings {
			fmt.Fprintf(std.Out, "%-5s %-15s %s\n", map[bool]string{true: "ok", false: "FAIL"}[f.OK], f.Check, f.Detail)
		}
	}
	if !healthy {
		return errors.New("something is missing, see above")
	}
	return err
}

func (c config) checkDataDir(context.Context) (string, error) {
	probe := c.dataDir // of a directory that is not there yet, its nearest parent has to be writable
	for {
		st, err := os.Stat(probe)
		if err == nil && !st.IsDir() {
			return "", fmt.Errorf("%s is not a directory (PARLEY_DATA_DIR)", probe)
		}
		if err == nil {
			break
		}
		parent := filepath.Dir(probe)
		if parent == probe {
			return "", fmt.Errorf("%s cannot be made (PARLEY_DATA_DIR)", c.dataDir)
		}
		probe = parent
	}
	f, err := os.CreateTemp(probe, ".parley-doctor-*")
	if err != nil {
		return "", fmt.Errorf("%s is not writable (PARLEY_DATA_DIR): %w", probe, err)
	}
	return c.dataDir, errors.Join(f.Close(), os.Remove(f.Name()))
}

func (c config) checkDatabase(ctx context.Context) (string, error) {
	if c.databaseURL == "" {
		dir, err := cluster.FindBinDir(c.pgBin)
		return "embedded, with the binaries in " + dir, err
	}
	l, err := ledger.Open(ctx, c.databaseURL, ledger.Options{Log: c.log})
	if err != nil {
		return "", err
	}
	defer l.Close()
	if err := ledger.CheckSchema(ctx, l.DB()); err != nil {
		return "", err
	}
	all, err := ledger.MigrationStatus(ctx, l.DB())
	missing := 0
	for _, m := range all {
		if m.AppliedAt.IsZero() {
			missing++
		}
	}
	if missing > 0 {
		return fmt.Sprintf("reachable; serve will apply %d migrations", missing), err
	}
	return "reachable, schema up to date", err
}

// checkMail signs in to the mail server, if there is one, and sends nothing.
func (c config) checkMail(ctx context.Context) (string, error) {
	switch {
	case c.smtp == nil:
		return "none is sent (PARLEY_SMTP_URL is not set)", nil
	case c.publicURL == "":
		return "", errors.New("mails cannot say where to answer: set PARLEY_PUBLIC_URL")
	}
	where := fmt.Sprintf("%s:%d", c.smtp.Host, c.smtp.Port)
	if err := c.smtp.Check(ctx); err != nil {
		return "", fmt.Errorf("%s does not take our mail (PARLEY_SMTP_URL): %w", where, err)
	}
	return where + " takes our mail, from " + c.smtp.From, nil
}

// checkAddress says whether serve could listen, or how the parley that does is.
func (c config) checkAddress(ctx context.Context) (string, error) {
	l, err := net.Listen("tcp", c.addr)
	if err == nil {
		return c.addr + " is free", l.Close()
	}
	detail, running := c.checkRunning(ctx)
	if errors.Is(running, errNotThere) {
		return "", fmt.Errorf("cannot listen on %s (PARLEY_ADDR): %w", c.addr, err)
	}
	return detail, running
}

var errNotThere = errors.New("no parley answers there")

// checkRunning asks the parley at the address how it is. It fails with errNotThere where there is none.
func (c config) checkRunning(ctx context.Context) (string, error) {
	nobody := fmt.Errorf("%s (PARLEY_ADDR): %w", c.addr, errNotThere)
	host, port, err := net.SplitHostPort(c.addr)
	if err != nil {
		return "", nobody
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() { // listens everywhere
		host = "127.0.0.1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/health", nil)
	if err != nil {
		return "", nobody
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", nobody
	}
	defer resp.Body.Close()
	var health struct{ Status, Version string }
	if err := json.NewDecoder(resp.Body).Decode(&health); err != nil || health.Version == "" {
		return "", nobody
	}
	if health.Status != "ok" {
		return "", fmt.Errorf("the parley that runs there says: %s", health.Status)
	}
	return fmt.Sprintf("%s, parley %s runs there and is well", c.addr, health.Version), nil
}
