package views

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// WidgetRow is one widget in the list.
type WidgetRow struct {
	Widget domain.Widget
	Agent  domain.Agent // the bound one; without an ID: none is
}

// answering says beside the switch of a widget what its agent does now.
func (r WidgetRow) answering() string {
	switch {
	case r.Agent.ID == "":
		return "No agent"
	case !r.Widget.WebchatEnabled:
		return "Agent is silent"
	case !r.Agent.Enabled:
		return "Agent is off"
	case r.Agent.SendMode == domain.Suggest:
		return "Agent suggests"
	}
	return "Agent answers"
}

// Widgets is the page with all of them.
type Widgets struct {
	Frame Frame
	Rows  []WidgetRow
}

// WidgetForm is the page to make or change a widget. Widget.ID is empty for a new one. Its fields have the names the API
// gives them; allowed_origins has one a line. A new one asks only for what one has to decide.
type WidgetForm struct {
	Frame     Frame
	Widget    domain.Widget
	Form      ui.Form
	Agents    []domain.Agent // to choose from
	PublicURL string         // scheme and host the snippet names
	Secret    string         // the identity secret, on the one page that shows it
}

// overlap is until when the identity secret before this one is accepted, in the words of whoever looks; empty: it is not.
func (p WidgetForm) overlap() string {
	if !p.Widget.SecretOverlaps(p.Frame.Now) {
		return ""
	}
	return p.Widget.PreviousUntil.In(p.Frame.Now.Location()).Format("2 January, 15:04")
}

// weekdays are the days of the hours' editor.
var weekdays = []struct{ key, name, hint string }{
	{"mon", "Monday", "09:00–17:00, or 09:00–12:00, 13:00–17:00"}, {"tue", "Tuesday", ""}, {"wed", "Wednesday", ""}, {"thu", "Thursday", ""},
	{"fri", "Friday", ""}, {"sat", "Saturday", ""}, {"sun", "Sunday", ""},
}

// worded reports whether the owner has words of their own, or something is wrong with them.
func (p WidgetForm) worded() bool {
	for _, name := range domain.WidgetTexts {
		if p.Form.Value("texts."+name) != "" || p.Form.Problems["texts."+name] != "" {
			return true
		}
	}
	return false
}

// wording says what a text of the widget is for.
func wording(name string) string {
	words := map[string]string{
		"open": "Open the chat", "close": "Close the chat", "unread": "Unread lines ({n})", "write": "Empty field", "left": "Characters left ({n})",
		"over": "Characters too many ({n})", "failed": "A line could not be sent", "typing": "Somebody types ({name})", "answering": "An agent answers ({name})",
		"soon": "Somebody will answer", "waiting": "Waiting for a person", "away": "Nobody is there", "here": "A person is there ({name})",
		"joined": "A person joined ({name})", "back": "The agent is back ({name})", "asked": "A person was asked for", "arrived": "A line arrived, nobody is there",
		"ended": "The conversation was closed", "person": "Ask for a person", "offline": "The visitor is offline", "gone": "The chat is not available",
		"intro": "Above the form", "start": "Send the form", "skip": "Skip the form", "unsaved": "The form failed", "rate": "Ask for a rating", "stars": "Stars ({n})",
		"thanks": "Thanks for the rating", "agent": "An agent without a name", "human": "A person without a name", "system": "A notice", "you": "The visitor",
	}
	if w := words[name]; w != "" {
		return w
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// widgetFields are the names of the form's fields in the order of the page.
var widgetFields = []string{
	"name", "agent_id", "webchat_enabled", "enabled", "allowed_origins", "appearance.title", "appearance.greeting",
	"appearance.primary_color", "appearance.text_color", "appearance.position", "appearance.locale", "fallback_text", "handoff_after_seconds", "waiting_text",
	"attachments_enabled",
	"appearance.contact_info_mode", "appearance.collect", "hours.timezone", "hours.mon", "hours.tue", "hours.wed", "hours.thu", "hours.fri",
	"hours.sat", "hours.sun", "rate.messages", "rate.window_seconds", "daily_message_cap", "require_identity",
}

// Stamp names the state of a widget that a page shows. A form that carries an older one was sent before, or comes from a page
// that is no longer true.
func Stamp(w domain.Widget) string { return strconv.FormatInt(w.UpdatedAt.UnixMicro(), 36) }

func (f WidgetForm) fresh() bool { return f.Widget.ID == "" }

func (f WidgetForm) url(tail string) string { return "/widgets/" + string(f.Widget.ID) + tail }

func (f WidgetForm) heading() string {
	if f.fresh() {
		return "New widget"
	}
	return f.Widget.Name
}

func (f WidgetForm) saveURL() string {
	if f.fresh() {
		return "/widgets"
	}
	return f.url("")
}

// Snippet is the line that puts a widget into a page.
func Snippet(publicURL, key string) string {
	return `<script async src="` + strings.TrimSuffix(publicURL, "/") + `/widget.js" data-widget="` + key + `"></script>`
}

// insecure reports whether the snippet names an address that pages served over https cannot load from.
func (f WidgetForm) insecure() bool {
	u, err := url.Parse(f.PublicURL)
	return err == nil && u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1"
}

func (f WidgetForm) agentOptions() []ui.Option {
	out := []ui.Option{{Value: "", Label: "Nobody; people answer"}}
	for _, a := range f.Agents {
		label := a.Name + " (" + KindName(a.Kind) + ")"
		if !a.Enabled {
			label += ", switched off"
		}
		out = append(out, ui.Option{Value: string(a.ID), Label: label})
	}
	return out
}

// widgetWarning says why a widget does not do what one would expect of it; empty if it does.
func widgetWarning(r WidgetRow) string {
	switch {
	case !r.Widget.Enabled:
		return "Switched off: the chat is not shown anywhere."
	case len(r.Widget.AllowedOrigins) == 0:
		return "No site may embed it yet. Add your site’s address."
	case r.Agent.ID == "":
		return "No agent is bound: every message waits for a person."
	case r.Widget.WebchatEnabled && !r.Agent.Enabled:
		return r.Agent.Name + " is switched off: every message waits for a person."
	}
	return ""
}

// WidgetValues are the fields of the form for a widget as it is.
func WidgetValues(w domain.Widget) map[string]string {
	a := w.Appearance
	v := map[string]string{
		"name": w.Name, "agent_id": string(w.AgentID), "allowed_origins": strings.Join(w.AllowedOrigins, "\n"),
		"daily_message_cap": number(w.DailyCap), "rate.messages": number(w.RateMessages), "rate.window_seconds": number(w.RateWindowSecs),
		"handoff_after_seconds": number(w.HandoffAfterSeconds), "waiting_text": w.WaitingText, "fallback_text": w.FallbackText, "appearance.title": a.Title, "appearance.greeting": a.Greeting,
		"appearance.primary_color": a.PrimaryColor, "appearance.text_color": a.TextColor, "appearance.position": a.Position,
		"appearance.locale": a.Locale, "appearance.contact_info_mode": a.ContactInfoMode, "appearance.collect": strings.Join(a.Collect, ","),
	}
	if h := w.Hours; h != nil {
		v["hours.timezone"], v["hours.set"] = h.Timezone, "on"
		for _, day := range domain.Weekdays {
			v["hours."+day] = domain.FormatSpans(h.Week[day])
		}
	}
	for name, text := range w.Texts {
		v["texts."+name] = text
	}
	for name, on := range map[string]bool{"offline_form": w.OfflineForm, "enabled": w.Enabled, "webchat_enabled": w.WebchatEnabled, "require_identity": w.RequireIdentity,
		"attachments_enabled": w.AttachmentsEnabled} {
		if on {
			v[name] = "on"
		}
	}
	return v
}
