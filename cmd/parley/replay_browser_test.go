package main

import (
	"strings"
	"testing"

	"github.com/parley-chat/parley/static/widget/axe"
)

// TestReplayInThePortal has an owner try another agent on a conversation, see what would change, and keep the conversation golden.
func TestReplayInThePortal(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	key := apiKey(t, e, "demo")
	_, thread := s.conversation(t, key)
	hold := make(chan struct{})
	s.modelAgent(t, key, "Bea", fakeModel(t, func(string) (string, string, string) {
		<-hold
		return "We ship to Sweden in **nine working days**, and returns are free for thirty days.", "", ""
	}))
	owner := newTab(t, 1280, 900)
	owner.signIn(s)
	owner.visit(s.url + "/golden")
	owner.wait(`$('.empty').innerText.includes('Nothing golden yet')`)
	owner.shot("golden-empty")
	owner.visit(s.url + "/threads/" + thread + "/timeline")
	owner.shot("recorder")
	owner.click(`$('a[href$="/replay"]')`)
	owner.wait(`$('h1').innerText === 'Replay'`)
	owner.js(`(() => { const s = $('select[name=agent_id]'); s.value = [...s.options].find(o => o.text.startsWith('Bea')).value })()`, nil)
	owner.fill(`$('textarea[name=instructions]')`, "Be brief, and name the working days.")
	owner.looks("form")
	owner.click(`$('form[action$="/replay"] button[type=submit]')`)
	owner.wait(`location.pathname.startsWith('/replays/') && ['Running', 'Waiting'].includes($('.replay-sum .badge').innerText.trim())`)
	owner.looks("running")
	close(hold)
	owner.wait(`$('.replay-sum .badge').innerText.includes('2 regressions') && document.querySelectorAll('.replay-turn').length === 2`)
	owner.wait(`$('.replay-turn del') && [...document.querySelectorAll('.replay-turn ins')].some(i => i.innerText.includes('nine')) && $('.replay-sum').innerText.includes('other instructions')`)
	owner.looks("changed")

	owner.click(`$('.back')`)
	owner.wait(`$('#golden-title').innerText.includes('Keep these answers good') && $('.replay-list').innerText.includes('Bea')`)
	owner.fill(`$('input[name="note_1"]')`, "Names the working days.")
	owner.click(`$('form[action$="/golden"] button[type=submit]')`)
	owner.wait(`$('#golden-title').innerText.includes('is golden') && $('input[name="note_1"]').value === 'Names the working days.'`)
	owner.looks("golden-thread")
	owner.visit(s.url + "/golden")
	owner.wait(`$('.entity .badge').innerText.includes('Not run yet')`)
	owner.click(`$('form[action="/golden/run"] button')`)
	owner.wait(`$('.entity .badge')?.innerText.includes('Nothing changed')`) // the same agent, the same answers
	owner.looks("golden")
	owner.visit(s.url + "/threads/" + thread + "/replay")
	owner.click(`$('button[formaction$="/golden/remove"]')`)
	owner.wait(`$('#golden-title').innerText.includes('Keep these answers good')`)
}

// looks checks that a page fits and can be used, wide and narrow, light and dark, and leaves pictures of it.
func (b *tab) looks(name string) {
	b.t.Helper()
	for _, theme := range []string{"light", "dark"} {
		b.theme(theme)
		b.resize(390, 844)
		b.wait(`document.getAnimations().every(a => a.playState !== 'running')`) // colours on their way to another theme contrast with nothing
		var wide bool
		b.js(`document.documentElement.scrollWidth > innerWidth`, &wide)
		if wide {
			b.t.Errorf("%s: wider than a phone", name)
		}
		found, err := axe.Problems(b.ctx, `document`)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(found) > 0 {
			b.t.Errorf("%s, %s: %s", name, theme, strings.Join(found, "\n"))
		}
		b.shot(name + "-390-" + theme)
		b.resize(1280, 900)
		b.shot(name + "-1280-" + theme)
	}
	b.theme("light")
}
