package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestStory plays the product's main job in a real browser: the visitor asks, the agent answers with a citation, the visitor asks
// for a person, the owner sees it live, takes over and replies, the visitor sees that live, the owner hands back, the agent answers again.
func TestStory(t *testing.T) {
	t.Parallel()
	s := serve(t, environment(t), "--demo")
	owner := newTab(t, 1440, 900)
	owner.signIn(s)
	owner.wait(`document.body.innerText.includes('No conversations') || $('.empty')`)
	owner.shot("inbox-empty")

	visitor := newTab(t, 1280, 800)
	visitor.visit(s.url + "/demo")
	visitor.click(`w('.launcher')`)
	ask := func(text string) {
		visitor.fill(`w('textarea')`, text)
		visitor.enter()
	}
	shows := func(text string) {
		visitor.wait(fmt.Sprintf(`w('[role=log]').innerText.includes(%q)`, text))
	}
	ask("How long does shipping to Sweden take?")
	shows("3–5 working days")
	visitor.wait(`w('[role=log]').innerText.includes('Shipping times and costs')`)
	visitor.shot("answered")

	owner.wait(`$('a[href^="/threads/"]') && document.body.innerText.includes('working day')`)
	ask("Can I talk to a person?")
	shows("someone will answer you right here")
	owner.wait(`$('.thread-row').innerText.includes('Waiting')`)
	owner.click(`$('a[href^="/threads/"]')`)
	owner.wait(`location.pathname.startsWith('/threads/') && $('#lines')?.innerText.includes('Can I talk to a person?')`)
	owner.shot("thread-waiting")

	owner.click(`$('form[action$="/takeover"] button')`)
	owner.wait(`$('form[action$="/handback"]')`)
	visitor.wait(`w('.panel').innerText.includes('Demo') || w('[role=log]').innerText.includes('joined')`)
	owner.fill(`$('.composer-body')`, "Hello, a person here. What can I do for you?")
	owner.click(`$('.composer-send')`)
	shows("Hello, a person here. What can I do for you?")
	owner.wait(`$('#lines').innerText.includes('Hello, a person here.') && $('.composer-body').value === ''`)
	ask("Just checking you are real")
	owner.wait(`$('#lines').innerText.includes('Just checking you are real')`)
	visitor.shot("with-a-person")
	owner.shot("thread-human")
	owner.fill(`$('.composer-body')`, "As real as it gets.")
	owner.click(`$('.composer-send')`)
	shows("As real as it gets.")

	owner.click(`$('form[action$="/handback"] button')`)
	owner.wait(`$('form[action$="/takeover"]')`)
	ask("Is a hole in my bag covered by the warranty?")
	owner.wait(`$('#lines').innerText.includes('warranty')`)
	visitor.wait(`ww('[role=log] .row').filter((r) => r.innerText.toLowerCase().includes('warranty')).length >= 2`)
	visitor.shot("answered-again")

	ask(`<script>document.title='owned'</script><img src=x onerror="document.title='owned'">`)
	shows("<script>")
	owner.wait(`$('#lines').innerText.includes('<script>')`)
	owner.shot("hostile")

	var before, after string
	visitor.js(`w('[role=log]').innerText`, &before)
	visitor.visit(s.url + "/demo")
	visitor.wait(`w('.launcher')`)
	visitor.js(`w('.panel.on') || w('.launcher').click()`, nil)
	shows("covered by the warranty?")
	visitor.wait(`w('[role=log]').innerText.includes('As real as it gets.')`)
	visitor.js(`w('[role=log]').innerText`, &after)
	for _, said := range []string{"Sweden", "<script>", "a person here", "real as it gets"} {
		if strings.Count(after, said) != strings.Count(before, said) {
			t.Errorf("after the reload %q is there %d times, before %d", said, strings.Count(after, said), strings.Count(before, said))
		}
	}
	for _, b := range []*tab{owner, visitor} {
		var title string
		if b.js(`document.title`, &title); title == "owned" {
			t.Error("a message's text was run as script")
		}
	}

	owner.visit(s.url + "/agents")
	owner.shot("agents")
	owner.visit(s.url + "/widgets")
	owner.shot("widgets")
}
