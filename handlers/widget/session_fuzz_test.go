package widget

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/handlers/edge"
)

// FuzzArrival looks for a session's body that brings the reader down, is refused in words nobody can read, or gets through to the
// ledger what Postgres cannot hold.
func FuzzArrival(f *testing.F) {
	for _, seed := range []string{
		`{}`, ``, `null`, `[]`, `{"token":7}`, `{"page":{"url":"https://a.example/?x=\u0000","title":"\ud800","referrer":"javascript:1"},"locale":"\u0000de"}`,
		`{"attribution":{"utm_source":"\u0000x","gclid":"y","\u0000":"z"},"timezone":"Europe/Berlin"}`, `{"identity":{"user_id":"u","timestamp":1e3,"signature":"00"}}`,
		"{\"page\":{\"title\":\"\xff\"}}", `{"page":null,"attribution":null,"identity":null}`, `{"identity":{"timestamp":99999999999999999999}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var in arrival
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		if err := edge.Decode(httptest.NewRecorder(), r, &in); err != nil {
			p := edge.ProblemOf(err)
			if out, _ := json.Marshal(p); p.Status < 400 || p.Status > 499 || p.Detail == "" || !utf8.Valid(out) {
				t.Fatalf("%q is refused with %s", body, out)
			}
			return
		}
		page := lead.Page(in.Page)
		kept := []string{page.URL, page.Title, page.Referrer, string(lead.Attribution(in.Attribution)), lead.Cut(in.Locale, 35), lead.Cut(in.Timezone, 64)}
		for _, s := range kept {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || strings.Contains(strings.ReplaceAll(s, `\\`, ""), `\u0000`) || len(s) > edge.MaxBody {
				t.Fatalf("%q would be kept as %q", body, s)
			}
		}
		if !json.Valid([]byte(kept[3])) {
			t.Fatalf("%q is attributed to %q", body, kept[3])
		}
	})
}
