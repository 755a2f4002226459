package agent

import (
	"regexp"

	"github.com/parley-chat/parley/domain"
)

var (
	imageMark = regexp.MustCompile(`!+\[`)
	// loaders are the HTML tags that make whoever shows them fetch something or run it.
	loaders = regexp.MustCompile(`(?i)<\s*/?\s*(img|image|picture|source|video|audio|track|iframe|frame|frameset|object|embed|applet|svg|math|link|style|script|base|meta|form|input|button|body|html)\b[^>]*>?`)
)

// Harmless is the reply without what loads by being looked at: an image's address could carry off what the agent knows to whoever
// talked it into that. Images become links, which only a click follows.
func (r Reply) Harmless() Reply {
	r.Content = imageMark.ReplaceAllString(r.Content, "[")
	if r.ContentType == domain.Markdown {
		for loaders.MatchString(r.Content) { // taking one away may join the halves of another
			r.Content = loaders.ReplaceAllString(r.Content, "")
		}
	}
	return r
}
