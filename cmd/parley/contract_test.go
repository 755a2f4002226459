package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// row is a line of the command line's contract: what a command with these flags leaves on stdout and stderr, and how it ends.
type row struct {
	args string   // words; $name is filled in
	in   string   // stdin
	code int      // the exit code: 0 it did it, 1 it could not, 2 it was asked wrongly
	out  string   // in stdout; empty: nothing is
	err  string   // in stderr, which is one line beginning with "parley: "; empty: nothing is
	keys []string // of the one JSON object that stdout is
}

const (
	someID   = "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"
	unreach  = "cannot reach Postgres"
	newer    = "newer"
	needsOrg = "there is no such organisation"
)

// contract is every command with every flag, in an order in which each finds what the ones before it have left.
var contract = []row{
	{args: "", code: 2, err: `expected one of "serve"`},
	{args: "--help", out: "Commands:"},
	{args: "-h", out: "Commands:"},
	{args: "dance", code: 2, err: "unexpected argument dance (see parley --help)"},
	{args: "version", out: "parley "},
	{args: "version --json", keys: []string{"version", "go"}},
	{args: "version more", code: 2, err: "unexpected argument more"},

	{args: "migrate", code: 2, err: `expected one of "up", "down", "status"`},
	{args: "migrate status", out: "20261121090000_ledger"},
	{args: "migrate status --json", keys: []string{"migrations"}},
	{args: "migrate up", out: "nothing to do\n"},
	{args: "migrate up --json", keys: []string{"applied"}},
	{args: "migrate down --json", keys: []string{"rolled_back"}},
	{args: "migrate status", out: "missing"},
	{args: "migrate down", out: "nothing to do\n"},
	{args: "migrate up", out: "applied 20261121090000_ledger\n"},

	{args: "owner", code: 2, err: `expected one of "create", "password"`},
	{args: "owner create", in: "long enough\n", code: 2, err: "missing flags: --email=STRING, --org=STRING"},
	{args: "owner create --org acme --email anna@example.com", code: 1, err: "give the password on stdin"},
	{args: "owner create --org acme --email anna@example.com", in: "short\n", code: 1, err: "password"},
	{args: "owner password", in: "long enough\n", code: 2, err: "missing flags: --email=STRING"},
	{args: "owner password --email anna@example.com", code: 1, err: "give the password on stdin"},
	{args: "owner password --email nobody@example.com", in: "long enough\n", code: 1, err: "nobody has the e-mail address"},
	{args: "owner create --org acme --email anna", in: "long enough\n", code: 1, err: "e-mail"},
	{args: "owner create --org acme --email anna@example.com --name Anna", in: "long enough\n", out: "anna@example.com can sign in now.\n"},
	{args: "owner create --org acme --email anna@example.com", in: "long enough\n", code: 1, err: "parley: "},
	{args: "owner create --org acme --email ben@example.com --json", in: "long enough", keys: []string{"id", "org_id", "email"}},
	{args: "owner password --email ben@example.com", in: "long enough\n", out: "ben@example.com can sign in with the new password now"},
	{args: "owner password --email ben@example.com --json", in: "long enough", keys: []string{"id", "org_id", "email"}},

	{args: "apikey", code: 2, err: `expected one of "create", "list", "revoke"`},
	{args: "apikey create", code: 2, err: "missing flags: --org=STRING"},
	{args: "apikey create --org nobody", code: 1, err: needsOrg},
	{args: "apikey create --org acme", out: "parley_"},
	{args: "apikey create --org acme --name robot --scope read --expires 90d --json", keys: []string{"key", "id", "name", "scope", "expires_at"}},
	{args: "apikey create --org acme --scope all", code: 2, err: `"read"`},
	{args: "apikey create --org acme --expires soon", code: 2, err: "90d"},
	{args: "apikey create --org acme --expires 2001-01-01", code: 1, err: "must lie in the future"},
	{args: "apikey list", code: 2, err: "missing flags: --org=STRING"},
	{args: "apikey list --org nobody", code: 1, err: needsOrg},
	{args: "apikey list --org acme", out: "robot"},
	{args: "apikey list --org acme --json", keys: []string{"keys"}},
	{args: "apikey revoke --org acme", code: 2, err: `expected "<id>"`},
	{args: "apikey revoke --org acme x", code: 1, err: "parley: "},
	{args: "apikey revoke --org acme " + someID, code: 1, err: "parley: "},
	{args: "apikey revoke --org acme $key", out: "revoked\n"},
	{args: "apikey revoke --org acme $robot --json", keys: []string{"id", "revoked"}},

	{args: "knowledge", code: 2, err: `expected "import"`},
	{args: "knowledge import --org acme", code: 2, err: `expected "<from>"`},
	{args: "knowledge import --org acme $dir/nowhere", code: 1, err: "nowhere"},
	{args: "knowledge import --org nobody $articles", code: 1, err: needsOrg},
	{args: "knowledge import --org acme $articles --language german --classification PUBLIC", out: "1 added, 0 updated, 0 unchanged, 0 removed\n"},
	{args: "knowledge import --org acme $articles --prune --json", keys: []string{"added", "updated", "unchanged", "removed", "failed"}},
	{args: "knowledge import --org acme $flawed", code: 1, out: "not imported: file:empty.md: ", err: "1 could not be imported"},

	{args: "replay", code: 2, err: "missing flags: --thread=STRING or --golden"},
	{args: "replay --thread " + someID + " --golden", code: 2, err: "--thread and --golden can't be used together"},
	{args: "replay --golden --org acme", code: 2, err: "there are no golden threads"},
	{args: "replay --golden --org nobody --json", code: 2, err: needsOrg},
	{args: "replay --thread x", code: 2, err: "parley: "},
	{args: "replay --thread " + someID + " --agent " + someID + " --judge " + someID + " --model m --instructions - --drift --json", in: "Be brief.", code: 2, err: "parley: "},
	{args: "replay --thread " + someID + " --instructions $dir/nowhere", code: 2, err: "cannot read the instructions"},

	{args: "mock-agent --mode x", code: 2, err: "--mode must be one of"},
	{args: "mock-agent --protocol x", code: 2, err: "--protocol must be one of"},
	{args: "mock-agent --delay x", code: 2, err: "--delay"},
	{args: "mock-agent --addr $taken", code: 1, err: "the mock agent cannot listen"},

	{args: "bench --url $dead", code: 2, err: "--url needs --widget"},
	{args: "bench --widget wid_x", code: 2, err: "go with --url"},
	{args: "bench --nodes 0", code: 2, err: "must be above 0"},
	{args: "bench --transport x", code: 2, err: "--transport must be one of"},
	{args: "bench --agent x", code: 2, err: "--agent must be one of"},
	{args: "bench --url $dead --widget wid_x --origin $dead --visitors 1 --rate 1 --duration 1s --messages 1 --chaos --json", code: 1, err: "connection refused"},

	{args: "doctor", out: "ok    database        reachable, schema up to date\n"},
	{args: "doctor --json", keys: []string{"ok", "checks"}},
	{args: "doctor --running", code: 1, out: "FAIL  address", err: "something is missing"},

	{args: "serve --demo=x", code: 2, err: "--demo"},
	{args: "serve more", code: 2, err: "unexpected argument more"},
}

// elsewhere is what commands say when the database is not there, or has a schema that they do not know, or their port is taken.
var elsewhere = []struct {
	args, in string
	code     int
}{
	{"serve", "", 1}, {"migrate up", "", 1}, {"migrate down", "", 1}, {"migrate status --json", "", 1},
	{"owner create --org acme --email anna@example.com", "long enough\n", 1}, {"apikey create --org acme --json", "", 1}, {"apikey list --org acme", "", 1},
	{"apikey revoke --org acme " + someID, "", 1}, {"knowledge import --org acme $articles", "", 1}, {"replay --golden", "", 2}, {"bench --duration 1s", "", 1},
}

func TestCommandLineContract(t *testing.T) {
	t.Parallel()
	e, fill := environment(t), contractNames(t)
	e["PARLEY_LOG"] = "" // what is logged by itself counts, too
	for _, r := range contract {
		code, out, errOut := command(t, e, r.in, strings.Fields(os.Expand(r.args, fill))...)
		r.check(t, r.args, code, out, errOut)
		if strings.HasSuffix(r.args, "apikey list --org acme --json") {
			fill = withKeys(t, fill, out)
		}
	}
}

func (r row) check(t *testing.T, what string, code int, out, errOut string) {
	t.Helper()
	if code != r.code {
		t.Errorf("parley %s: exit code %d, want %d (stdout %q, stderr %q)", what, code, r.code, out, errOut)
	}
	if said := !strings.Contains(errOut, r.err) || (r.err == "") != (errOut == ""); said {
		t.Errorf("parley %s: stderr %q, want %q", what, errOut, r.err)
	}
	if errOut != "" && (strings.Count(errOut, "\n") != 1 || !strings.HasPrefix(errOut, "parley: ") || !strings.HasSuffix(errOut, "\n")) {
		t.Errorf("parley %s: stderr is not one line of parley's: %q", what, errOut)
	}
	if r.keys == nil {
		if !strings.Contains(out, r.out) || (r.out == "") != (out == "") {
			t.Errorf("parley %s: stdout %q, want %q", what, out, r.out)
		}
		return
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal([]byte(out), &data); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("parley %s: stdout is not one line of JSON: %q (%v)", what, out, err)
	}
	for _, k := range r.keys {
		if _, ok := data[k]; !ok {
			t.Errorf("parley %s: %q is not in %s", what, k, out)
		}
	}
}

// contractNames are what the rows' $names stand for.
func contractNames(t *testing.T) func(string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"articles/shipping.md": "# Shipping\n\nTwo days.", "flawed/empty.md": "# Nothing"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	names := map[string]string{"dir": dir, "articles": dir + "/articles", "flawed": dir + "/flawed", "taken": l.Addr().String(), "dead": "http://127.0.0.1:1"}
	return func(name string) string { return names[name] }
}

func withKeys(t *testing.T, fill func(string) string, listed string) func(string) string {
	t.Helper()
	var l struct{ Keys []struct{ ID, Name string } }
	if err := json.Unmarshal([]byte(listed), &l); err != nil || len(l.Keys) != 2 {
		t.Fatal(listed, err)
	}
	names := map[string]string{"command line": "key", "robot": "robot"}
	ids := map[string]string{names[l.Keys[0].Name]: l.Keys[0].ID, names[l.Keys[1].Name]: l.Keys[1].ID}
	return func(name string) string {
		if id := ids[name]; id != "" {
			return id
		}
		return fill(name)
	}
}

// Without its database, or with one of a newer parley, every command that needs it fails with a line that says so, and does nothing.
func TestCommandsWithoutTheirDatabase(t *testing.T) {
	t.Parallel()
	ahead, fill := environment(t), contractNames(t)
	sql(t, ahead, `INSERT INTO bun_migrations (name, group_id, migrated_at) VALUES ('29990101000000', 99, now())`)
	away := environment(t)
	away["DATABASE_URL"] = "postgres://127.0.0.1:1/parley"
	for says, e := range map[string]env{newer: ahead, unreach: away} {
		for _, c := range elsewhere {
			code, out, errOut := command(t, e, c.in, strings.Fields(os.Expand(c.args, fill))...)
			row{code: c.code, err: says}.check(t, c.args+", "+says, code, out, errOut)
		}
		code, out, errOut := command(t, e, "", "doctor")
		row{code: 1, out: "FAIL  database", err: "something is missing"}.check(t, "doctor, "+says, code, out, errOut)
	}
	taken := environment(t)
	taken["PARLEY_ADDR"] = fill("taken")
	code, out, errOut := command(t, taken, "", "serve")
	row{code: 1, err: "cannot listen on " + fill("taken") + " (PARLEY_ADDR)"}.check(t, "serve, taken port", code, out, errOut)
}

// A command or a flag that the contract does not know has none: every one has a row, and its help names it.
func TestContractKnowsEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	var c cli
	k, err := kong.New(&c, kong.Name("parley"))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range k.Model.Leaves(false) {
		name := strings.TrimPrefix(leaf.FullPath(), "parley ")
		help := bytes.Buffer{}
		if code := run(t.Context(), append(strings.Fields(name), "--help"), env{}.get, nil, &help, &help); code != 0 || !strings.HasPrefix(help.String(), "Usage: parley "+name) {
			t.Errorf("parley %s --help: exit code %d, %q", name, code, help.String())
		}
		rows := slices.DeleteFunc(slices.Clone(contract), func(r row) bool { return r.args != name && !strings.HasPrefix(r.args, name+" ") })
		if len(rows) == 0 {
			t.Errorf("parley %s has no row", name)
		}
		for _, f := range leaf.Flags {
			if !strings.Contains(help.String(), "--"+f.Name) {
				t.Errorf("parley %s --help says nothing of --%s", name, f.Name)
			}
			if !slices.ContainsFunc(rows, func(r row) bool { return strings.Contains(r.args, "--"+f.Name) }) {
				t.Errorf("parley %s --%s has no row", name, f.Name)
			}
		}
	}
}
