package widget

import "testing"

func TestExtra(t *testing.T) {
	f := newFake(t)
	a := f.config["appearance"].(object)
	a["position"], a["locale"], a["primary_color"], a["title"] = "bottom_left", "ar", "#ffd400", "متجر السرخس"
	a["greeting"] = "مرحبا! كيف يمكننا مساعدتك؟"
	v := visit(t, f)
	v.size(440, 800)
	v.open(f)
	v.write("مرحبا hello")
	f.say("agent", "Ivy", "نعم، نشحن إلى كل مكان. See https://a.example", object{"citations": []object{{"title": "Shipping", "url": "https://a.example", "snippet": "x"}}})
	v.wait(`$('.sources')`)
	v.js(`$('summary').click()`, nil)
	v.size(900, 800)
	v.shot("extra-rtl")
	f2 := newFake(t)
	a = f2.config["appearance"].(object)
	a["contact_info_mode"], a["collect"], a["locale"] = "optional", []string{"name", "email"}, "de"
	v2 := visit(t, f2)
	v2.open(f2)
	v2.wait(`$('.card')`)
	v2.shot("extra-form")
	f3 := newFake(t)
	v3 := visit(t, f3)
	v3.open(f3)
	v3.write("hi")
	f3.say("agent", "Ivy", "Prices:\n\n| Where | How long | Cost |\n|---|---|---|\n| Netherlands, Belgium, Germany | 1–2 working days | €4.50 |\n| Rest | 3–5 working days | €7.50 |\n\n> quoted\n\n```js\nconst aVeryLongLine = 'that does not fit into the bubble at all, so it scrolls';\n```\n1. one\n2. two\n   - inner")
	v3.wait(`$('table')`)
	v3.js(`$('textarea').value='line one\nline two\nline three', $('textarea').dispatchEvent(new Event('input'))`, nil)
	v3.shot("extra-md")
	v3.size(1280,600)
	v3.js(`($('textarea').value='x'.repeat(395), $('textarea').dispatchEvent(new Event('input')))`, nil)
	v3.js(`(($('.scroller').scrollTop=0), new Promise((r) => setTimeout(r, 100)))`, nil)
	f3.say("agent", "Ivy", "One more thing.")
	v3.wait(`!$('.jump').hidden`)
	v3.shot("extra-jump")
}
