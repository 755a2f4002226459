package lead

import (
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

func TestAttribution(t *testing.T) {
	got := string(Attribution(map[string]string{
		"utm_source": " news\x00letter\n", "gclid": strings.Repeat("é", 200), "utm_medium": "", "evil": "<script>", "UTM_TERM": "x",
	}))
	want := `{"gclid":"` + strings.Repeat("é", 100) + `","utm_source":"newsletter"}`
	if got != want {
		t.Fatalf("kept %s, want %s", got, want)
	}
	if got := string(Attribution(nil)); got != "{}" {
		t.Fatalf("nothing gives %s", got)
	}
}

func TestPage(t *testing.T) {
	for url, want := range map[string]string{
		"https://shop.example/a?b=1#c":      "https://shop.example/a?b=1#c",
		" http://shop.example ":             "http://shop.example",
		"https://anna:secret@shop.example/": "https://shop.example/",
		"javascript:alert(1)":               "",
		"data:text/html,x":                  "",
		"//shop.example/":                   "",
		"shop.example":                      "",
		"https://":                          "",
		"http://[::1":                       "",
		"https://shop.example/" + strings.Repeat("x", maxURL+1): "",
		"": "",
	} {
		p := Page(domain.Page{URL: url, Title: "A\x07 title ", Referrer: url})
		if p.URL != want || p.Referrer != want || p.Title != "A title" {
			t.Errorf("%.60q gave %+v, want %q", url, p, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"aé", 2, "a"}, {"日本", 4, "日"}, {" a\tb ", 9, "ab"}, {"x\xffy", 9, "xy"}, {"", 0, ""}, {"é", 1, ""}} {
		if got := Cut(tt.in, tt.n); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}
