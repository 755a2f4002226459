package agent

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

// What services are sent has the protocol's times: UTC with three digits, whatever the database keeps and however they end.
func TestTurnRequestHasTheProtocolsTimes(t *testing.T) {
	t.Parallel()
	east := time.FixedZone("", 2*3600)
	at := func(micros int) time.Time { return time.Date(2026, 11, 27, 14, 0, 0, micros*1000, east) }
	raw, err := json.Marshal(TurnRequest{
		Messages: []Line{
			{Seq: 1, Author: domain.Author{Kind: domain.AuthorVisitor, Name: "Ann"}, Content: "<hi>", CreatedAt: at(396947)},
			{Seq: 2, CreatedAt: at(390000), Attachments: []File{{Name: "a.txt"}}}, {Seq: 3, CreatedAt: at(0)},
		},
		Handover: &Handover{By: "Bea", At: at(1), Lines: []int64{2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"created_at":"2026-11-27T12:00:00.396Z"`, `"created_at":"2026-11-27T12:00:00.390Z"`, `"created_at":"2026-11-27T12:00:00.000Z"`, `"at":"2026-11-27T12:00:00.000Z"`,
		`"seq":1`, `"kind":"visitor"`, `"attachments":[{"name":"a.txt"`, `"by":"Bea"`, `"lines":[2]`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("%s is not in %s", want, raw)
		}
	}
	if n := strings.Count(string(raw), `"created_at"`); n != 3 {
		t.Errorf("created_at stands there %d times: %s", n, raw)
	}
}
