package static

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	t.Parallel()
	names := Names()
	for _, want := range []string{"css/portal.css", "demo/demo.css", "js/htmx.min.js", "widget/chat.js", "widget/loader.js", "widget/more.js"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %v", want, names)
		}
	}
	hashed := regexp.MustCompile(`^/assets/[a-z]+/[A-Za-z0-9._-]+\.[0-9a-f]{12}\.[A-Za-z]+$`)
	for _, name := range names {
		if p := Path(name); !hashed.MatchString(p) {
			t.Errorf("Path(%s) = %s", name, p)
		}
	}
}

func TestPathOfUnknownNamePanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("Path did not panic")
		}
	}()
	Path("css/no-such.css")
}

func TestHandler(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, path string
		status     int
		mime       string
	}{
		{"script", Path("widget/chat.js"), http.StatusOK, "text/javascript"},
		{"style sheet", Path("css/portal.css"), http.StatusOK, "text/css"},
		{"picture", Path("demo/mark.svg"), http.StatusOK, "image/svg+xml"},
		{"name without hash", Prefix + "widget/chat.js", http.StatusNotFound, ""},
		{"another hash", Prefix + "widget/chat.000000000000.js", http.StatusNotFound, ""},
		{"folder", Prefix + "widget/", http.StatusNotFound, ""},
		{"outside", Prefix + "../static.go", http.StatusNotFound, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, tt.path, nil))
			if w.Code != tt.status {
				t.Fatalf("status %d, want %d", w.Code, tt.status)
			}
			if tt.status != http.StatusOK {
				return
			}
			h := w.Header()
			if got := h.Get("Content-Type"); !strings.HasPrefix(got, tt.mime) {
				t.Errorf("Content-Type %q, want %q", got, tt.mime)
			}
			if got := h.Get("Cache-Control"); !strings.Contains(got, "immutable") {
				t.Errorf("Cache-Control %q", got)
			}
			if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", h)
			}
		})
	}
}

// A layer that the list of layers does not name would come last and overrule everything.
func TestEveryLayerHasItsPlace(t *testing.T) {
	t.Parallel()
	css := string(Body("css/portal.css"))
	for _, m := range regexp.MustCompile(`(?m)^@layer ([a-z.]+) ?\{`).FindAllStringSubmatch(css, -1) {
		if layer, _, _ := strings.Cut(m[1], "."); !strings.Contains(layers, layer) {
			t.Errorf("layer %s is not in the list", m[1])
		}
	}
	if !strings.HasPrefix(css, "@layer ") {
		t.Error("the list of layers is not first")
	}
}
