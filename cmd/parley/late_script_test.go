package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A page whose scripts come at different times is live all the same: what htmx uses may arrive after it.
func TestLateScripts(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	v := s.visit(t, s.demoKey(t))
	v.say(t, "1", "Anybody there?")
	key := apiKey(t, e, "demo")
	thread := s.onlyThread(t, key)
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	through.FlushInterval = -1
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "hx-sse") {
			time.Sleep(time.Second)
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	far := *s
	far.url = slow.URL
	b := newTab(t, 1280, 900)
	b.signIn(&far)
	b.visit(far.url + "/threads/" + thread)
	b.wait(`document.body.innerText.includes('Anybody there?')`)
	v.say(t, "2", "Where is my parcel?")
	b.wait(`$('.conversation, main').innerText.includes('Where is my parcel?')`)
}
