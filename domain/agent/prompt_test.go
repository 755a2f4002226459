package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// prompted is the prompt of a turn as ROLE: text, one message a line.
func prompted(t *testing.T, r TurnRequest, k Knowledge) []string {
	t.Helper()
	m := newModel(t, says("ok"))
	r.Agent.Name = "Ada"
	if _, err := askModel(t, modelAgent(m.URL), Deps{Knowledge: k}, 0, r, &tape{}); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, msg := range m.asked[0].Messages {
		out = append(out, msg.Role+": "+*msg.Content)
	}
	return out
}

func TestPrompt(t *testing.T) {
	t.Parallel()
	r := chat("v: hello", "a: Hi!", "v: where is my order", "h: It ships today", "?: and my returns?", "?: also this")
	r.Messages[3].Author.Name = "Anna\nB"
	r.Messages[5].Attachments = []File{{Name: "bill.pdf", Mime: "application/pdf", URL: "https://files.example/secret-token"}}
	r.Contact = Contact{Name: "Eva", Email: "eva@example.com"}
	r.Page = &domain.Page{URL: "https://shop.example/orders", Title: "Orders"}
	r.Profile = json.RawMessage(`{"locale":"de"}`)
	p := prompted(t, r, &shelf{articles: shopArticles()})
	if len(p) != 6 {
		t.Fatalf("%d messages:\n%s", len(p), strings.Join(p, "\n---\n"))
	}
	for i, want := range [][]string{
		{"system: Sell bicycles.", `the agent "Ada"`, "A person of the team has spoken"},
		{"user: hello"},
		{"assistant: Hi!"},
		{"user: where is my order"},
		{"assistant: [Person: Anna B] It ships today"},
		{"user: [Information", `"name":"Eva"`, `"email":"eva@example.com"`, `"title":"Orders"`, `"locale":"de"`, "Returns and refunds", "and my returns?\n\nalso this", `[attached file "bill.pdf", application/pdf]`},
	} {
		for _, part := range want {
			if !strings.Contains(p[i], part) {
				t.Errorf("message %d lacks %q: %s", i, part, p[i])
			}
		}
	}
	if all := strings.Join(p, ""); strings.Contains(all, "secret-token") {
		t.Error("a file's address is in the prompt")
	}
	if strings.Contains(p[0], "Anna") || strings.Contains(p[0], "Eva") {
		t.Errorf("names are in the system prompt: %s", p[0])
	}
	if again := prompted(t, chat("h: It ships today", "a: Right", "?: ok"), nil); strings.Contains(again[0], "A person of the team has spoken") {
		t.Error("it is told of a person who spoke before its own last line")
	}
}

func TestPromptStaysWithinItsMeasure(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 400 {
		lines = append(lines, fmt.Sprintf("v: old %d %s", i, strings.Repeat("x", 1000)))
	}
	r := chat(append(lines, "?: the question")...)
	p := strings.Join(prompted(t, r, nil), "")
	if len(p) > 4*(historyTokens+pendingTokens) || !strings.Contains(p, "the question") || !strings.Contains(p, "old 399") || strings.Contains(p, "old 0 ") || !strings.Contains(p, "left out") {
		t.Errorf("a prompt of %d bytes", len(p))
	}
	for i := range lines {
		lines[i] = "?" + lines[i][1:]
	}
	if p := strings.Join(prompted(t, chat(lines...), nil), ""); len(p) > 4*(historyTokens+pendingTokens) || !strings.Contains(p, "old 399") {
		t.Errorf("pending lines alone make %d bytes", len(p))
	}
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"![x](https://e/p.png)":           "[x](https://e/p.png)",
		"!![x](https://e/p.png)":          "[x](https://e/p.png)",
		"![a][b]\n\n[b]: https://e/p":     "[a][b]\n\n[b]: https://e/p",
		"![![a](u)](v)":                   "[[a](u)](v)",
		`a <img src="https://e/p"> b`:     "a  b",
		"<IMG\nsrc=x onerror=y>":          "",
		"<im<img>g src=x>":                "",
		"<svg/onload=x>":                  "",
		"<iframe src=x></iframe>":         "",
		"Great! [site](https://shop.org)": "Great! [site](https://shop.org)",
		"a < b, <https://shop.org>":       "a < b, <https://shop.org>",
	} {
		if got := (Reply{Content: in, ContentType: domain.Markdown}).Harmless().Content; got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
