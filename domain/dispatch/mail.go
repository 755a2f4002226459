package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// SMTP says where mail is handed in and who it is from.
type SMTP struct {
	Host     string
	Port     int
	User     string
	Password string
	TLS      bool // from the first byte on; else STARTTLS where the server offers it
	From     string
}

// ParseSMTP reads smtp://user:password@host:port?from=address, or smtps://. Without from, the user is the sender if it is an address.
func ParseSMTP(raw string) (SMTP, error) {
	const shape = "must look like smtp://user:password@mail.example.com:587?from=chat@example.com"
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return SMTP{}, errors.New(shape)
	}
	s := SMTP{Host: u.Hostname(), Port: 587, User: u.User.Username(), TLS: u.Scheme == "smtps", From: u.Query().Get("from")}
	s.Password, _ = u.User.Password()
	if s.TLS {
		s.Port = 465
	}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port < 1 || s.Port > 65535 {
			return SMTP{}, errors.New(shape)
		}
	}
	if s.From == "" {
		s.From = s.User
	}
	if _, err := mail.ParseAddress(s.From); err != nil {
		return SMTP{}, errors.New(shape + ": from is no address")
	}
	return s, nil
}

func (s SMTP) client() (*gomail.Client, error) {
	o := []gomail.Option{gomail.WithPort(s.Port), gomail.WithTimeout(10 * time.Second), gomail.WithTLSPolicy(gomail.TLSOpportunistic)}
	if s.TLS {
		o = append(o, gomail.WithSSL())
	}
	if s.User != "" {
		o = append(o, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.User), gomail.WithPassword(s.Password))
	}
	return gomail.NewClient(s.Host, o...)
}

// Check signs in and out again.
func (s SMTP) Check(ctx context.Context) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return err
	}
	return c.Close()
}

// Mail is the transport "mail". A delivery's target is an address; its payload is a Letter, or names one that is written when it
// is sent: {"letter":"thread_waiting"}.
type Mail struct {
	SMTP      SMTP
	PublicURL string // scheme and host that links point to; empty = mails have no link
	Ledger    *ledger.Ledger
}

// Letter is what a mail says. HTML may be empty.
type Letter struct {
	Name    string `json:"letter,omitempty"`
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text,omitempty"`
	HTML    string `json:"html,omitempty"`
}

// Send hands the mail in.
func (m *Mail) Send(ctx context.Context, d ledger.Delivery) error {
	var letter Letter
	if err := json.Unmarshal(d.Payload, &letter); err != nil {
		return &Undeliverable{errors.New("the payload is no letter")}
	}
	if write := m.written(letter.Name); write != nil {
		var err error
		if letter, err = write(ctx, d); err != nil {
			return err
		}
	}
	msg := gomail.NewMsg()
	host := m.SMTP.From[strings.LastIndexByte(m.SMTP.From, '@')+1:]
	msg.SetMessageIDWithValue(string(d.ID) + "@" + strings.Trim(host, "> "))
	if d.ThreadID != "" { // mails about one conversation stand together
		msg.SetGenHeader("References", fmt.Sprintf("<%s@%s>", d.ThreadID, strings.Trim(host, "> ")))
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	if err := errors.Join(msg.From(m.SMTP.From), msg.To(d.Target)); err != nil {
		return &Undeliverable{errors.New("the address is not usable")}
	}
	msg.Subject(letter.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, letter.Text)
	if letter.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, letter.HTML)
	}
	c, err := m.SMTP.client()
	if err != nil {
		return err
	}
	if err := c.DialAndSendWithContext(ctx, msg); err != nil {
		refused, ok := errors.AsType[*gomail.SendError](err)
		switch {
		case ok && !refused.IsTemp() && refused.ErrorCode() >= 500:
			return &Undeliverable{answered(refused)}
		case ok:
			return answered(refused)
		}
		return err
	}
	return nil
}

// answered is what a mail server said, without what its delivery tells anyway: which mail it was, and to whom.
func answered(e *gomail.SendError) error {
	said, _, _ := strings.Cut(e.Error(), ", affected ")
	said = strings.TrimPrefix(said, e.Reason.String()+": ")
	if e.ErrorCode() != 0 {
		said = "the mail server answered " + said
	}
	return errors.New(said)
}

const (
	letterLines = 6  // of the conversation
	missedLines = 20 // of what a visitor has missed
	letterChars = 400
)

// written is how a letter is written that has only a name.
func (m *Mail) written(name string) func(context.Context, ledger.Delivery) (Letter, error) {
	switch name {
	case "thread_waiting":
		return m.waiting
	case "missed_replies":
		return m.missed
	case "transcript":
		return m.transcript
	case "invitation":
		return m.invitation
	}
	return nil
}

// missed tells a visitor what they have not read. It fails with errMoot when they have.
func (m *Mail) missed(ctx context.Context, d ledger.Delivery) (Letter, error) {
	news, err := m.Ledger.MissedReplies(ctx, d.OrgID, d.ThreadID, d.Target, missedLines)
	switch {
	case err != nil:
		return Letter{}, err
	case len(news.Lines) == 0:
		return Letter{}, errMoot
	}
	d.MailedUpTo(news.Lines[len(news.Lines)-1].Seq)
	return missedLetter(news), nil
}

// waiting tells an owner who waits, what was said, and where to answer.
func (m *Mail) waiting(ctx context.Context, d ledger.Delivery) (Letter, error) {
	c, err := m.Ledger.Conversation(ctx, d.OrgID, d.ThreadID)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return Letter{}, &Undeliverable{errors.New("the conversation is gone")}
	} else if err != nil {
		return Letter{}, err
	}
	lines, err := m.Ledger.MessagesBefore(ctx, d.OrgID, d.ThreadID, 1<<62, letterLines)
	if err != nil {
		return Letter{}, err
	}
	return waitingLetter(c, lines, m.PublicURL), nil
}
