package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/parley-chat/parley/"

// mayImport says which of our packages each may import. A package not listed may import none; a trailing /... covers a tree.

var mayImport = map[string][]string{
	"migrations":               {},
	"static":                   {},
	"static/...":               {"static", "static/widget"},
	"domain":                   {},
	"domain/ledger":            {"domain", "migrations"},
	"domain/ledger/cluster":    {"domain"},
	"domain/ledger/ledgertest": {"domain", "domain/ledger", "domain/ledger/cluster", "migrations"},
	"domain/agent":             {"domain"},
	"domain/attach":            {"domain"},
	"domain/lead":              {"domain"},
	"domain/relay":             {"domain", "domain/ledger"},
	"domain/account":           {"domain", "domain/ledger"},
	"domain/chat":              {"domain", "domain/attach", "domain/ledger", "domain/lead", "domain/relay"},
	"domain/dispatch/mailtest": {},
	"domain/dispatch":          {"domain", "domain/ledger", "domain/agent", "domain/relay"},
	"domain/replay":            {"domain", "domain/ledger", "domain/agent", "domain/dispatch"},
	"views":                    {"domain", "static", "views/ui"},
	"views/ui":                 {"static"},
	"handlers":                 {"domain", "static", "handlers/edge"},
	"handlers/edge":            {"domain"},
	"handlers/dialect":         {"domain"},
	"handlers/portal":          {"domain", "domain/ledger", "domain/relay", "domain/chat", "domain/lead", "domain/account", "domain/replay", "views", "views/ui", "static", "handlers/edge"},
	"handlers/widget":          {"domain", "domain/ledger", "domain/relay", "domain/chat", "domain/lead", "views", "static", "handlers/edge", "handlers/dialect"},
	"handlers/bridge":          {"domain", "domain/ledger", "domain/chat", "handlers/edge"},
	"handlers/api":             {"domain", "domain/ledger", "domain/chat", "domain/account", "domain/replay", "handlers/edge"},
	"handlers/mcp":             {"domain", "domain/ledger", "domain/chat", "domain/account", "handlers/edge"},
}

// TestImports is the architecture: who may import whom, and that the vocabulary needs nothing but the standard library.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		if strings.HasPrefix(pkg, "cmd/") {
			continue // the composition root may import everything
		}
		allowed, ok := rule(pkg)
		if !ok {
			t.Errorf("%s has no place in the architecture: add it to mayImport, and to the layout in the README", pkg)
			continue
		}
		for _, imported := range fields[1:] {
			ours, isOurs := strings.CutPrefix(imported, module)
			switch {
			case isOurs && !slices.Contains(allowed, ours):
				t.Errorf("%s must not import %s", pkg, ours)
			case pkg == "domain" && strings.Contains(imported, "."):
				t.Errorf("domain must not import %s: it is the standard library's only", imported)
			case imported == "github.com/uptrace/bun" && !strings.HasPrefix(pkg, "domain/ledger"):
				t.Errorf("%s must not import bun: all SQL is in domain/ledger", pkg)
			}
		}
	}
}

func rule(pkg string) ([]string, bool) {
	if allowed, ok := mayImport[pkg]; ok {
		return allowed, true
	}
	for at := pkg; ; {
		i := strings.LastIndexByte(at, '/')
		if i < 0 {
			return nil, false
		}
		at = at[:i]
		if allowed, ok := mayImport[at+"/..."]; ok {
			return allowed, true
		}
	}
}

// TestEnvironmentIsReadInOnePlace keeps os.Getenv out of everything but the composition root and the tests' own switches.
func TestEnvironmentIsReadInOnePlace(t *testing.T) {
	out, err := exec.Command("grep", "-rlE", `os\.(Getenv|LookupEnv)`, "--include=*.go", "../..").Output()
	if err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	for file := range strings.Lines(string(out)) {
		file = strings.TrimPrefix(strings.TrimSpace(file), "../../")
		if !strings.HasPrefix(file, "cmd/") && !strings.HasSuffix(file, "_test.go") && !strings.HasPrefix(file, "domain/ledger/ledgertest/") {
			t.Errorf("%s reads the environment; only cmd may", file)
		}
	}
}
