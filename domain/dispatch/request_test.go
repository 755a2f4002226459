package dispatch

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Agents learn what came with a line and where they find it, and nothing of files elsewhere.
func TestRequestNamesFiles(t *testing.T) {
	t.Parallel()
	file := domain.Attachment{ID: "secret", Name: "a.png", Mime: "image/png", Size: 7, URL: "/files/token/a.png"}
	r := request(ledger.Claim{FromSeq: 2}, ledger.Briefing{Messages: []domain.Message{
		{Seq: 1, Direction: domain.Inbound, Content: "hi"},
		{Seq: 2, Direction: domain.Inbound, Attachments: []domain.Attachment{file}},
	}}, "https://chat.example.com")
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `"attachments":[{"name":"a.png","mime":"image/png","size":7,"url":"https://chat.example.com/files/token/a.png"}]`
	if strings.Count(string(b), "attachments") != 1 || !strings.Contains(string(b), want) {
		t.Errorf("%s", b)
	}
	if got := r.Messages[1].Text(); got != "[a.png]" {
		t.Errorf("in words: %q", got)
	}
}

// Agents learn roughly where a visitor is, in words, and nothing more exact.
func TestRequestNamesThePlace(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]string{
		`{"geo":{"city":"Utrecht","country":"Netherlands","latitude":52.09,"longitude":5.12},"device":{"os":"Linux"}}`: `{"device":{"os":"Linux"},"place":"Utrecht, Netherlands"}`,
		`{"geo":{"timezone":"Europe/Amsterdam"}}`: `{}`, `{"geo":7}`: `{}`, `{}`: `{}`,
	} {
		r := request(ledger.Claim{}, ledger.Briefing{Contact: domain.Contact{Profile: []byte(stored)}}, "")
		if string(r.Profile) != want {
			t.Errorf("of %s: %s, want %s", stored, r.Profile, want)
		}
	}
}
