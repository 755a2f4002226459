package portal

import (
	"net/http"

	"github.com/parley-chat/parley/views/ui"
)

// noticeCookie carries, over one redirect, which of the notices to show.
const noticeCookie = "parley_notice"

// notices are the sentences a page can begin with. The cookie names one, so that nobody can put words of their own there.
var notices = map[string]ui.Notice{
	"signed-out":           {Tone: ui.Green, Text: "You are signed out."},
	"agent-created":        {Tone: ui.Green, Text: "The agent is ready. Bind it to a widget, and it answers there."},
	"agent-saved":          {Tone: ui.Green, Text: "Saved. It counts from the agent’s next answer on."},
	"agent-back":           {Tone: ui.Green, Text: "It answers again. Whoever waited for it is answered now."},
	"agent-deleted":        {Tone: ui.Green, Text: "The agent is deleted."},
	"golden-made":          {Tone: ui.Green, Text: "This conversation is golden now, with its answers as they are."},
	"golden-gone":          {Tone: ui.Green, Text: "This conversation is an ordinary one again."},
	"budget-saved":         {Tone: ui.Green, Text: "Saved. It counts from the next answer on."},
	"article-created":      {Tone: ui.Green, Text: "The article is ready. Agents find it from now on."},
	"articles-created":     {Tone: ui.Green, Text: "The articles are ready. Agents find them from now on."},
	"article-saved":        {Tone: ui.Green, Text: "Saved. Agents find the new words at once."},
	"article-deleted":      {Tone: ui.Green, Text: "The article is deleted."},
	"thread-joined":        {Tone: ui.Green, Text: "The conversation you were led to has become part of this one."},
	"transcript-mailed":    {Tone: ui.Green, Text: "The transcript is on its way to them."},
	"delivery-retried":     {Tone: ui.Green, Text: "It is on its way again."},
	"key-revoked":          {Tone: ui.Green, Text: "The key is revoked. It opens nothing any more."},
	"invitation-withdrawn": {Tone: ui.Green, Text: "The link is withdrawn. It opens nothing any more."},
	"role-changed":         {Tone: ui.Green, Text: "Saved. It counts from their next click on."},
	"user-removed":         {Tone: ui.Green, Text: "They are out of the team. What they had waits for somebody else."},
	"profile-saved":        {Tone: ui.Green, Text: "Saved. Visitors see it with your next answer."},
	"password-changed":     {Tone: ui.Green, Text: "Your password is changed. Wherever else you were signed in, you are no longer."},
	"settings-saved":       {Tone: ui.Green, Text: "Saved. It counts from the next answer on."},
	"widget-created":       {Tone: ui.Green, Text: "The widget is ready. Copy its line into your site."},
	"widget-saved":         {Tone: ui.Green, Text: "Saved. Visitors see it with the next page they open."},
	"secret-made":          {Tone: ui.Green, Text: "The secret is replaced. Copy the new one now."},
	"secret-ended":         {Tone: ui.Green, Text: "The secret before is no longer accepted."},
	"secret-kept":          {Tone: ui.Amber, Text: "Nothing was replaced: the widget has changed since that page was drawn."},
	"webhook-saved":        {Tone: ui.Green, Text: "Saved. It counts from the next event on."},
	"webhook-deleted":      {Tone: ui.Green, Text: "The webhook is deleted."},
	"webhook-resent":       {Tone: ui.Green, Text: "It is sent again. Reload in a moment to see how that went."},
	"chatwoot-created":     {Tone: ui.Green, Text: "The account is connected. Enter the webhook in Chatwoot now."},
	"chatwoot-saved":       {Tone: ui.Green, Text: "Saved. It counts from the next message on."},
	"chatwoot-deleted":     {Tone: ui.Green, Text: "The account is disconnected."},
	"widget-deleted":       {Tone: ui.Green, Text: "The widget is deleted."},
}

// notify lets the next page begin with a notice.
func (p *Portal) notify(w http.ResponseWriter, r *http.Request, name string) {
	http.SetCookie(w, &http.Cookie{
		Name: noticeCookie, Value: name, Path: "/", MaxAge: 60, HttpOnly: true, Secure: p.secure(r), SameSite: http.SameSiteLaxMode,
	})
}

// noticed takes the notice that was left for this page.
func (p *Portal) noticed(w http.ResponseWriter, r *http.Request) ui.Notice {
	c, err := r.Cookie(noticeCookie)
	if err != nil {
		return ui.Notice{}
	}
	http.SetCookie(w, &http.Cookie{Name: noticeCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: p.secure(r), SameSite: http.SameSiteLaxMode})
	return notices[c.Value]
}
