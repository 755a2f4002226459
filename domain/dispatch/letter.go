package dispatch

import (
	"cmp"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// waitingLetter says who waits, what was said last, and where to answer.
func waitingLetter(c ledger.Conversation, lines []domain.Message, publicURL string) Letter {
	who := cmp.Or(c.ContactName, c.ContactEmail, "A visitor")
	p := letterPage{Subject: who + " is waiting for an answer", Intro: who + " is waiting", LinkText: "Answer them"}
	if c.WidgetName != "" {
		p.Intro += " in " + c.WidgetName
	}
	p.Intro += ", and nobody has come."
	for _, m := range lines {
		by := m.Author.Name
		if m.Author.Kind == domain.AuthorVisitor {
			by = who
		}
		l := quote(by, m)
		if r := []rune(l.Said); len(r) > letterChars {
			l.Said = string(r[:letterChars]) + "…"
		}
		p.Lines = append(p.Lines, l)
	}
	if publicURL != "" {
		p.Link = publicURL + "/threads/" + string(c.ID)
	}
	return p.letter()
}

// disabledLetter tells owners that one of their webhooks was switched off, why, and what to do.
func disabledLetter(hook domain.Webhook, reason, publicURL string) Letter {
	text := "Parley has switched off the webhook to\n\n" + hook.URL + "\n\n" + reason +
		"\n\nWhat happens from now on it is not told. What it has missed is in its log for 30 days: switch it on again and send from there what you need.\n"
	if publicURL != "" {
		text += "\nIts log: " + publicURL + "/webhooks/" + string(hook.ID) + "\n"
	}
	return Letter{Subject: "A webhook was switched off", Text: text}
}
