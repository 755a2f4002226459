package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestWhereVisitorsAre: a service that is configured is asked once for a network, whatever restarts, and only of whom the trusted
// proxy speaks for. A visitor never waits for it.
func TestWhereVisitorsAre(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	answer := make(chan struct{})
	geo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/base/json/8.8.8.8" {
			t.Errorf("asked for %s", r.URL)
		}
		asked.Add(1)
		<-answer
		_, _ = io.WriteString(w, `{"status":"success","country":"Netherlands","countryCode":"NL","regionName":"Utrecht","city":"Utrecht","lat":52.09,"lon":5.12,"timezone":"Europe/Amsterdam"}`)
	}))
	defer geo.Close()
	e := environment(t)
	e["PARLEY_IPAPI"], e["PARLEY_TRUSTED_PROXIES"] = geo.URL+"/base/", "127.0.0.1"
	s := serve(t, e, "--demo")
	key := s.demoKey(t)
	arrive := func(s *server, from string) string {
		req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/w/"+key+"/session", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", from)
		req.Header.Set("Origin", s.url)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var in struct{ Session struct{ Token string } }
		if err := json.NewDecoder(resp.Body).Decode(&in); err != nil || in.Session.Token == "" {
			t.Fatal(resp.Status, err)
		}
		return in.Session.Token
	}
	says := func(s *server, token string) {
		if code := s.call(t, "POST", "/w/"+key+"/messages", token, map[string]string{"client_id": "1", "content": "Hello"}, nil); code != 201 {
			t.Fatal(code)
		}
	}
	arrive(s, "10.0.0.1")
	arrive(s, "8.8.8.8, 203.0.113.9") // what stands before the last hop is the visitor's own word
	token := arrive(s, "203.0.113.9, 8.8.8.8")
	says(s, token) // the service has not answered
	eventually(t, "question", func() bool { return asked.Load() == 1 })
	close(answer)
	placed := func(n int) func() bool {
		return func() bool {
			return counted(t, e, `SELECT count(*) FROM contacts WHERE profile->'geo'->>'city' = 'Utrecht'`) == n
		}
	}
	eventually(t, "place", placed(1))
	if code := s.stop(); code != 0 {
		t.Fatalf("exit code %d: %s", code, s.out)
	}
	again := serve(t, e, "--demo")
	says(again, arrive(again, "8.8.8.8"))
	eventually(t, "second place", placed(2))
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestDoctorLooksForPlaces(t *testing.T) {
	t.Parallel()
	junk := filepath.Join(t.TempDir(), "city.mmdb")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		set  env
		want string
	}{
		"nothing":    {env{}, "ok    places          nobody is asked"},
		"services":   {env{"PARLEY_IPREGISTRY_KEY": "secret", "PARLEY_IPAPI": "1"}, "ok    places          ipregistry.co, then http://ip-api.com\n"},
		"no file":    {env{"PARLEY_GEOIP_DB": "/nowhere.mmdb"}, "FAIL  places          /nowhere.mmdb cannot be used (PARLEY_GEOIP_DB): stat /nowhere.mmdb: no such file"},
		"not a file": {env{"PARLEY_GEOIP_DB": junk}, "FAIL  places"},
		"bad URL":    {env{"PARLEY_IPAPI": "yes"}, "PARLEY_IPAPI must be 1 or look like"},
	} {
		e := environment(t)
		for k, v := range tt.set {
			e[k] = v
		}
		out := &output{}
		run(t.Context(), []string{"doctor"}, e.get, strings.NewReader(""), out, out)
		if !strings.Contains(out.String(), tt.want) || strings.Contains(out.String(), "secret") {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// counted asks the database.
func counted(t *testing.T, e env, sql string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), e["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
