package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Who reconciles a day asks for that day: its beginning is in it, its end is not.
func TestEventsOfATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.ledger.NewRaw(`DELETE FROM events WHERE org_id = ?`, w.acme.Org).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 6 {
		w.says(t, w.acme, fmt.Sprint(n), fmt.Sprint("line ", n))
	}
	begun := time.Date(2026, 11, 20, 22, 0, 0, 0, time.UTC)
	if _, err := w.ledger.NewRaw(`UPDATE events e SET created_at = ?0::timestamptz + m.n * interval '1 hour'
FROM (SELECT id, row_number() OVER (ORDER BY ord) - 1 AS n FROM events WHERE org_id = ?1) m WHERE m.id = e.id`, begun, w.acme.Org).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ since, until, hours string }{
		{"", "", "03 02 01 00 23 22"},
		{"2026-11-21", "", "03 02 01 00"},
		{"", "2026-11-21", "23 22"},
		{"2026-11-20T23:00:00Z", "2026-11-21T02:00:00Z", "01 00 23"},
		{"2026-11-21T00:00:00.001Z", "", "03 02 01"},
		{"2026-11-21T03:00:00+01:00", "", "03 02"},
		{"2026-11-22", "", ""},
		{"2026-11-22", "2026-11-20", ""},
	} {
		for _, path := range []string{"/events", "/activity"} {
			q := url.Values{"since": {tt.since}, "until": {tt.until}, "kind": {"message_received"}}
			var hours []string
			for _, e := range w.acme.get(t, path+"?"+q.Encode()).want(t, http.StatusOK).items(t) {
				hours = append(hours, e["at"].(string)[11:13])
			}
			if got := strings.Join(hours, " "); got != tt.hours {
				t.Errorf("%s since %q until %q: %q, want %q", path, tt.since, tt.until, got, tt.hours)
			}
		}
	}
	if n := len(w.acme.get(t, "/events?since=2026-11-21T03:00:00+01:00").items(t)); n != 2 {
		t.Errorf("with a plus that nobody has escaped: %d", n)
	}
	once(t, walk(t, w.acme.client, "/events?since=2026-11-20T23:00:00Z&until=2026-11-21T02:00:00Z", "id", 2, nothing), 3)
	for _, field := range []string{"since", "until"} {
		for _, bad := range []string{"yesterday", "2026-13-01", "21.11.2026", "1795821380", "2026-11-21T09:00:00", "\x00", "0000-01-01", strings.Repeat("2", 50)} {
			w.acme.get(t, "/events?"+url.Values{field: {bad}}.Encode()).badField(t, field)
		}
	}
}
