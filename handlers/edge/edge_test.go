package edge

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]domain.Code{
		`{"score":3,"unknown":[]}`: "", "": "", " \n": "", "{": domain.CodeBadJSON, `{"score":"x"}`: domain.CodeBadField, "[]": domain.CodeBadJSON,
		`{"score":1}` + strings.Repeat(" ", MaxBody): domain.CodeTooLong,
	} {
		var v struct {
			Score int `json:"score"`
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		if err := Decode(httptest.NewRecorder(), r, &v); domain.CodeOf(err) != want || (err == nil) != (want == "") {
			t.Errorf("%.30q: %v, want %q", body, err, want)
		}
	}
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"name":[]}`: "must not be an array", `{"name":{}}`: "must not be an object", `{"name":7}`: "must not be a number",
		`{"name":true}`: "must not be true or false", `{"score":1.5}`: "must not be this number", `{"score":"x"}`: "must not be a string",
	} {
		var v struct {
			Name  string `json:"name"`
			Score int    `json:"score"`
		}
		err := Decode(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &v)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

func TestBodyWithin(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer BodyWithin(w, 200*time.Millisecond)()
		_, err := io.ReadAll(r.Body)
		read <- err
	}))
	t.Cleanup(s.Close)
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-read:
		if err == nil {
			t.Error("a body that never came was read")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a slow body held its handler")
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err    error
		status string
		says   string
	}{
		"a bug":     {io.ErrUnexpectedEOF, "500", `"code":"internal"`},
		"an outage": {&domain.Error{Kind: domain.Unavailable, Msg: "later", RetryAfter: 1500 * time.Millisecond}, "503", `"code":"unavailable"`},
		"a field":   {domain.InvalidField("name", "is missing"), "422", `"errors":{"name":"is missing"}`},
		"no token":  {&domain.Error{Kind: domain.Unauthenticated}, "401", `"code":"unauthorized"`},
		"bad JSON":  {&domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON}, "400", `"code":"bad_json"`},
	} {
		w := httptest.NewRecorder()
		WriteProblem(w, httptest.NewRequest(http.MethodGet, "/x?token=secret", nil), slog.New(slog.DiscardHandler), tt.err)
		res := w.Result()
		body, _ := io.ReadAll(bufio.NewReader(res.Body))
		if !strings.HasPrefix(res.Status, tt.status) || !strings.Contains(string(body), tt.says) || strings.Contains(string(body), "unexpected EOF") ||
			res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s", name, res.Status, body)
		}
		if challenged := res.Header.Get("WWW-Authenticate") == `Bearer realm="parley"`; challenged != (name == "no token") {
			t.Errorf("%s: WWW-Authenticate %q", name, res.Header.Get("WWW-Authenticate"))
		}
		if name == "an outage" && res.Header.Get("Retry-After") != "2" {
			t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
		}
	}
}
