package views

import (
	"strconv"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Settings is the page of what holds for the whole organisation. Its fields have the names the API gives them.
type Settings struct {
	Frame Frame
	Form  ui.Form
	Dead  []DeadDelivery // what did not arrive, newest first
	More  bool           // there is more of that
}

// DeadDelivery is something that was to leave by another way, and did not arrive.
type DeadDelivery struct {
	ID        domain.DeliveryID
	Thread    domain.ThreadID // it is about; may be empty
	Transport string
	Target    string // an address; empty: it is gone
	Error     string // what the last attempt came to
	Attempts  int
	At        time.Time
}

// what says what did not arrive.
func (d DeadDelivery) what() string {
	switch {
	case d.Transport == "mail":
		return "The mail to " + d.Target
	case d.Target == "":
		return "A reply"
	}
	return "A reply to " + d.Target
}

// SettingsValues are the fields of the form as they are.
func SettingsValues(r domain.Recording) map[string]string {
	return map[string]string{"record_content": string(r.Content), "record_days": strconv.Itoa(r.Days)}
}

func recordOptions() []ui.Option {
	return []ui.Option{
		{Value: string(domain.RecordOff), Label: "Nothing", Hint: "Only which model was asked, how long it took and what it cost."},
		{Value: string(domain.RecordMetadata), Label: "Their length", Hint: "Also how long the instructions and the answer were."},
		{Value: string(domain.RecordFull), Label: "Every word", Hint: "The whole instructions and answer. They contain what visitors write and what your tools return."},
	}
}
