package widget

import (
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func (v *tab) shot(name string) {
	time.Sleep(400 * time.Millisecond)
	png, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		v.t.Fatal(err)
	}
	os.MkdirAll("/tmp/wshots", 0o755)
	os.WriteFile("/tmp/wshots/"+name+".png", png, 0o644)
}

func TestShots(t *testing.T) {
	for _, dark := range []bool{false, true} {
		for _, w := range []int64{1280, 390} {
			n := "light"
			if dark {
				n = "dark"
			}
			n += map[int64]string{1280: "-1280", 390: "-390"}[w]
			t.Run(n, func(t *testing.T) {
				t.Parallel()
				f := newFake(t)
				v := visit(t, f)
				h := int64(800)
				if w == 390 {
					h = 760
				}
				v.size(w, h)
				if dark {
					v.dark()
					v.js(`document.documentElement.style.background='#0c0e12'`, nil)
				}
				v.shot(n + "-1launcher")
				v.open(f)
				v.shot(n + "-2empty")
				f.with(func() {
					y := time.Now().Add(-26 * time.Hour).UTC().Format(time.RFC3339)
					f.append(object{"author": object{"kind": "visitor", "name": ""}, "content": "Hi there", "client_id": "a", "created_at": y})
					f.spread(f.messages[0])
				})
				f.say("agent", "Ivy", "Hello! What can I do for you?", object{"created_at": time.Now().Add(-26 * time.Hour).UTC().Format(time.RFC3339)})
				v.write("How long does shipping take, and can I send a plant back if it arrives damaged? I live in a small village.")
				v.wait(`$$('.visitor.sent').length==2`)
				f.say("agent", "Ivy", "Orders placed before **2 pm** leave the same day:\n\n- *Standard*: 2–3 working days\n- Express: next day, `EXPRESS` at checkout\n\nDamaged plants are replaced free of charge, see [returns](https://fern.example/returns).", object{"citations": []object{
					{"title": "Shipping times and costs", "url": "https://fern.example/shipping", "snippet": "Orders placed before 2 pm on working days leave our greenhouse the same day."},
					{"title": "Returns within 30 days", "url": "https://fern.example/returns", "snippet": "Anything can be returned within 30 days."},
				}})
				v.write("Great")
				v.write("Can I talk to somebody about a bulk order?")
				f.push(object{"type": "status", "handling": "waiting", "available": true})
				v.wait(`$$('.visitor.sent').length==4`)
				f.push(object{"type": "read", "seq": 6})
				f.push(object{"type": "status", "handling": "human", "available": true, "assignee": object{"name": "Anna Berger"}})
				v.wait(`$$('.note').length==2`)
				f.say("human", "Anna Berger", "Hi, this is Anna. How many plants are you thinking of?", object{"content_type": "text"})
				f.push(object{"type": "typing", "on": true, "author": object{"kind": "human", "name": "Anna Berger"}})
				v.wait(`!$('.typing').hidden`)
				v.shot(n + "-3conversation")
				v.js(`($('.scroller').scrollTop=0, $('summary').click())`, nil)
				v.shot(n + "-4top")
				v.js(`($('.scroller').scrollTop=1e6)`, nil)
				f.refusals = []object{{"code": "daily_cap", "message": "You have reached today's limit. Please come back tomorrow."}}
				v.write("About forty, for an office")
				v.wait(`$('.failed')`)
				v.shot(n + "-5failed")
				f.with(func() { f.sessionFails = 1000 })
				f.deaf = true
				f.noSocket = true
				f.hangUp()
				v.write("Are you there?")
				v.wait(`!$('.banner').hidden`)
				v.shot(n + "-6offline")
				v.js(`Parley.close()`, nil)
				f.with(func() { f.sessionFails = 0; f.deaf = false; f.noSocket = false })
				v.wait(`$('.sending')==null`)
				f.push(object{"type": "status", "handling": "closed"})
				f.say("human", "Anna Berger", "I have sent you an offer by mail; it holds until the end of the month. Write here whenever you want to change something.")
				v.wait(`!$('.badge').hidden`)
				v.shot(n + "-7unread")
				v.js(`Parley.open()`, nil)
				v.wait(`$('.rating')`)
				v.shot(n + "-8closed")
			})
		}
	}
}
