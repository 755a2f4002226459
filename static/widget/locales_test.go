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
