package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.acme.get(t, "/settings").want(t, http.StatusOK).check(t, map[string]any{"record_content": "metadata", "record_days": 90})
	w.acme.patch(t, "/settings", map[string]any{"record_content": "full"}).want(t, http.StatusOK).check(t, map[string]any{"record_content": "full", "record_days": 90})
	w.acme.patch(t, "/settings", map[string]any{"record_days": 0}).want(t, http.StatusOK).check(t, map[string]any{"record_content": "full", "record_days": 0})
	w.acme.patch(t, "/settings", map[string]any{"record_days": -1}).badField(t, "record_days")
	w.rival.get(t, "/settings").want(t, http.StatusOK).check(t, map[string]any{"record_content": "metadata", "record_days": 90})
}

func TestTimelineIsSavedAsAFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello")
	path := "/threads/" + string(w.acme.Thread) + "/timeline"
	a := w.acme.get(t, path+"?download=1").want(t, http.StatusOK)
	if d := a.header.Get("Content-Disposition"); !strings.HasPrefix(d, `attachment; filename="timeline-`) || len(a.items(t)) == 0 {
		t.Errorf("%q %s", d, a.raw)
	}
	if d := w.acme.get(t, path).want(t, http.StatusOK).header.Get("Content-Disposition"); d != "" {
		t.Errorf("%q", d)
	}
}
