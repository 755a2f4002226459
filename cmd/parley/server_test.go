package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// patience is how long a test waits for anything; only a broken server takes so long.
const patience = 60 * time.Second

// output collects what a program prints while a test looks at it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// env is a program's environment.
type env map[string]string

func (e env) get(name string) string { return e[name] }

// environment is one in which a server finds a database of the test's own and any free port.
func environment(t testing.TB) env {
	return env{
		"DATABASE_URL": ledgertest.DSN(t), "PARLEY_DATA_DIR": t.TempDir(), "PARLEY_ADDR": "127.0.0.1:0",
		"PARLEY_SECRET": ledgertest.Secret, "PARLEY_LOG": "warn",
	}
}

// server is a running parley serve.
type server struct {
	url  string
	out  *output
	stop func() int // as Ctrl-C does, and waits for the exit code
}

var portalLine = regexp.MustCompile(`Portal +(http://\S+)/`)

// serve runs the server within the test's process.
func serve(t testing.TB, e env, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{out: &output{}}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"serve"}, args...), e.get, strings.NewReader(""), s.out, s.out)
	}()
	s.stop = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { s.stop() })
	s.ready(t)
	return s
}

// ready waits until the server has said where it is.
func (s *server) ready(t testing.TB) {
	t.Helper()
	eventually(t, "a server that is ready", func() bool {
		m := portalLine.FindStringSubmatch(s.out.String())
		if m != nil {
			s.url = m[1]
		}
		return m != nil
	})
}

// spawn runs the server as a process of its own, which kill ends without a word.
func spawn(t testing.TB, e env, args ...string) (s *server, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"serve"}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	for name, value := range e {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	s = &server{out: &output{}}
	cmd.Stdout, cmd.Stderr = s.out, s.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := func(sig syscall.Signal) func() int {
		return func() int {
			_ = cmd.Process.Signal(sig)
			_ = cmd.Wait()
			return cmd.ProcessState.ExitCode()
		}
	}
	dead := sync.OnceFunc(func() { end(syscall.SIGKILL)() })
	s.stop = sync.OnceValue(end(syscall.SIGINT))
	t.Cleanup(dead)
	s.ready(t)
	return s, dead
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}

// call sends a request with a bearer token and decodes the answer into to, unless that is nil.
func (s *server) call(t testing.TB, method, path, token string, body, to any) int {
	t.Helper()
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, send)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0 // the server is away, which some tests are about
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && to != nil && resp.StatusCode < 300 {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		t.Fatalf("%s %s: %d %s: %v", method, path, resp.StatusCode, b, err)
	}
	return resp.StatusCode
}

// visitor is somebody at a widget, over plain HTTP.
type visitor struct {
	s     *server
	base  string
	token string
}

// line is a message as visitors get it.
type line struct {
	Seq       int64
	ClientID  string `json:"client_id"`
	Content   string
	Author    struct{ Kind, Name string }
	Citations []struct{ Title string }
}

func (s *server) visit(t testing.TB, key string) *visitor {
	t.Helper()
	v := &visitor{s: s, base: "/w/" + key}
	var answer struct{ Session struct{ Token string } }
	if code := s.call(t, "POST", v.base+"/session", "", map[string]any{}, &answer); code != 200 {
		t.Fatalf("session: %d", code)
	}
	v.token = answer.Session.Token
	return v
}

func (v *visitor) say(t testing.TB, clientID, content string) int {
	t.Helper()
	return v.s.call(t, "POST", v.base+"/messages", v.token, map[string]string{"client_id": clientID, "content": content}, nil)
}

func (v *visitor) lines(t testing.TB) []line {
	t.Helper()
	var answer struct{ Messages []line }
	v.s.call(t, "GET", v.base+"/messages?limit=100", v.token, nil, &answer)
	return answer.Messages
}

// answered waits for the nth line of the given kind of author and returns all lines.
func (v *visitor) answered(t testing.TB, by string, n int) []line {
	t.Helper()
	var all []line
	eventually(t, fmt.Sprintf("line %d by %s", n, by), func() bool {
		all = v.lines(t)
		count := 0
		for _, l := range all {
			if l.Author.Kind == by {
				count++
			}
		}
		return count >= n
	})
	return all
}

// demoKey is the key of the demo's widget, read off its page.
func (s *server) demoKey(t testing.TB) string {
	t.Helper()
	resp, err := http.Get(s.url + "/demo")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`wid_[0-9A-Za-z]{22}`).FindString(string(b))
}

// apiKey makes a key for an organisation on the command line.
func apiKey(t testing.TB, e env, org string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), []string{"apikey", "create", "--org", org, "--json"}, e.get, nil, &out, &errOut); code != 0 {
		t.Fatal(code, errOut.String())
	}
	var answer struct{ Key string }
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Key
}

// onlyThread waits until the organisation of a key has a thread, and names it.
func (s *server) onlyThread(t testing.TB, key string) string {
	t.Helper()
	var threads struct{ Items []struct{ ID string } }
	eventually(t, "thread", func() bool {
		s.call(t, "GET", "/api/v1/threads", key, nil, &threads)
		return len(threads.Items) == 1
	})
	return threads.Items[0].ID
}
