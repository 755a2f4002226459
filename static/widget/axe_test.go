package widget

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/parley-chat/parley/static/widget/axe"
)

// look sets how the visitor wants pages to look; nothing moves, so that what is looked at has come to rest.
func (v *tab) look(theme string) {
	v.t.Helper()
	_, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		v.t.Fatal(err)
	}
}

// usable fails the test with what axe-core has against the widget as it stands.
func (v *tab) usable(state string) {
	v.t.Helper()
	found, err := axe.Problems(v.ctx, `document.querySelector('parley-chat')`)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, problem := range found {
		v.t.Errorf("%s: %s", state, problem)
	}
	v.shot(state)
	if os.Getenv("PARLEY_TEST_SHOTS") != "" {
		v.size(390, 844)
		v.shot(state + "-phone")
		v.size(1280, 800)
	}
}

// shot leaves a screenshot in the folder that PARLEY_TEST_SHOTS names, if it names one, for a person to look at.
func (v *tab) shot(name string) {
	v.t.Helper()
	dir := os.Getenv("PARLEY_TEST_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		v.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(v.t.Name(), "/", "-")+"-"+name+".png"), png, 0o644); err != nil {
		v.t.Fatal(err)
	}
}

// TestUsable puts the widget into every state there is, light and dark, left to right and right to left, and lets axe-core look at each.
func TestUsable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, theme, locale string }{{"light", "light", "en"}, {"dark", "dark", "en"}, {"rtl", "light", "ar"}, {"german", "dark", "de"}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			world := func() (*fake, *tab) {
				f := newFake(t)
				f.config["appearance"].(object)["locale"] = tt.locale
				attaching(f)
				v := newTab(t, f)
				v.look(tt.theme)
				return f, v
			}
			f, v := world()
			conversation(f, v)
			f, v = world()
			trouble(f, v)
			f, v = world()
			questions(f, v)
		})
	}
}

func conversation(f *fake, v *tab) {
	v.load()
	v.usable("launcher")
	v.open(f)
	v.wait(`!$('.chip').hidden`)
	v.usable("empty")
	v.write("Do you ship https://a.example/ferns?")
	v.wait(`$('.visitor.sent')`)
	f.say("agent", "Ivy", "We do, **everywhere**. See [how](https://a.example/), or `x`:\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n\n```\ncode\n```\n> said", object{
		"citations": []object{{"title": "Shipping", "url": "https://a.example/", "snippet": "Two days to most places"}, {"title": "Returns", "snippet": "Within a month"}}})
	f.push(object{"type": "status", "handling": "human", "assignee": object{"name": "Anna Berg"}})
	f.say("human", "Anna Berg", "Here is a picture, and the plan.", object{"content_type": "text", "attachments": []object{
		{"id": "1", "name": "fern.png", "size": 9000, "mime": "image/png", "url": f.URL + "/files/x/fern.png"},
		{"id": "2", "name": "plan.pdf", "size": 1234567, "mime": "application/pdf", "url": f.URL + "/files/x/plan.pdf"}}})
	f.push(object{"type": "read", "seq": 1})
	f.push(object{"type": "typing", "on": true, "author": object{"kind": "human", "name": "Anna Berg"}})
	v.wait(`$('.sources') && $('.image canvas')?.width === 320 && !$('.typing').hidden`)
	v.js(`$('.sources details').open = true`, nil)
	v.usable("conversation")
	v.js(`$('.head .close').click()`, nil)
	v.wait(`$('.menu')`)
	v.usable("bell")
	v.js(`$('textarea').focus()`, nil)
	v.wait(`!$('.menu')`)
	f.push(object{"type": "status", "handling": "closed"})
	v.wait(`$('.stars')`)
	v.usable("stars")
	v.js(`$$('.stars input')[3].click()`, nil)
	v.wait(`!$('.rest').hidden`)
	v.usable("remark")
	v.js(`Parley.close()`, nil)
	f.say("human", "Anna Berg", "Anything else?")
	v.wait(`$('.preview:not([hidden])') && !$('.badge').hidden`)
	v.usable("preview")
}

func trouble(f *fake, v *tab) {
	slow := make(chan struct{})
	v.t.Cleanup(func() { close(slow) })
	f.refusals = []object{{"code": "daily_cap", "message": "That is all for today."}}
	v.load()
	v.open(f)
	v.write("hi")
	v.wait(`$('.visitor.failed')`)
	v.usable("failed")
	v.give("pick", pdf)
	v.wait(`$('.tray .ready')`)
	f.with(func() { f.slowUpload = slow })
	v.give("pick", `['photo.jpg', 'image/jpeg', 2000]`, exe)
	v.wait(`$('.tray .uploading') && $('.tray .failed')`)
	v.usable("attachments")
	f.with(func() { f.sessionFails = 1 << 20; f.noSocket = true })
	f.hangUp()
	v.wait(`!$('.banner').hidden`)
	v.js(`($$('.tray button:last-child').forEach((b) => b.click()))`, nil)
	v.write("still there?")
	v.wait(`$('.visitor.sending')`)
	v.usable("lost")
}

func questions(f *fake, v *tab) {
	look := f.config["appearance"].(object)
	look["contact_info_mode"], look["collect"] = "optional", []string{"name", "email", "phone"}
	v.load()
	v.open(f)
	v.wait(`$('.card')`)
	v.usable("form")
	f.with(func() { f.badFields = object{"email": "There is no such place."} })
	v.js(`$('.card input[name=email]').value = 'mo@nowhere'`, nil)
	v.js(`$('.card .primary').click()`, nil)
	v.wait(`$('.card [aria-invalid]')`)
	v.usable("complaint")
	v.js(`$('.card .quiet').click()`, nil)
	v.wait(`!$('.card')`)
	v.write("hi")
	v.wait(`$('.visitor.sent')`)
	f.push(object{"type": "status", "handling": "waiting", "available": true, "ask": []string{"email"}})
	v.wait(`$('.card input')`)
	v.usable("address")
	f.push(object{"type": "bye", "reason": "disabled"})
	v.wait(`!$('.gone').hidden`)
	v.usable("gone")
	f.with(func() {
		f.config["available"], f.config["offline_form"], f.config["opens_at"] = false, true, time.Now().Add(40*time.Hour).UTC().Format(time.RFC3339)
		f.thread, f.messages, f.token = object{"id": nil, "last_seq": 0, "handling": "agent"}, nil, "none"
	})
	v.load()
	v.open(f)
	v.wait(`$('.card [name=message]')`)
	v.usable("offline")
}

// On a small screen at twice the size everything is still there and within reach.
func TestSmallAndLarge(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	attaching(f)
	v := newTab(t, f)
	v.look("light")
	v.size(1280, 800)
	v.load()
	v.open(f)
	v.write("hi")
	v.wait(`$('.visitor.sent')`)
	f.say("agent", "Ivy", "Hello "+strings.Repeat("averylongwordthatneverends", 9))
	f.push(object{"type": "status", "handling": "closed"})
	v.wait(`$('.stars')`)
	for _, size := range [][2]int64{{640, 400}, {390, 844}, {320, 560}, {320, 256}} { // 1280 by 800 at 200 %, a phone, a small one, and that at 400 %
		v.size(size[0], size[1])
		v.wait(`!matchMedia('(max-width: 480px), (max-height: 480px)').matches || $('.panel').offsetHeight === innerHeight`)
		var outside []string
		v.js(`$$('.panel button, .panel textarea, .panel input, .panel label').filter((el) => el.checkVisibility() && !el.closest('.scroller') && !el.matches('.sr')).filter((el) => {
			el.scrollIntoView({block: 'nearest'});
			const { left, right, top, bottom, width, height } = el.getBoundingClientRect();
			return left < 0 || right > innerWidth || top < 0 || bottom > innerHeight || Math.min(width, height) < 24;
		}).map((el) => el.outerHTML.slice(0, 90))`, &outside)
		if len(outside) > 0 {
			t.Errorf("at %v out of reach: %v", size, outside)
		}
		var font []string
		v.js(`$$('.panel textarea, .panel input:not([type=radio], [type=file])').map((el) => getComputedStyle(el).fontSize).filter((px) => px !== '16px')`, &font)
		if len(font) > 0 {
			t.Errorf("at %v fields are written in %v: phones zoom in on less than 16 px", size, font)
		}
	}
}
