package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parley-chat/parley/static/widget/axe"
)

// TestPagesFit opens every page of the portal, wide and narrow, light and dark: none may overflow sideways, complain to the
// console, answer with anything but itself, or keep anybody from using it as far as axe-core can tell.
func TestPagesFit(t *testing.T) {
	t.Parallel()
	s := serve(t, environment(t), "--demo")
	v := s.visit(t, s.demoKey(t))
	v.say(t, "1", "How long does shipping to Sweden take? "+strings.Repeat("averylongwordthatneverends", 20))
	v.answered(t, "agent", 1)
	owner := newTab(t, 1440, 900)
	owner.signIn(s)
	first := func(page, selector string) string {
		var path string
		owner.visit(s.url + page)
		owner.wait(fmt.Sprintf(`$('%s')`, selector))
		owner.js(fmt.Sprintf(`new URL($('%s').href).pathname`, selector), &path)
		return path
	}
	thread := first("/inbox", `a[href^="/threads/"]`)
	agent := first("/agents", `a[href^="/agents/0"]`)
	widget := first("/widgets", `a[href^="/widgets/0"]`)
	why := first(thread, `.line-why a`)
	pages := []string{why, "/settings", "/team", "/account", "/agents/budget", "/knowledge/import", "/knowledge/site", "/inbox", "/inbox?tab=waiting", thread, thread + "/timeline", "/agents", "/agents/new", agent, "/knowledge", "/knowledge/new", "/widgets", "/widgets/new", widget, "/nowhere"}
	for _, size := range [][2]int64{{1440, 900}, {390, 844}} {
		owner.resize(size[0], size[1])
		for _, theme := range []string{"light", "dark"} {
			owner.theme(theme)
			for _, page := range pages {
				owner.visit(s.url + page)
				owner.wait(`document.readyState === 'complete' && $('main, #main')`)
				var over int
				owner.js(`document.documentElement.scrollWidth - innerWidth`, &over)
				if over > 0 {
					t.Errorf("%s is %d pixels wider than a screen of %d", page, over, size[0])
				}
				found, err := axe.Problems(owner.ctx, `document`)
				if err != nil {
					t.Fatal(err)
				}
				for _, problem := range found {
					t.Errorf("%s, %s, %d wide: %s", page, theme, size[0], problem)
				}
				owner.shot(fmt.Sprintf("%s-%d-%s", strings.Trim(strings.NewReplacer(why, "why", thread, "thread", agent, "agent", widget, "widget", "?", "-", "/", "-").Replace(page), "-"), size[0], theme))
			}
		}
	}
	owner.mu.Lock()
	defer owner.mu.Unlock()
	owner.problems = slices.DeleteFunc(owner.problems, func(p string) bool { return strings.Contains(p, "404") }) // /nowhere is one
}
