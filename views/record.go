package views

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Record is a thread's flight recorder: everything that happened to it, in words.
type Record struct {
	Conversation                                          // without its lines: the head and the facts stay where they are
	Items        []domain.TimelineItem                    // oldest first
	Begin        string                                   // names the first of them
	Earlier      bool                                     // there are older ones than these
	Lines        map[domain.MessageID]string              // what the messages of Items say
	Files        map[domain.MessageID][]domain.Attachment // what came with them
	Widget       string                                   // name of the thread's widget
}

// happening is one item of the recorder, made readable.
type happening struct {
	id           string
	icon         templ.Component
	tone         ui.Tone
	title        string // a sentence
	why          string // the reason, or what it means; may be empty
	quote        string // the words it is about; may be empty
	files        []domain.Attachment
	at           time.Time
	since        string     // after the visitor's line that led to it
	raw          string     // the detail as it is on record
	took         float64    // milliseconds, where it is something that takes time
	share        float64    // of took in the longest that took time here, in percent
	found        []passage  // what a search has found
	diff         []change   // between a draft and what was sent
	words        []labelled // what a model was asked and said
	kind         domain.TimelineKind
	turn         domain.TurnID
	says         domain.MessageID // the agent's message, whose reasons have a page of their own
	delivered    int              // lines, of a run that arrived together
	through      string           // " by" which transport
	answers      bool             // somebody of ours has spoken
	tokens, cost float64
	sum          string // what the exchange that opens here came to
	opens        bool   // starts a new exchange
	quiet        bool   // somebody read, and no more
}

// happenings tells the items, each with its distance from the last line the visitor wrote before it.
func (r Record) happenings() []happening {
	out := make([]happening, 0, len(r.Items))
	ids := once{}
	var start time.Time
	for _, i := range r.Items {
		h := r.tell(i)
		h.id, h.at, h.raw, h.kind, h.turn = ids.name(i), i.At, pretty(i.Detail), i.Kind, i.TurnID
		h.more(i)
		h.quote, h.files = r.Lines[i.MessageID], r.Files[i.MessageID]
		if i.Kind != domain.MessageReceived && i.Kind != domain.ReplyStored { // the others only mean it
			h.quote, h.files = "", nil
		}
		if t := detail(i).text("content"); t != "" {
			h.quote = t
		}
		if i.Kind == domain.ReplyStored && i.TurnID != "" {
			h.says = i.MessageID
		}
		if i.Kind == domain.MessageReceived {
			start, h.opens = i.At, true
		} else if !start.IsZero() {
			h.since = offset(i.At.Sub(start))
		}
		line := i.Kind == domain.Delivered && detail(i).text("what") == ""
		if last := len(out) - 1; line && last >= 0 && out[last].delivered > 0 && out[last].through == through(detail(i).text("transport")) {
			out[last].delivered++
			out[last].title = fmt.Sprintf("Delivered %d messages%s", out[last].delivered, out[last].through)
			continue
		}
		if line {
			h.delivered, h.through = 1, through(detail(i).text("transport"))
		}
		h.quiet = i.Kind == domain.Read
		if last := len(out) - 1; h.quiet && last >= 0 && out[last].quiet {
			out[last] = out[last].read(h)
			continue
		}
		out = append(out, h)
	}
	weigh(out)
	r.sumUp(out)
	return out
}

// scrolls reports whether the quote may be too long to be seen at once: then the keyboard has to reach it.
func (h happening) scrolls() bool {
	return len(h.quote) > 200 || strings.Count(h.quote, "\n") > 3
}

// read joins two marks that stand next to each other into one, as of the later. Its name stays that of the first.
func (h happening) read(next happening) happening {
	if h.title != next.title {
		next.title = "The team and the visitor read up to here"
	}
	next.id = h.id
	return next
}

// once gives each item of a page a name that no other has, the same whenever the page is drawn: its kind, its time and what it is
// about, and where even these are shared its place among those that share them.
type once map[string]int

func (o once) name(i domain.TimelineItem) string {
	about := string(i.MessageID) + string(i.TurnID) + string(i.DispatchID)
	if len(about) > 12 {
		about = about[len(about)-12:]
	}
	name := fmt.Sprintf("e-%s-%x-%s", i.Kind, i.At.UnixMicro(), about)
	o[name]++
	if n := o[name]; n > 1 {
		name = fmt.Sprintf("%s-%d", name, n)
	}
	return name
}

// pretty is a detail for reading, empty if there is nothing in it.
func pretty(raw json.RawMessage) string {
	var out bytes.Buffer
	if json.Indent(&out, raw, "", "  ") != nil {
		return string(raw)
	}
	if s := strings.TrimSpace(out.String()); s != "{}" && s != "null" {
		return s
	}
	return ""
}

// agentName names the agent of an item.
func agentName(f fields) string {
	if n := f.text("agent_name"); n != "" {
		return n
	}
	return "The agent"
}

// moveSentence tells, among the messages, who has the thread now.
func moveSentence(i domain.TimelineItem) string {
	f := detail(i)
	switch i.Kind {
	case domain.HumanJoined:
		return f.who() + " took over"
	case domain.HandedBack:
		return f.who() + " handed back to the agent"
	case domain.HandedOff:
		return "Handed to the team: " + f.text("reason")
	case domain.Closed:
		return f.who() + " closed the conversation"
	case domain.Reopened:
		return "Opened again"
	case domain.Rated:
		return "Rated " + number(int(f.number("score"))) + " of 5" + quoted(f.text("comment"))
	}
	return string(i.Kind)
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return ": “" + s + "”"
}
