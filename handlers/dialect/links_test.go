package dialect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

// A client that knows no attachments is told where they are.
func TestTriggerfishNamesFiles(t *testing.T) {
	t.Parallel()
	m := domain.Message{Author: domain.Author{Kind: domain.AuthorHuman}, Attachments: []domain.Attachment{{URL: "/files/t/a.png"}, {URL: "/files/u/b.pdf"}}}
	d := dialect.Triggerfish{Session: "s", Origin: "https://chat.example.com"}
	want := `"content":"https://chat.example.com/files/t/a.png\nhttps://chat.example.com/files/u/b.pdf"`
	if got := string(d.Frame(dialect.Line{Message: m}, time.Time{})); !strings.Contains(got, want) {
		t.Errorf("%s", got)
	}
	m.Content = "here"
	if got := string(d.Frame(dialect.Line{Message: m}, time.Time{})); !strings.Contains(got, `"content":"here\nhttps://`) {
		t.Errorf("%s", got)
	}
}
