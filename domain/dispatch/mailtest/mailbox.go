// Package mailtest is a mail server for tests.
package mailtest

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Mailbox is a mail server on this machine that keeps what it is sent.
type Mailbox struct {
	Addr string // host:port

	before func(verb string) string
	mu     sync.Mutex
	mails  []string
}

// Open starts a Mailbox, which ends with the test. Each command is first shown to before, by its verb: what that returns is the answer, and
// nothing is the usual one. It may be nil.
func Open(t testing.TB, before func(verb string) string) *Mailbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	m := &Mailbox{Addr: l.Addr().String(), before: before}
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

// All are the mails that have come, as they were sent.
func (m *Mailbox) All() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails)
}

func (m *Mailbox) take(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	answer := func(s string) { fmt.Fprintf(c, "%s\r\n", s) }
	answer("220 mailbox")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb := strings.ToUpper(strings.Fields(line + " x")[0])
		if m.before != nil {
			if said := m.before(verb); said != "" {
				answer(said)
				continue
			}
		}
		switch verb {
		case "DATA":
			answer("354 go on")
			mail, err := body(r)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.mails = append(m.mails, mail)
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

// body reads a mail up to the dot that ends it.
func body(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String(), err
		}
		b.WriteString(line)
	}
}
