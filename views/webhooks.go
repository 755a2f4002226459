package views

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Webhooks is the page with all of them.
type Webhooks struct {
	Frame Frame
	Hooks []domain.Webhook
}

// WebhookForm is the page to make or change a webhook, with its log. Hook.ID is empty for a new one. The form's fields are url,
// enabled, and kinds, of which there are several.
type WebhookForm struct {
	Frame  Frame
	Hook   domain.Webhook
	Form   ui.Form
	Secret string // on the one page that shows it
	Log    []domain.WebhookDelivery
	State  DeliveryState // which of the log are shown
	Older  bool          // there is newer than these
	More   bool          // there is older than these
}

// DeliveryState is a choice of what to see of a log.
type DeliveryState string

const (
	AllDeliveries     DeliveryState = ""
	WaitingDeliveries DeliveryState = "waiting"
	FailedDeliveries  DeliveryState = "failed"
)

// Statuses are those of the deliveries to see; none are all.
func (s DeliveryState) Statuses() []string {
	switch s {
	case WaitingDeliveries:
		return []string{"queued", "running"}
	case FailedDeliveries:
		return []string{"dead"}
	}
	return nil
}

func (f WebhookForm) fresh() bool { return f.Hook.ID == "" }

func (f WebhookForm) url(tail string) string { return "/webhooks/" + string(f.Hook.ID) + tail }

func (f WebhookForm) saveURL() string {
	if f.fresh() {
		return "/webhooks"
	}
	return f.url("")
}

func (f WebhookForm) olderURL() string {
	return f.url("?state=" + string(f.State) + "&before=" + string(f.Log[len(f.Log)-1].ID) + "#webhook-log")
}

// overlap is until when the secret before this one signs as well; empty: it does not.
func (f WebhookForm) overlap() string {
	if !f.Frame.Now.Before(f.Hook.PreviousUntil) {
		return ""
	}
	return f.Hook.PreviousUntil.In(f.Frame.Now.Location()).Format("2 January, 15:04")
}

// WebhookStamp names the state of a webhook that a page shows, as Stamp does a widget's.
func WebhookStamp(h domain.Webhook) string { return strconv.FormatInt(h.UpdatedAt.UnixMicro(), 36) }

// WebhookValues are the fields of the form for a webhook as it is.
func WebhookValues(h domain.Webhook) map[string]string {
	v := map[string]string{"url": h.URL, "kinds": KindValues(h.Kinds)}
	if h.Enabled {
		v["enabled"] = "on"
	}
	return v
}

// KindValues are kinds as a form holds them.
func KindValues(kinds []domain.TimelineKind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ",")
}

// kindWords says what happens when a kind does.
var kindWords = map[domain.TimelineKind]string{
	domain.MessageReceived: "Somebody wrote", domain.DuplicateIgnored: "The same line came again", domain.DispatchQueuedAt: "An agent is asked",
	domain.DispatchExtended: "More lines for the agent", domain.DispatchSkip: "No agent is asked", domain.DispatchDied: "An agent failed",
	domain.ReplyStored: "A reply was sent", domain.ReplySuppressed: "A late reply was held back", domain.SuggestionUsed: "A draft was sent",
	domain.SuggestionEdited: "A draft was changed and sent", domain.SuggestionGone: "A draft was discarded", domain.Read: "Somebody has read",
	domain.HandedOff: "Handed to the team", domain.HumanJoined: "A person took over", domain.HandedBack: "Handed back to the agent",
	domain.NoteAdded: "A note was left", domain.Rated: "A rating", domain.Closed: "Closed", domain.Reopened: "Opened again",
	domain.ThreadJoined: "Conversations joined", domain.FormSubmitted: "A form was filled in",
}

func kindWord(k domain.TimelineKind) string {
	if w := kindWords[k]; w != "" {
		return w
	}
	return string(k)
}

func kindOptions() []ui.Option {
	var all []ui.Option
	for _, k := range domain.WebhookKinds() {
		all = append(all, ui.Option{Value: string(k), Label: kindWord(k)})
	}
	return all
}

// hears says what a webhook is told of.
func hears(h domain.Webhook) string {
	switch n := len(h.Kinds); {
	case n == 0:
		return "told of everything"
	case n > 3:
		return "told of " + number(n) + " kinds of events"
	}
	words := make([]string, len(h.Kinds))
	for i, k := range h.Kinds {
		words[i] = strings.ToLower(kindWord(k))
	}
	return "told of: " + strings.Join(words, ", ")
}

// hookState is the badge of a webhook.
func hookState(h domain.Webhook) (ui.Tone, string) {
	switch {
	case !h.Enabled && h.DisabledReason != "":
		return ui.Red, "Switched off"
	case !h.Enabled:
		return ui.Neutral, "Off"
	case !h.FailingSince.IsZero():
		return ui.Amber, "Fails"
	}
	return ui.Green, "On"
}

// deliveryState is the badge of an entry of the log.
func deliveryState(d domain.WebhookDelivery) (ui.Tone, string) {
	switch {
	case d.Status == "done":
		return ui.Green, "Arrived"
	case d.Status == "dead":
		return ui.Red, "Given up"
	case d.Status == "running":
		return ui.Accent, "On its way"
	case d.Attempts > 0:
		return ui.Amber, "Tried again soon"
	}
	return ui.Neutral, "Waits"
}

// answered is what the other side said, in a few words.
func answered(d domain.WebhookDelivery) string {
	if d.AnswerStatus == 0 {
		return ""
	}
	return "Its answer, status " + number(d.AnswerStatus)
}

// indented is JSON as people read it.
func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}
