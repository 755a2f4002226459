package widget

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// submit is Enter as a field takes it.
var submit = chromedp.KeyEvent("\r")

// An optional question can be passed over, a required one cannot; what is wrong with an answer stands beside it, and what was typed stays.
func TestPreChatModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"optional", "required"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			look := f.config["appearance"].(object)
			look["contact_info_mode"], look["collect"] = mode, []string{"name", "email"}
			f.badFields = object{"email": "There is no such place."}
			v := visit(t, f)
			v.open(f)
			v.wait(`$('.card input') && $('.composer').hidden && root.activeElement === $('.card input')`)
			var skip bool
			v.js(`!!$('.card .quiet')`, &skip)
			if skip == (mode == "required") {
				t.Errorf("a way past the questions: %v", skip)
			}
			v.do(submit)
			if mode == "required" {
				v.wait(`$('.card input:invalid') && $('.composer').hidden`)
			} else {
				v.wait(`!$('.card') && root.activeElement === $('textarea')`)
				v.write("hi")
				v.shows("visitor: hi")
				if n := len(f.said("form")); n != 0 {
					t.Errorf("%d forms were sent, all of them empty", n)
				}
				return
			}
			v.do(chromedp.KeyEvent("Mo"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("mo@nowhere"), submit)
			v.wait(`$('.card input[name=email]').ariaInvalid === 'true' && root.activeElement.name === 'email'`)
			v.wait(`root.getElementById(root.activeElement.getAttribute('aria-describedby')).innerText === 'There is no such place.' && $('.card input').value === 'Mo'`)
			v.do(chromedp.KeyEvent(".example"), submit)
			v.wait(`!$('.card') && !$('.composer').hidden && root.activeElement === $('textarea')`)
		})
	}
}

// While nobody answers, a new visitor is asked for a message, and told when somebody is back.
func TestOfflineForm(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.config["available"], f.config["offline_form"], f.config["agent_name"] = false, true, ""
	f.config["opens_at"] = time.Now().Add(48 * time.Hour).UTC().Format(time.RFC3339)
	v := visit(t, f)
	v.open(f)
	v.wait(`$('.card [name=message]') && $('.composer').hidden && $('.chip').hidden`)
	day := `new Intl.DateTimeFormat('en', {weekday: 'long'}).format(Date.now() + 48 * 3600e3)`
	v.wait(`$('.card p').innerText.includes(` + day + `) && $('.status').innerText.includes(` + day + `)`)
	v.wait(`root.activeElement === $('.card [name=name]')`)
	v.do(submit) // nothing is sent without a message and an address
	v.wait(`$('.card :invalid')`)
	v.js(`$('.card [name=name]').focus()`, nil)
	f.with(func() { f.badFields = object{"email": "That is no address."} })
	v.do(chromedp.KeyEvent("Mo"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("mo@site"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("Do you ship?"))
	v.js(`$('.card .primary').click()`, nil)
	v.wait(`$('.card [name=email]').ariaInvalid === 'true'`)
	f.with(func() { f.tardy = true })
	v.do(chromedp.KeyEvent(".example"), submit)
	v.wait(`!$('.card') && $('.note')`) // before the message is heard of
	f.with(func() { f.spread(f.messages[0]) })
	v.shows("visitor: Do you ship?")
	v.wait(`!$('.card') && !$('.composer').hidden && root.activeElement === $('textarea') && $('textarea').value === ''`)
	v.wait(`$$('.note').length === 1 && $('.note').innerText === '` + arrived + `'`)
	forms := f.said("form")
	if len(forms) != 2 || forms[0]["client_id"] == "" || forms[0]["client_id"] != forms[1]["client_id"] {
		t.Errorf("sent %v; want the same message twice, under one client_id", forms)
	}
	v.load()
	v.open(f)
	v.shows("visitor: Do you ship?")
	v.wait(`!$('.card') && !$('.composer').hidden`) // there is a conversation now
}

// Somebody comes while the visitor fills in the form: their words go where they can be answered at once.
func TestOfflineFormGivesWay(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.config["available"], f.config["offline_form"] = false, true
	v := visit(t, f)
	v.open(f)
	v.wait(`$('.card')`)
	v.js(`($('.card [name=message]').focus())`, nil)
	v.do(chromedp.KeyEvent("Do you"))
	f.push(object{"type": "status", "handling": "agent", "available": true})
	v.wait(`!$('.card') && root.activeElement === $('.composer textarea') && ` + asTextIn + `'Do you'`)
}

// A thread that waits long asks once where the answer may go.
func TestEmailIsAskedFor(t *testing.T) {
	t.Parallel()
	ask := object{"type": "status", "handling": "waiting", "available": true, "ask": []string{"email"}}
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("hi")
	v.shows("visitor: hi")
	v.do(chromedp.KeyEvent("half a thou"))
	f.push(ask)
	v.wait(`$('.card input[type=email]') && $$('.card input').length === 1 && !$('.composer').hidden`)
	v.wait(`root.activeElement === $('.composer textarea')`) // nobody is torn from their words
	v.js(`$('.card .quiet').click()`, nil)
	v.wait(`!$('.card')`)
	f.push(ask)
	v.write("ght")
	v.shows("visitor: hi", "visitor: half a thought")
	v.wait(`!$('.card')`) // no is an answer

	v.load()
	v.open(f)
	f.push(ask)
	v.wait(`$('.card input')`)
	v.js(`$('.card input').focus()`, nil)
	v.do(chromedp.KeyEvent("mo@site.example"), submit)
	v.wait(`!$('.card') && $$('.note').at(-1)?.innerText === 'Thank you. The answer will also go to mo@site.example.'`)
	if fields, _ := f.said("form")[0]["fields"].(object); fields["email"] != "mo@site.example" || len(fields) != 1 {
		t.Errorf("the form sent %v", fields)
	}
}

// Stars that were chosen count, whether or not a remark follows, and once.
func TestRatingOfWhoLeaves(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{false, true} {
		t.Run(fmt.Sprintf("stream %v", stream), func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.noSocket = stream
			v := visit(t, f)
			v.open(f)
			v.write("hi")
			v.shows("visitor: hi")
			f.push(object{"type": "status", "handling": "closed"})
			v.wait(`$('.stars')`)
			v.js(`$('.stars input').focus()`, nil)
			v.do(chromedp.KeyEvent(" "), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
			v.wait(`$$('.stars .on').length === 3`)
			if n := len(f.said("rating")); n != 0 {
				t.Fatalf("%d ratings while the visitor was choosing", n)
			}
			v.load()
			eventually(t, "rating", func() bool {
				r := f.said("rating")
				return len(r) == 1 && r[0]["score"] == 3.0 && r[0]["comment"] == nil
			})
		})
	}
}
