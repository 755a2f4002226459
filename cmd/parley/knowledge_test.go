package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain/account"
)

func TestKnowledgeIsImportedFromAFolder(t *testing.T) {
	t.Parallel()
	e := environment(t)
	if code, _, errOut := command(t, e, "correct horse battery\n", "owner", "create", "--org", "acme", "--email", "anna@example.com"); code != 0 {
		t.Fatal(errOut)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	imported := func(args ...string) (done account.Imported) {
		t.Helper()
		code, out, errOut := command(t, e, "", append([]string{"knowledge", "import", dir, "--org", "acme", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &done); err != nil || (code != 0) != (len(done.Failed) > 0) {
			t.Fatalf("%d %q %q: %v", code, out, errOut, err)
		}
		return done
	}
	write("shipping.md", "---\nlanguage: german\n---\n# Versand\n\nDrei Tage.")
	write("deep/returns.MD", "# Returns\n\nThirty days.")
	write("empty.md", "# Nothing")
	write(".hidden.md", "# Hidden\n\nNo.")
	write("notes.txt", "no")
	if got := imported(); got.Added != 2 || got.Failed["file:empty.md"] == "" {
		t.Errorf("first %+v", got)
	}
	if err := os.Remove(filepath.Join(dir, "empty.md")); err != nil {
		t.Fatal(err)
	}
	write("shipping.md", "# Shipping\n\nTwo days.")
	if got := imported(); got.Updated != 1 || got.Unchanged != 1 || len(got.Removed) != 0 {
		t.Errorf("again %+v", got)
	}
	if err := os.Remove(filepath.Join(dir, "deep", "returns.MD")); err != nil {
		t.Fatal(err)
	}
	if got := imported("--prune"); got.Unchanged != 1 || len(got.Removed) != 1 || got.Removed[0] != "file:deep/returns.MD" {
		t.Errorf("pruned %+v", got)
	}
	for _, from := range []string{filepath.Join(dir, "nowhere"), filepath.Join(dir, "notes.txt"), t.TempDir()} {
		if code, _, errOut := command(t, e, "", "knowledge", "import", from, "--org", "acme"); code != 1 || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%s: %d %q", from, code, errOut)
		}
	}
}
