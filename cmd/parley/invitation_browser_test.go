package main

import (
	"io"
	"mime/quotedprintable"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain/dispatch/mailtest"
	"github.com/parley-chat/parley/static/widget/axe"
)

// An owner mails an invitation and sees, without a reload, that it went out and that it was withdrawn; whoever gets it joins by its link.
func TestInvitingByMail(t *testing.T) {
	t.Parallel()
	may := make(chan struct{}, 8) // one for each mail
	box := mailtest.Open(t, func(verb string) string {
		if verb == "RCPT" {
			<-may
		}
		return ""
	})
	e := environment(t)
	free, err := net.Listen("tcp", "127.0.0.2:0") // where nobody else takes it in between
	if err != nil {
		t.Fatal(err)
	}
	e["PARLEY_ADDR"] = free.Addr().String()
	_ = free.Close()
	e["PARLEY_SMTP_URL"], e["PARLEY_PUBLIC_URL"] = "smtp://"+box.Addr+"?from=chat@parley.example", "http://"+e["PARLEY_ADDR"]
	s := serve(t, e, "--demo")
	owner := newTab(t, 1280, 900)
	owner.signIn(s)
	mail := func(address string) {
		t.Helper()
		owner.visit(s.url + "/team")
		owner.fill(`$('form[action="/team/invitations"] input[name=email]')`, address)
		owner.click(`$('form[action="/team/invitations"] button[value=mail]')`)
		owner.wait(`location.search.startsWith('?mailed=') && document.body.innerText.includes('The invitation is on its way to ` + address + `.')`)
		owner.js(`window.sameFrom = 'here'`, nil)
	}
	card := func(says string) {
		t.Helper()
		owner.wait(`window.sameFrom === 'here' && $('[id^=invitation-]').innerText.includes('` + says + `')`)
	}
	mail("ben@acme.example")
	card("mail on its way")
	owner.shot("queued")
	may <- struct{}{}
	card("mailed just now")
	for _, theme := range []string{"light", "dark"} {
		owner.theme(theme)
		owner.visit(s.url + "/team")
		owner.wait(`document.readyState === 'complete' && $('[id^=invitation-]')`)
		found, err := axe.Problems(owner.ctx, `document`)
		if err != nil || len(found) > 0 {
			t.Errorf("%s: %v, %v", theme, found, err)
		}
		owner.shot(theme)
	}
	link := regexp.MustCompile(s.url + `(/join\?token=[\w-]+)`).FindStringSubmatch(plain(box.All()))
	if link == nil {
		t.Fatalf("no link in %q", box.All())
	}
	ben := newTab(t, 390, 844)
	ben.visit(s.url + link[1])
	ben.fill(`$('input[name=name]')`, "Ben Okafor")
	ben.fill(`$('input[name=password]')`, "a good long sentence")
	ben.click(`$('form[action="/join"] button[type=submit]')`)
	ben.wait(`location.pathname === '/inbox' && document.body.innerText.includes('Ben Okafor')`)

	mail("cleo@acme.example")
	card("mail on its way")
	other := newTab(t, 1280, 900)
	other.signIn(s)
	other.visit(s.url + "/team")
	other.click(`$('form[action$="/withdraw"] button')`)
	other.wait(`document.body.innerText.includes('The link is withdrawn.')`)
	owner.wait(`window.sameFrom === 'here' && !$('[id^=invitation-]')`)
	may <- struct{}{} // its letter was written before
}

// plain is what mails say, whose lines may be broken anywhere as they were sent.
func plain(mails []string) string {
	said, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(strings.Join(mails, "\n")))) // what is looked for is found in it, or the test fails
	return string(said)
}
