package widget_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// TestOwnersMayRewordWhatTheWidgetSays holds the list of names that an owner may give words to against the widget's own.
func TestOwnersMayRewordWhatTheWidgetSays(t *testing.T) {
	src, err := os.ReadFile("src/texts.js")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^  (\w+):\s*['"]`).FindAllSubmatch(src, -1) {
		said[string(m[1])] = true
	}
	for _, name := range domain.WidgetTexts {
		if !said[name] {
			t.Errorf("the widget never says %q", name)
		}
	}
	for name := range said {
		if name != "title" && name != "greeting" && !slices.Contains(domain.WidgetTexts, name) {
			t.Errorf("nobody may reword %q: add it to domain.WidgetTexts", name)
		}
	}
}
