package dispatch

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// missedLetter tells a visitor what was answered while they were away, in their language, and where to answer.
func missedLetter(news ledger.MissedReplies) Letter {
	t := domain.MissedTextIn(cmp.Or(news.Widget.Appearance.Locale, news.Locale))
	title := cmp.Or(news.Widget.Appearance.Title, news.Widget.Name)
	p := letterPage{Lang: t.Lang, Subject: fmt.Sprintf(t.Subject, title), Intro: fmt.Sprintf(t.Intro, title), LinkText: t.Link}
	for _, m := range news.Lines {
		p.Lines = append(p.Lines, quote(cmp.Or(m.Author.Name, title), m))
	}
	if p.Link = chatLink(news.Widget, news.Page); p.Link == "" {
		p.Closing = append(p.Closing, t.NoLink)
	}
	p.Closing = append(p.Closing, t.Why)
	return p.letter()
}

// chatLink is the page where a visitor was last, if it is on a site that the widget's list names. Visitors say themselves where they are,
// and whose address theirs is: of anything else we would mail links that strangers choose to people they choose.
func chatLink(w domain.Widget, page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	named := domain.Widget{AllowedOrigins: slices.DeleteFunc(slices.Clone(w.AllowedOrigins), func(o string) bool { return o == domain.AnyOrigin })}
	if !named.AllowsOrigin(u.Scheme + "://" + u.Host) {
		return ""
	}
	return u.String()
}
