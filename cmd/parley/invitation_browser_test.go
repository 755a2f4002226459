package main

import (
	"bufio"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/parley-chat/parley/static/widget/axe"
)

// mailbox is a mail server that takes a mail once it may.
type mailbox struct {
	addr string
	may  chan struct{} // one for each mail

	mu    sync.Mutex
	mails []string
}

func openMailbox(t *testing.T) *mailbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	m := &mailbox{addr: l.Addr().String(), may: make(chan struct{}, 8)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go m.take(c)
		}
	}()
	return m
}

func (m *mailbox) take(c net.Conn) {
	defer c.Close()
	r := bufio.NewScanner(c)
	answer := func(s string) { fmt.Fprintf(c, "%s\r\n", s) }
	answer("220 mailbox")
	for r.Scan() {
		verb, _, _ := strings.Cut(r.Text(), " ")
		switch verb {
		case "RCPT":
			<-m.may
			answer("250 ok")
		case "DATA":
			answer("354 go on")
			var mail strings.Builder
			for r.Scan() && r.Text() != "." {
				mail.WriteString(r.Text() + "\r\n")
			}
			plain, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(mail.String()))) // the link is found in it, or the test fails
			m.mu.Lock()
			m.mails = append(m.mails, string(plain))
			m.mu.Unlock()
			answer("250 taken")
		case "QUIT":
			answer("221 bye")
			return
		default:
			answer("250 ok")
		}
	}
}

func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string{}, m.mails...)
}

// An owner mails an invitation and sees, without a reload, that it went out and that it was withdrawn; whoever gets it joins by its link.
func TestInvitingByMail(t *testing.T) {
	t.Parallel()
	box, e := openMailbox(t), environment(t)
	free, err := net.Listen("tcp", "127.0.0.2:0") // where nobody else takes it in between
	if err != nil {
		t.Fatal(err)
	}
	e["PARLEY_ADDR"] = free.Addr().String()
	_ = free.Close()
	e["PARLEY_SMTP_URL"], e["PARLEY_PUBLIC_URL"] = "smtp://"+box.addr+"?from=chat@parley.example", "http://"+e["PARLEY_ADDR"]
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
	box.may <- struct{}{}
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
	link := regexp.MustCompile(s.url + `(/join\?token=[\w-]+)`).FindStringSubmatch(strings.Join(box.all(), "\n"))
	if link == nil {
		t.Fatalf("no link in %q", box.all())
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
	box.may <- struct{}{} // its letter was written before
}
