package lead

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	chromeLinux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
	iPhone      = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)

func TestDevice(t *testing.T) {
	for name, tt := range map[string]struct {
		header map[string]string
		want   Device
	}{
		"nothing": {nil, Device{}},
		"desktop": {map[string]string{"User-Agent": chromeLinux}, Device{"desktop", "Linux", "x86_64", "Chrome", "130.0.0.0"}},
		"phone":   {map[string]string{"User-Agent": iPhone}, Device{"mobile", "iOS", "18.1", "Safari", "18.1"}},
		"hints say more": {map[string]string{"User-Agent": chromeLinux, "Sec-CH-UA": `"Chromium";v="130", "Brave";v="131", "Not?A_Brand";v="99"`,
			"Sec-CH-UA-Platform": `"Android"`, "Sec-CH-UA-Platform-Version": `"15.0.0"`, "Sec-CH-UA-Mobile": "?1"},
			Device{"mobile", "Android", "15.0.0", "Brave", "131"}},
		"hints that are none": {map[string]string{"User-Agent": iPhone, "Sec-CH-UA": "Brave", "Sec-CH-UA-Platform": `<script>`, "Sec-CH-UA-Mobile": "1"},
			Device{"mobile", "iOS", "18.1", "Safari", "18.1"}},
	} {
		h := http.Header{}
		for k, v := range tt.header {
			h.Set(k, v)
		}
		if got := DeviceOf(h); got != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzDeviceOf(f *testing.F) {
	f.Add(chromeLinux, `"Chromium";v="130"`, `"Linux"`)
	f.Add(strings.Repeat("(;", 4000), strings.Repeat(`"a";v="`, 4000), "\"\x00\xff\"")
	f.Fuzz(func(t *testing.T, ua, brands, platform string) {
		d := DeviceOf(http.Header{"User-Agent": {ua}, "Sec-Ch-Ua": {brands}, "Sec-Ch-Ua-Platform": {platform}})
		for _, s := range []string{d.Kind, d.OS, d.OSVersion, d.Browser, d.BrowserVersion} {
			if len(s) > maxWord || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
				t.Errorf("%q", s)
			}
		}
	})
}
