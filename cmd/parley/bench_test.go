package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/parley-chat/parley/cmd/parley/bench"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// TestBenchUnderChaos cuts, repeats and resumes on two nodes over every transport, and wants every promise kept.
func TestBenchUnderChaos(t *testing.T) {
	t.Parallel()
	e := environment(t)
	e["PARLEY_LOG"] = "error"
	code, out, errOut := command(t, e, "", strings.Fields("bench --nodes 2 --visitors 20 --messages 300 --rate 0 --chaos --transport mix --json")...)
	var r bench.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err, out, errOut)
	}
	t.Logf("%s", out)
	if code != 0 || r.Broken() > 0 || r.Acked != 300 || r.Replies != 300 || r.Cuts == 0 || r.Reconnects == 0 || r.Repeats == 0 {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

// TestBenchAgainstARunningServer talks to a widget whose agent is no echo and whose limits are the usual ones.
func TestBenchAgainstARunningServer(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	code, out, errOut := command(t, e, "", "bench", "--url", s.url, "--widget", s.demoKey(t), "--visitors", "5", "--messages", "50", "--rate", "0")
	if code != 0 || !strings.Contains(out, "50 said by 5 visitors, 50 acknowledged") || !strings.Contains(out, "0 lost, 0 doubled, 0 reordered") || strings.Contains(out, "unanswered") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	code, _, errOut = command(t, e, "", "bench", "--url", s.url, "--widget", "wid_0000000000000000000000")
	if code != 1 || !strings.Contains(errOut, "unknown_widget") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

// TestBenchFailsOnABrokenPromise has something between bench and the server that changes what is stored.
func TestBenchFailsOnABrokenPromise(t *testing.T) {
	t.Parallel()
	s := serve(t, environment(t), "--demo")
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	through := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(resp *http.Response) error {
			if resp.Request.Method != "GET" || !strings.HasSuffix(resp.Request.URL.Path, "/messages") {
				return nil
			}
			body, err := io.ReadAll(resp.Body)
			body = bytes.ReplaceAll(body, []byte("[0.2]"), []byte("[9.2]")) // as long as it was
			resp.Body = io.NopCloser(bytes.NewReader(body))
			return err
		},
	}
	proxy := httptest.NewServer(through)
	t.Cleanup(proxy.Close)
	code, out, errOut := command(t, env{}, "", "bench", "--url", proxy.URL, "--origin", s.url, "--widget", s.demoKey(t), "--visitors", "1", "--messages", "6", "--rate", "0", "--transport", "poll")
	if code != 1 || !strings.Contains(errOut, "promises were broken") || !strings.Contains(out, "0 lost, 0 doubled, 0 reordered") || strings.Contains(out, " 0 changed") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
}

func TestBenchRefusesNonsense(t *testing.T) {
	t.Parallel()
	e := env{"PARLEY_SECRET": ledgertest.Secret}
	for args, says := range map[string]string{
		"--url http://127.0.0.1:1":                      "--url needs --widget",
		"--widget wid_1":                                "go with --url",
		"--url http://127.0.0.1:1 --widget w --nodes 2": "several --url",
		"--url 127.0.0.1 --widget w":                    "--url must look like",
		"--visitors 0":                                  "above 0",
		"--transport pigeon":                            "--transport",
	} {
		code, out, errOut := command(t, e, "", append([]string{"bench"}, strings.Fields(args)...)...)
		if code != 2 || out != "" || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, says) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %q", args, code, out, errOut, says)
		}
	}
}

// TestBenchMeasuresTheDispatcher wants numbers that fit together; how small they are depends on the machine.
func TestBenchMeasuresTheDispatcher(t *testing.T) {
	t.Parallel()
	e := environment(t)
	args := strings.Fields("bench --visitors 2 --messages 4 --rate 0")
	code, out, errOut := command(t, e, "", append(args, "--json")...)
	var r bench.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatal(code, err, out, errOut)
	}
	d := r.Dispatch
	t.Logf("%.1f commits, %+v", d.Ratio(), d)
	if d == nil || d.Turns < 2 || d.Commit.P50 <= 0 || d.Answer.P50 <= 0 || d.Claim.P50 < 0 || d.Answer.P50 < d.Claim.P50 || d.Answer.P99 < d.Answer.P95 || d.Answer.P95 < d.Answer.P50 {
		t.Errorf("dispatch %+v", d)
	}
	if _, out, _ = command(t, e, "", args...); !strings.Contains(out, "\n  dispatch     p50 ") || !strings.Contains(out, " raw commits (p50 ") || !strings.Contains(out, "\n  claim        p50 ") {
		t.Errorf("%s", out)
	}
}
