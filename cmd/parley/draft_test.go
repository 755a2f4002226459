package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// drafting is the demo with its agent in the mode suggest, a visitor, and somebody of the team who has their conversation open.
type drafting struct {
	t      *testing.T
	s      *server
	v      *visitor
	b      *tab
	key    string
	agent  string
	thread string
}

func newDrafting(t *testing.T) *drafting {
	t.Helper()
	e := environment(t)
	d := &drafting{t: t, s: serve(t, e, "--demo"), key: apiKey(t, e, "demo")}
	var agents struct{ Items []struct{ ID string } }
	d.s.call(t, "GET", "/api/v1/agents", d.key, nil, &agents)
	d.agent = agents.Items[0].ID
	d.set(map[string]any{"send_mode": "suggest"})
	d.v = d.s.visit(t, d.s.demoKey(t))
	d.v.say(t, "1", "How long does shipping to Sweden take?")
	var threads struct{ Items []struct{ ID string } }
	eventually(t, "thread", func() bool {
		d.s.call(t, "GET", "/api/v1/threads", d.key, nil, &threads)
		return len(threads.Items) == 1
	})
	d.thread = threads.Items[0].ID
	d.b = newTab(t, 1280, 900)
	d.b.signIn(d.s)
	d.b.visit(d.s.url + "/threads/" + d.thread)
	d.b.wait(`$('.suggestion')`)
	return d
}

func (d *drafting) set(fields map[string]any) {
	d.t.Helper()
	if code := d.s.call(d.t, "PATCH", "/api/v1/agents/"+d.agent, d.key, fields, nil); code != 200 {
		d.t.Fatal(code)
	}
}

// body is the composer's field, and shown the last line of the conversation by somebody of the team.
const (
	body  = `$('form[data-composer]').elements.body`
	shown = `$$('.line.by-human:not(.is-note) .bubble').at(-1)?.innerText`
)

// A draft is discarded, overtaken, sent as it is and sent with changes, by its buttons; what is half typed survives each of them.
func TestDraftsInABrowser(t *testing.T) {
	t.Parallel()
	d := newDrafting(t)
	b := d.b
	b.fill(body, "Half a wo")
	b.shot("draft")
	b.click(`$('.suggestion button[name=discard]')`)
	b.wait(`!$('.suggestion') && ` + body + `.value === 'Half a wo'`)

	// A new draft comes by itself while somebody types, and is told to be outdated when the visitor goes on and no agent does.
	d.v.say(t, "2", "Can I return a bicycle?")
	b.wait(`$('.suggestion') && ` + body + `.value === 'Half a wo'`)
	var first string
	b.js(`$('.suggestion').id`, &first)
	d.set(map[string]any{"enabled": false})
	d.v.say(t, "3", "And what about the warranty?")
	b.wait(`$('.suggestion.is-outdated .suggestion-outdated')`)
	b.shot("outdated")

	// The newest wins: an agent that is back drafts anew, and the one before can no longer be sent.
	d.set(map[string]any{"enabled": true})
	d.v.say(t, "4", "How long does the warranty last?")
	b.wait(`$('.suggestion:not(.is-outdated)') && $('.suggestion').id !== '` + first + `' && $$('.suggestion').length === 1 && ` + body + `.value === 'Half a wo'`)
	// In one go: news from the stream would draw the button anew in between.
	b.js(`(e => { e.setAttribute('value', '`+strings.TrimPrefix(first, "draft-")+`'); e.click() })($('.suggestion button[name=use]'))`, nil)
	b.wait(`$('form[data-composer] .field-problem')?.innerText.includes('no longer the one that waits') && ` + body + `.value === 'Half a wo' && !$('.line.by-human')`)

	// As it is: the visitor gets the draft's words, and the half word is still there.
	b.visit(d.s.url + "/threads/" + d.thread)
	var words string
	b.wait(`$('.suggestion')`)
	b.js(`$('.suggestion-words').innerText.trim()`, &words)
	b.click(`$('.suggestion button[name=use]')`)
	b.wait(`!$('.suggestion') && ` + shown + ` && ` + body + `.value === 'Half a wo'`)
	got := d.v.answered(t, "human", 1)
	var seen string
	b.js(shown, &seen)
	if !strings.HasPrefix(seen, strings.Fields(words)[0]) || !strings.Contains(got[len(got)-1].Content, strings.Fields(words)[0]) {
		t.Errorf("drafted %q, the team sees %q, the visitor %q", words, seen, got[len(got)-1].Content)
	}

	// With changes: the draft stands behind what was typed, and the recorder shows what became of it.
	d.v.say(t, "5", "Do you ship to Sweden?")
	b.click(`$('.suggestion button[name=edit]')`)
	b.wait(body + `.value.startsWith('Half a wo') && ` + body + `.value.length > 20`)
	b.js(`(() => { const f = `+body+`; f.value = 'Dear visitor: ' + f.value.replace('Half a wo', '').trim(); f.dispatchEvent(new Event('input', { bubbles: true })); return 1 })()`, nil)
	b.click(`$('.composer-send')`)
	b.wait(shown + `.startsWith('Dear visitor: ') && ` + body + `.value === ''`)
	b.click(`$$('.pane-tabs a')[1]`)
	b.wait(`$('.difference ins')?.textContent.includes('Dear') && $$('.happening-title').some((p) => p.textContent.includes('sent the draft as it was')) && $$('.happening-title').some((p) => p.textContent.includes('discarded the draft'))`)
	b.tolerate("409")
}

// An open recorder grows by itself, leaves what somebody has unfolded as it is, and leads to the reasons of an answer and to a file.
func TestRecorderInABrowser(t *testing.T) {
	t.Parallel()
	s := serve(t, environment(t), "--demo")
	v := s.visit(t, s.demoKey(t))
	v.say(t, "1", "How long does shipping to Sweden take?")
	v.answered(t, "agent", 1)
	b := newTab(t, 1280, 900)
	b.signIn(s)
	b.click(`$('a[href^="/threads/"]')`)
	b.click(`$$('.pane-tabs a')[1]`)
	b.wait(`$('.turn .badge')?.innerText === 'Answered' && $('.turn-title').innerText.includes('Attempt 1')`)
	b.click(`$('.turn .happening-raw summary')`)
	var open string
	b.js(`$('.turn .happening-raw[open]').closest('.happening').id`, &open)
	var before int
	b.js(`$$('.happening').length`, &before)
	b.js(`window.same = 'page'`, nil)
	v.say(t, "2", "How long does the warrenty last?")
	v.answered(t, "agent", 2)
	b.wait(`$$('.turn').length === 2 && $$('.turn .badge').every((x) => x.textContent === 'Answered') && window.same === 'page'`)
	b.wait(`document.getElementById('` + open + `').querySelector('.happening-raw').open`)
	b.wait(`$$('.happening-why').some((p) => p.textContent.includes('“warrenty” is in no article, so it was searched as “warranty”'))`)
	for _, size := range [][2]int64{{1280, 900}, {390, 844}} {
		b.resize(size[0], size[1])
		for _, theme := range []string{"light", "dark"} {
			b.theme(theme)
			b.wait(`document.documentElement.scrollWidth <= innerWidth`)
			b.shot(theme + "-" + map[int64]string{1280: "wide", 390: "narrow"}[size[0]])
		}
	}
	b.resize(1280, 900)

	var file string
	b.js(`fetch($('.record-lead a[download]').href).then((r) => r.text())`, &file)
	var told struct{ Items []struct{ Kind string } }
	if err := json.Unmarshal([]byte(file), &told); err != nil || len(told.Items) <= before {
		t.Errorf("the file has %d items, the page had %d: %v", len(told.Items), before, err)
	}
	b.click(`$$('.happening-link a').at(-1)`)
	b.wait(`location.pathname.includes('/why/') && $('.why-title') && $('.why-source').innerText.includes('of your knowledge') && $('.passages')`)
	b.shot("why")
	b.click(`$('.why .back')`)
	b.wait(`$('#happenings') && $$('.turn').length === 2`)
}
