package widget

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const rel = `target="_blank" rel="noopener noreferrer nofollow"`

// What others wrote is data: the only elements it can become are these.
func TestContent(t *testing.T) {
	t.Parallel()
	p := func(s string) string { return "<p>" + s + "</p>" }
	tests := []struct{ name, text, want string }{
		{"script", `<script>alert(1)</script><img src=x onerror=alert(1)>`, p(`&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;`)},
		{"script link", `[click](javascript:alert(1)) [me](JaVaScRiPt:alert(1)) [or](data:text/html,x)`, p(`click me or`)},
		{"safe link", `[shop](https://shop.example/a_b?c=d)`, p(`<a href="https://shop.example/a_b?c=d" ` + rel + `>shop</a>`)},
		{"parentheses", `[x](https://a.example/b_(c))`, p(`<a href="https://a.example/b_(c)" ` + rel + `>x</a>`)},
		{"mail", `[mail](mailto:a@b.example)`, p(`<a href="mailto:a@b.example" ` + rel + `>mail</a>`)},
		{"quote in address", `[x](https://a.example/"onmouseover="x)`, p(`<a href="https://a.example/%22onmouseover=%22x" ` + rel + `>x</a>`)},
		{"image", `![tracker](https://evil.example/p.png)`, p(`tracker`)},
		{"bare address", `See https://a.example/x, or (http://b.example).`, p(`See <a href="https://a.example/x" ` + rel + `>https://a.example/x</a>, or (<a href="http://b.example/" ` + rel + `>http://b.example</a>).`)},
		{"emphasis", `**bold** and *italic* and _also_ and snake_case_name and 2*3*4`, p(`<strong>bold</strong> and <em>italic</em> and <em>also</em> and snake_case_name and 2*3*4`)},
		{"nested", `**bold with [a link](https://a.example/)**`, p(`<strong>bold with <a href="https://a.example/" ` + rel + `>a link</a></strong>`)},
		{"code", "`<b>` and\n```html\n<i>x</i>\n```", p(`<code>&lt;b&gt;</code> and`) + `<pre tabindex="0"><code>&lt;i&gt;x&lt;/i&gt;</code></pre>`},
		{"unclosed fence", "```\n**not bold**", `<pre tabindex="0"><code>**not bold**</code></pre>`},
		{"list", "- one\n- two\n  - inner\n- three", `<ul><li>one</li><li>two<ul><li>inner</li></ul></li><li>three</li></ul>`},
		{"loose numbers", "1. one\n\n2. two\n   more\n\nafter", `<ol><li>one</li><li>two<br>more</li></ol>` + p("after")},
		{"number first", "3. three", `<ol start="3"><li>three</li></ol>`},
		{"heading, rule, quote", "# Title\ntext\n---\n> said", p(`<strong>Title</strong>`) + p("text") + "<hr><blockquote>said</blockquote>"},
		{"table", "| a | **b** |\n|---|:-:|\n| <i> | d |\nafter", `<table tabindex="0"><tr><th>a</th><th><strong>b</strong></th></tr><tr><td>&lt;i&gt;</td><td>d</td></tr></table>` + p("after")},
		{"line break", "one\ntwo\n\nthree", p("one<br>two") + p("three")},
		{"broken", "**open and [half](https://", p("**open and [half](https://")},
	}
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.say("agent", "Ivy", tt.text)
			v.wait(fmt.Sprintf(`$$('.agent:not(.typing) .bubble').length === %d`, i+2))
			var got string
			v.js(`$$('.agent:not(.typing) .bubble').at(-1).innerHTML`, &got)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Plain text keeps its marks and its line breaks; only addresses become links. So it goes for names, titles and remarks.
func TestPlainContent(t *testing.T) {
	t.Parallel()
	const bad = `<img src=x onerror=alert(1)>`
	f := newFake(t)
	f.config["appearance"].(object)["title"] = bad
	v := visit(t, f)
	v.open(f)
	f.say("human", bad, "**no** "+bad+"\nhttps://a.example", object{"content_type": "text", "citations": []object{
		{"title": bad, "url": "javascript:alert(1)", "snippet": bad}, {"title": "Good", "url": "https://good.example/", "snippet": "yes"},
	}, "attachments": []object{{"id": "1", "name": bad, "size": 1, "mime": "x", "url": "javascript:alert(1)"}}})
	f.say("system", "", bad)
	f.push(object{"type": "status", "handling": "human", "assignee": object{"name": bad}})
	v.wait(`$('.note')`)
	var got string
	v.js(`$('.human .bubble').innerHTML`, &got)
	if want := `<p class="plain">**no** &lt;img src=x onerror=alert(1)&gt;` + "\n" + `<a href="https://a.example/" ` + rel + `>https://a.example</a></p>`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var found []string
	v.js(`[...$$('img, script, [onerror], [style], a[href^="javascript"]').map((e) => e.outerHTML), ...$$('.sources a').map((e) => e.href)]`, &found)
	if s := strings.Join(found, " "); s != "https://good.example/" {
		t.Errorf("found %s; want one safe source and nothing else", s)
	}
}

// Hostile text must not hold the page up: no rule takes more than linear time.
func TestContentIsQuick(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	for i, part := range []string{"*a ", "[", "`a", "**a", "_a ", "![](", "> ", "- - ", "#", "http://", "[a](b ", "[a](((b)", "|a|\n"} {
		start := time.Now()
		f.say("agent", "Ivy", strings.Repeat(part, 40000/len(part)))
		v.wait(fmt.Sprintf(`$$('.agent:not(.typing) .bubble').length === %d`, i+2))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q took %v", part, took)
		}
	}
}
