package main

import (
	"net/http"
	"path"
	"testing"
)

// What a page of the portal asks for by itself and does not get is asked for again, though nothing else happens.
func TestRefreshesThatFailAreAskedForAgain(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	v := s.visit(t, s.demoKey(t))
	v.say(t, "1", "Anybody there?")
	key := apiKey(t, e, "demo")
	thread := s.onlyThread(t, key)
	if code := s.call(t, "POST", "/api/v1/threads/"+thread+"/messages", key, map[string]string{"content": "I am here."}, nil); code != http.StatusCreated {
		t.Fatal(code) // from now on the agent is silent: a line is all that happens
	}
	p := newProxy(t, s.url, "")
	far := *s
	far.url = p.url
	b := newTab(t, 1280, 900)
	b.signIn(&far)
	b.visit(p.url + "/threads/" + thread)
	b.wait(`document.body.innerText.includes('I am here.')`)
	v.say(t, "2", "Hello?")
	eventually(t, "that a line was read as it came is told", func() bool { return p.seen(pass, "read") > 0 })
	for i, tt := range []struct {
		name string
		how  treatment
	}{{"answered with 502", fail}, {"not reached", reset}} {
		line := "Line " + string(rune('1'+i))
		p.treat(func(r *http.Request) treatment {
			switch path.Base(r.URL.Path) {
			case "messages", "list":
				return tt.how
			}
			return pass
		})
		v.say(t, line, line)
		eventually(t, tt.name+": refreshes that fail", func() bool { return p.seen(tt.how, "messages") > 1 && p.seen(tt.how, "list") > 1 })
		b.wait(`$('#connection-notice')`)
		p.treat(allPass)
		b.wait(`$('#lines').innerText.includes('` + line + `') && $('#threads').innerText.includes('` + line + `')`)
		b.wait(`!$('#connection-notice')`)
		p.treat(func(r *http.Request) treatment {
			if path.Base(r.URL.Path) == "read" {
				return tt.how
			}
			return pass
		})
		v.say(t, line+" again", line+" again")
		eventually(t, tt.name+": that it was read cannot be told", func() bool { return p.seen(tt.how, "read") > 0 })
		read := p.seen(pass, "read")
		p.treat(allPass)
		eventually(t, tt.name+": that it was read is told", func() bool { return p.seen(pass, "read") > read })
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = nil // the failures that were made
}
