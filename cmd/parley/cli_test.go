package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// sql runs a statement on a program's database.
func sql(t testing.TB, e env, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), e["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// command runs one command and returns its exit code and output.
func command(t testing.TB, e env, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, eo bytes.Buffer
	code = run(t.Context(), args, e.get, strings.NewReader(in), &o, &eo)
	return code, o.String(), eo.String()
}

func TestCommands(t *testing.T) {
	t.Parallel()
	e := environment(t)
	steps := []struct {
		name string
		args string
		in   string
		code int
		says string // in stdout, or in stderr when the code is not 0
	}{
		{"help", "--help", "", 0, "mock-agent"},
		{"help of a command", "owner create --help", "", 0, "--email"},
		{"nothing", "", "", 2, "parley --help"},
		{"unknown", "dance", "", 2, "dance"},
		{"version", "version", "", 0, "parley "},
		{"doctor", "doctor", "", 0, "schema up to date"},
		{"doctor as JSON", "doctor --json", "", 0, `"ok":true`},
		{"status", "migrate status", "", 0, "20261121090000_ledger"},
		{"up again", "migrate up", "", 0, "nothing to do"},
		{"up again as JSON", "migrate up --json", "", 0, `{"applied":[]}`},
		{"key for nobody", "apikey create --org acme", "", 1, "parley: "},
		{"owner without a password", "owner create --org acme --email anna@example.com", "", 1, "stdin"},
		{"owner with a short password", "owner create --org acme --email anna@example.com", "short\n", 1, "password"},
		{"owner with a bad address", "owner create --org acme --email anna", "long enough\n", 1, "e-mail"},
		{"owner", "owner create --org acme --email Anna@Example.com --name Anna", "long enough\n", 0, "anna@example.com can sign in now."},
		{"owner again", "owner create --org acme --email anna@example.com", "long enough\n", 1, "parley: "},
		{"second owner", "owner create --org acme --email ben@example.com --json", "long enough", 0, `"email":"ben@example.com"`},
		{"another password", "owner password --email Ben@example.com", "long enough again\n", 0, "ben@example.com can sign in with the new password now"},
		{"another password for nobody", "owner password --email nobody@example.com", "long enough again\n", 1, "nobody has the e-mail address nobody@example.com"},
		{"key", "apikey create --org acme", "", 0, "parley_"},
		{"key as JSON", "apikey create --org acme --json", "", 0, `"key":"parley_`},
		{"key that only reads for a while", "apikey create --org acme --scope read --expires 90d --json", "", 0, `"scope":"read"`},
		{"key until a day", "apikey create --org acme --expires 2999-12-31 --json", "", 0, `"expires_at":"2999-12-31T00:00:00Z"`},
		{"key that has ended", "apikey create --org acme --expires 2001-01-01", "", 1, "expires_at must lie in the future"},
		{"key until nonsense", "apikey create --org acme --expires soon", "", 2, "90d"},
		{"key that reaches nowhere", "apikey create --org acme --scope all", "", 2, "read"},
		{"keys", "apikey list --org acme", "", 0, "never used"},
		{"keys with their scopes", "apikey list --org acme", "", 0, "read   never used, expires 20"},
		{"keys of nobody", "apikey list --org nobody", "", 1, "parley: "},
		{"revoke what is none", "apikey revoke --org acme 0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11", "", 1, "parley: "},
		{"revoke nonsense", "apikey revoke --org acme x", "", 1, "parley: "},
		{"down", "migrate down", "", 0, "rolled back 20261121090000_ledger"},
		{"status after", "migrate status", "", 0, "missing"},
	}
	for _, s := range steps {
		code, out, errOut := command(t, e, s.in, strings.Fields(s.args)...)
		said := out
		if code != 0 {
			said = errOut
			if strings.Count(errOut, "\n") != 1 {
				t.Errorf("%s: not one line on stderr: %q", s.name, errOut)
			}
		}
		if code != s.code || !strings.Contains(said, s.says) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %d and %q", s.name, code, out, errOut, s.code, s.says)
		}
	}
}

func TestRevokedKeyOpensNothing(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	key := apiKey(t, e, "demo")
	if code := s.call(t, "GET", "/api/v1/agents", key, nil, nil); code != 200 {
		t.Fatal(code)
	}
	_, out, _ := command(t, e, "", "apikey", "list", "--org", "demo", "--json")
	var listed struct{ Keys []struct{ ID, Prefix string } }
	if err := json.Unmarshal([]byte(out), &listed); err != nil || len(listed.Keys) != 1 || strings.Contains(out, key) || !strings.HasPrefix(key, listed.Keys[0].Prefix) {
		t.Fatal(out, err)
	}
	if code, out, errOut := command(t, e, "", "apikey", "revoke", "--org", "demo", listed.Keys[0].ID); code != 0 || out != "revoked\n" {
		t.Fatal(code, out, errOut)
	}
	if code := s.call(t, "GET", "/api/v1/agents", key, nil, nil); code != 401 {
		t.Errorf("a revoked key gets %d, want 401", code)
	}
}

func TestDoctorFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := dir + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	e := env{"DATABASE_URL": "postgres://127.0.0.1:1/parley", "PARLEY_DATA_DIR": file + "/data", "PARLEY_ADDR": "127.0.0.1:0", "PARLEY_SECRET": ledgertest.Secret}
	code, out, _ := command(t, e, "", "doctor", "--json")
	var report struct {
		OK     bool
		Checks []finding
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err, out)
	}
	if code != 1 || report.OK || report.Checks[0].OK || report.Checks[1].OK || !report.Checks[2].OK {
		t.Fatalf("exit code %d, %+v", code, report)
	}
}

func TestSecretIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	e := environment(t)
	delete(e, "PARLEY_SECRET")
	for range 2 {
		if code, _, errOut := command(t, e, "", "migrate", "up"); code != 0 {
			t.Fatal(errOut)
		}
	}
	c, err := readConfig(e.get, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.sealer()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := a.Seal("here", []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.sealer()
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := b.Open("here", sealed); err != nil || string(plain) != "plain" {
		t.Fatal(string(plain), err)
	}
	if st, err := os.Stat(e["PARLEY_DATA_DIR"] + "/secret"); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st, err)
	}
}

// A smooth-operator client that brings a key converses: that is more than reading.
func TestOperatorsNeedAKeyThatMayWrite(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	accounts := account.New(l)
	for scope, may := range map[domain.Scope]bool{domain.ScopeRead: false, domain.ScopeWrite: true, domain.ScopeAdmin: true} {
		key, _, err := accounts.CreateAPIKey(t.Context(), f.Org, account.APIKeyInput{Name: "Robot", Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		if o, err := operators(accounts)(t.Context(), key, true); (err == nil) != may || !may && domain.KindOf(err) != domain.Forbidden || may && o.OrgID != f.Org {
			t.Errorf("%s: %+v, %v", scope, o, err)
		}
	}
}

// Only what is done with a key or a sign-in is a use of it; that a connection is open is none.
func TestOperatorsLookWithoutUsing(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	accounts := account.New(l)
	owner := account.Owner{Organisation: "Acme", Name: "Anna", Email: "anna@example.com", Password: "correct horse battery"}
	u, err := accounts.SetUp(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := accounts.SignIn(t.Context(), owner.Email, owner.Password)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := accounts.CreateAPIKey(t.Context(), u.OrgID, account.APIKeyInput{Name: "Robot", Scope: domain.ScopeWrite})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.DB().ExecContext(t.Context(), `UPDATE portal_sessions SET last_seen_at = now() - interval '1 day'`); err != nil {
		t.Fatal(err)
	}
	for _, used := range []bool{false, true} {
		for _, token := range []string{key, session} {
			if o, err := operators(accounts)(t.Context(), token, used); err != nil || o.OrgID != u.OrgID {
				t.Errorf("%+v, %v", o, err)
			}
		}
		var noted bool
		if err := l.DB().QueryRowContext(t.Context(), `SELECT (SELECT last_used_at IS NOT NULL FROM api_keys) AND (SELECT last_seen_at > now() - interval '1 hour' FROM portal_sessions)`).Scan(&noted); err != nil || noted != used {
			t.Errorf("used %t: noted %t, %v", used, noted, err)
		}
	}
}
