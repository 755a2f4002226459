package views

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOpeningIsPlainWords(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                                   "",
		"Park **behind** the [house](/x).\n": "Park behind the house.",
		"# Fees\n\nNone.\n\n- a\n- `b`":      "Fees · None. a · b",
		"| a | b |\n|---|---|\n| c | d |":    "a · b · c · d",
		"fish &amp; chips < 5 €":             "fish & chips < 5 €",
		"![x](https://evil.example/x.png)ok": "ok",
		"<script>alert(1)</script>\n\nok":    "ok",
	} {
		if got := opening(source); got != want {
			t.Errorf("%q opens with %q, want %q", source, got, want)
		}
	}
	for name, source := range map[string]string{
		"many words":     strings.Repeat("wörter, ", 100),
		"one long word":  strings.Repeat("ö", 5000),
		"little of much": "short" + strings.Repeat("\n", 5000) + "and more",
	} {
		got := opening(source)
		if utf8.RuneCountInString(got) > openingChars+1 || !strings.HasSuffix(got, "…") || strings.HasSuffix(got, ",…") || !utf8.ValidString(got) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestLanguagesHaveNames(t *testing.T) {
	t.Parallel()
	var labels []string
	for _, o := range articleForm(articles()[0]).languageOptions() {
		labels = append(labels, o.Label)
	}
	if got := strings.Join(labels, ", "); got != "English, German, Swedish, Another language" {
		t.Errorf("the languages are called %s", got)
	}
	if one, many := articleCount(1), articleCount(12); one != "one article" || many != "12 articles" {
		t.Errorf("%q, %q", one, many)
	}
}
