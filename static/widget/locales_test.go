package widget

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var entry = regexp.MustCompile(`(?m)^  (\w+): '(.*)',$`)

// Every language says all there is to say, fills in what English fills in, and names the launcher as the loader does.
func TestLocalesAreWhole(t *testing.T) {
	t.Parallel()
	read := func(file string) string {
		text, err := os.ReadFile(filepath.Join("src", file))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	open, rest, _ := strings.Cut(read("texts.js"), "export const openWord")
	english := entry.FindAllStringSubmatch(rest, -1)
	first := map[string]string{}
	for _, m := range entry.FindAllStringSubmatch(open, -1) {
		first[m[1]] = m[2]
	}
	files, _ := filepath.Glob("src/locales/*.js") // the pattern is a good one
	if len(files) != len(first)-1 || len(english) < 60 {
		t.Fatalf("%d languages, %d of which the loader knows, %d texts", len(files)+1, len(first), len(english))
	}
	for _, file := range files {
		name := filepath.Base(file)
		texts := map[string]string{}
		for _, m := range entry.FindAllStringSubmatch(read("locales/"+name), -1) {
			texts[m[1]] = m[2]
		}
		for _, m := range english {
			for _, hole := range []string{"{n}", "{name}", "{time}"} {
				if texts[m[1]] == "" || strings.Contains(m[2], hole) != strings.Contains(texts[m[1]], hole) {
					t.Errorf("%s: %s is %q, in English %q", name, m[1], texts[m[1]], m[2])
				}
			}
		}
		if tag := strings.TrimSuffix(name, ".js"); texts["open"] != first[tag] {
			t.Errorf("%s: the loader says %q, the chat %q", name, first[tag], texts["open"])
		}
	}
}

// Arabic runs from right to left: everything but the corner, which the owner chose.
func TestRightToLeft(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.config["appearance"].(object)["locale"] = "ar"
	f.config["texts"] = object{"person": "أريد إنسانًا"}
	v := visit(t, f)
	v.wait(`$('.launcher').ariaLabel === 'افتح المحادثة'`)
	if n := f.count("GET /assets/widget/ar.js"); n != 0 {
		t.Error("the texts came before anybody asked for the chat")
	}
	v.open(f)
	v.wait(`$('.frame').dir === 'rtl' && $('.frame').lang === 'ar' && $('.chip').innerText === 'أريد إنسانًا'`)
	v.tells(f, "مرحبا")
	f.say("agent", "Ivy", "Hello **there**")
	v.shows("visitor: مرحبا", "agent: Hello there")
	at := func(sel string) string { return `$('` + sel + `').getBoundingClientRect()` }
	v.wait(`$('.agent .avatar') && ` + at(".visitor .bubble") + `.left < ` + at(".agent .bubble") + `.left && ` + at(".agent .avatar") + `.left > ` + at(".agent .bubble") + `.left`)
	v.wait(at(".send") + `.left < ` + at("textarea") + `.left && ` + at(".launcher") + `.left > innerWidth / 2`)
}

// What the server says is English whatever the chat's language is: its full stop stands at its end, not before it.
func TestForeignRefusalRightToLeft(t *testing.T) {
	t.Parallel()
	endsAtItsRight := func(sel string) string {
		return `(() => {
			const text = $('` + sel + `')?.firstChild, at = (from, to) => { const r = new Range(); r.setStart(text, from); r.setEnd(text, to); return r.getBoundingClientRect(); };
			return text && $('.frame').dir === 'rtl' && at(text.length - 1, text.length).left >= at(0, text.length - 1).right - 1;
		})()`
	}
	for _, tt := range []struct {
		name string
		with func(f *fake)
		sel  string
	}{
		{"of the chat", func(f *fake) { f.denied = "origin_not_allowed" }, ".gone"},
		{"of a line for good", func(f *fake) { f.refusals = []object{{"code": "daily_cap", "message": "That is all for today."}} }, ".failed .meta bdi"},
		{"of a line for now", func(f *fake) {
			f.refusals = []object{{"code": "rate_limited", "message": "A little slower, please.", "retry_after_ms": 60_000}}
		}, ".sending .meta bdi"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.config["appearance"].(object)["locale"] = "ar"
			tt.with(f)
			v := visit(t, f)
			if tt.sel == ".gone" {
				v.js(`$('.launcher').click()`, nil)
				v.wait(`$('.gone')?.innerText`)
			} else {
				v.open(f)
				v.write("hi")
				v.wait(`$('` + tt.sel + `')?.innerText.endsWith('.')`)
			}
			v.wait(endsAtItsRight(tt.sel))
		})
	}
}
