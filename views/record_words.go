package views

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// tell says in a sentence what an item means. An unknown kind is shown under its own name, never dropped.
func (r Record) tell(i domain.TimelineItem) happening {
	f := detail(i)
	switch i.Kind {
	case domain.MessageReceived:
		return happening{icon: ui.UserIcon(), tone: ui.Neutral, title: ContactName(r.Contact) + " wrote", why: r.received(f)}
	case domain.DuplicateIgnored:
		return happening{icon: ui.CopyIcon(), tone: ui.Neutral, title: "The same message came again and was ignored", why: "The visitor’s browser was not sure it had arrived."}
	case domain.Read:
		if f.text("by") == "visitor" {
			return happening{icon: ui.EyeIcon(), tone: ui.Neutral, title: "The visitor read up to here"}
		}
		return happening{icon: ui.EyeIcon(), tone: ui.Neutral, title: "The team read up to here"}
	case domain.HandedOff:
		if f["offered"] == true {
			return happening{icon: ui.WaitingIcon(), tone: ui.Amber, title: "The conversation was offered to the team", why: sentence(f.text("reason"))}
		}
		return happening{icon: ui.WaitingIcon(), tone: ui.Amber, title: "The conversation was handed to the team", why: sentence(f.text("reason"))}
	case domain.HumanJoined:
		return happening{icon: ui.TakeOverIcon(), tone: ui.Accent, title: f.who() + " took the conversation over", why: "From here on agents stay silent."}
	case domain.HandedBack:
		return happening{icon: ui.HandBackIcon(), tone: ui.Violet, title: f.who() + " handed the conversation back to the agent"}
	case domain.NoteAdded:
		return happening{icon: ui.NoteIcon(), tone: ui.Amber, title: f.who() + " left a note for the team"}
	case domain.Rated:
		return happening{icon: ui.StarIcon(), tone: ui.Green, title: fmt.Sprintf("The visitor rated the conversation %d of 5", int(f.number("score"))), why: sentence(f.text("comment"))}
	case domain.Closed:
		return happening{icon: ui.CloseThreadIcon(), tone: ui.Neutral, title: f.who() + " closed the conversation", why: "The visitor’s next message opens it again."}
	case domain.Reopened:
		return happening{icon: ui.ReopenIcon(), tone: ui.Neutral, title: "The conversation was opened again"}
	case domain.ThreadJoined:
		return happening{icon: ui.UserIcon(), tone: ui.Accent, title: "An earlier conversation of the same person was joined to this one",
			why: fmt.Sprintf("The site said who they are. Lines %d to %d are from before that.", int(f.number("from_seq")), int(f.number("to_seq")))}
	case domain.FormSubmitted:
		return happening{icon: ui.UserIcon(), tone: ui.Accent, title: ContactName(r.Contact) + " filled in the form", why: formWords(f)}
	case domain.DeliveryDied:
		if f.text("what") == "status" {
			return happening{icon: ui.AlertIcon(), tone: ui.Red, title: "Could not be opened in Chatwoot", why: sentence(f.text("error"))}
		}
		return happening{icon: ui.AlertIcon(), tone: ui.Red, title: "Could not be delivered" + through(f.text("transport")), why: sentence(f.text("error"))}
	case domain.Delivered:
		switch f.text("what") {
		case "draft":
			return happening{icon: ui.DeliveredIcon(), tone: ui.Green, title: "Draft shown to the team in Chatwoot"}
		case "status":
			return happening{icon: ui.DeliveredIcon(), tone: ui.Green, title: "Opened for the team in Chatwoot"}
		}
		return happening{icon: ui.DeliveredIcon(), tone: ui.Green, title: "Delivered" + through(f.text("transport"))}
	}
	return r.tellTurn(i, f)
}

// tellTurn tells what happened between the visitor's line and the answer.
func (r Record) tellTurn(i domain.TimelineItem, f fields) happening {
	switch i.Kind {
	case domain.DispatchQueuedAt:
		return happening{icon: ui.RouteIcon(), tone: ui.Violet, title: "The agent was asked to answer", why: "It waits a moment first, in case the visitor has more to say."}
	case domain.DispatchExtended:
		return happening{icon: ui.RouteIcon(), tone: ui.Violet, title: "Added to what the agent is to answer", why: "The visitor wrote on before the answer came; both lines get one answer."}
	case domain.DispatchSkip:
		return happening{icon: ui.SkipIcon(), tone: ui.Amber, title: "No agent was asked", why: skipWords(domain.SkipReason(f.text("reason")), r.Widget)}
	case domain.TurnStarted:
		return happening{icon: ui.ZapIcon(), tone: ui.Violet, title: agentName(f) + " began " + attempt(int(f.number("attempt"))), why: waited(f)}
	case domain.ModelCall:
		return happening{icon: ui.SparklesIcon(), tone: ui.Violet, title: asked(f), why: cost(f)}
	case domain.ToolCall:
		return happening{icon: ui.WrenchIcon(), tone: ui.Violet, title: "Used a tool" + quotedName(toolName(f)), why: lookedFor(f)}
	case domain.ToolResult:
		return happening{icon: ui.WrenchIcon(), tone: ui.Violet, title: "The tool" + quotedName(toolName(f)) + " answered", why: searched(f)}
	case domain.SuggestionStored:
		return happening{icon: ui.LightbulbIcon(), tone: ui.Violet, title: "Suggested an answer for a person to send"}
	case domain.SuggestionUsed:
		return happening{icon: ui.CheckIcon(), tone: ui.Green, title: f.who() + " sent the draft as it was"}
	case domain.SuggestionEdited:
		return happening{icon: ui.PencilIcon(), tone: ui.Accent, title: f.who() + " changed the draft before sending it"}
	case domain.SuggestionGone:
		return happening{icon: ui.TrashIcon(), tone: ui.Neutral, title: f.who() + " discarded the draft", why: sentence(f.text("reason"))}
	case domain.ReplyStored:
		return r.tellReply(i, f)
	case domain.ReplySuppressed:
		return happening{icon: ui.SuppressedIcon(), tone: ui.Amber, title: "The answer came too late and was not shown", why: sentence(f.text("reason"))}
	case domain.TurnFailure:
		return happening{icon: ui.WarningIcon(), tone: ui.Red, title: "The agent’s attempt failed", why: sentence(f.text("error"))}
	case domain.RetryScheduled:
		return happening{icon: ui.RetryIcon(), tone: ui.Amber, title: "It will be tried again", why: r.retryAt(f)}
	case domain.DispatchDied:
		return happening{icon: ui.DeadIcon(), tone: ui.Red, title: fmt.Sprintf("The agent gave up after %s", plural(int(f.number("attempts")), "attempt", "attempts")), why: sentence(f.text("error"))}
	}
	return happening{icon: ui.ActivityIcon(), tone: ui.Neutral, title: string(i.Kind)}
}

func (r Record) tellReply(i domain.TimelineItem, f fields) happening {
	switch {
	case f["fallback"] == true:
		return happening{icon: ui.WidgetIcon(), tone: ui.Amber, title: "The visitor was told that a person will take a look"}
	case f.text("user_id") != "" || f.text("name") != "":
		return happening{icon: ui.SendIcon(), tone: ui.Accent, title: f.who() + " replied"}
	case i.TurnID != "":
		return happening{icon: ui.SendIcon(), tone: ui.Violet, title: "The agent’s answer was stored and sent", why: unfounded(f)}
	}
	return happening{icon: ui.SendIcon(), tone: ui.Accent, title: "A reply was stored and sent"}
}

// received says what a line led to, as far as its own record tells.
func (r Record) received(f fields) string {
	switch domain.TimelineKind(f.text("routing")) {
	case domain.DispatchQueuedAt:
		return "It was passed to the agent."
	case domain.DispatchExtended:
		return "It was added to what the agent is already to answer."
	case domain.DispatchSkip:
		return "It was not passed to an agent. " + skipWords(domain.SkipReason(f.text("reason")), r.Widget)
	}
	return ""
}

// skipWords says why no agent was asked, and where to change that.
func skipWords(why domain.SkipReason, widget string) string {
	if widget == "" {
		widget = "this widget"
	} else {
		widget = "the widget “" + widget + "”"
	}
	switch why {
	case domain.SkipNoAgent:
		return "Why: no agent is bound to " + widget + ". Choose one in the widget’s settings."
	case domain.SkipAgentDisabled:
		return "Why: the agent is switched off. Switch it on in its settings."
	case domain.SkipTriggerOff:
		return "Why: agents are switched off for " + widget + ". Messages arrive, but people answer."
	case domain.SkipContactUnresolved:
		return "Why: it is not known who wrote this."
	case domain.SkipEmptyBody:
		return "Why: there were no words in it."
	case domain.SkipCrossOrg:
		return "Why: the bound agent belongs to another organisation."
	case domain.SkipOptedOut:
		return "Why: this contact does not want to be answered by agents."
	case domain.SkipHumanHandling:
		return "Why: a person has this conversation, or one has been asked for."
	case domain.SkipBudgetExceeded:
		return "Why: the agent has used up its budget."
	case domain.SkipCancelled:
		return "Why: the visitor stopped the answer."
	case domain.SkipDailyCap:
		return "Why: the daily limit of messages was reached."
	}
	return sentence(string(why))
}

// asked says whom a model_call asked: a model, or a service that stands in for one.
func asked(f fields) string {
	switch domain.AgentKind(f.text("kind")) {
	case domain.AgentWebSocket, domain.AgentHTTP:
		return "Asked the agent’s service"
	}
	return "Asked the model" + named(f.text("model"))
}

func attempt(n int) string {
	if n <= 1 {
		return "to answer"
	}
	return fmt.Sprintf("attempt %d", n)
}

func waited(f fields) string {
	if ms := f.number("waited_ms"); ms > 0 {
		return "The line had waited " + millis(ms) + "."
	}
	return ""
}

// cost is what a model call took: time, tokens, money, as far as they were reported.
func cost(f fields) string {
	var s string
	add := func(part string) {
		if s != "" {
			s += " · "
		}
		s += part
	}
	if ms := f.number("ms"); ms > 0 {
		add(millis(ms))
	}
	if in, out := f.number("prompt_tokens"), f.number("completion_tokens"); in > 0 || out > 0 {
		add(fmt.Sprintf("%.0f tokens in, %.0f out", in, out))
	}
	if usd := f.number("cost_usd"); usd > 0 {
		add(fmt.Sprintf("$%.4f", usd))
	}
	return s
}

// toolName is what a tool is called, without the marks of a program.
func toolName(f fields) string {
	n := f.text("tool")
	if n == "" {
		n = f.text("name")
	}
	return strings.ReplaceAll(n, "_", " ")
}

func quotedName(name string) string {
	if name == "" {
		return ""
	}
	return " “" + name + "”"
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return " " + name
}

func through(transport string) string {
	if transport == "" {
		return ""
	}
	return " by " + transport
}

func (r Record) retryAt(f fields) string {
	t, err := time.Parse(time.RFC3339, f.text("at"))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("Attempt %d, at %s.", int(f.number("attempt")), t.In(r.Now.Location()).Format("15:04:05"))
}

// sentence makes a reason that reads like one.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	r := []rune(s)
	if r[0] >= 'a' && r[0] <= 'z' {
		r[0] -= 'a' - 'A'
	}
	switch r[len(r)-1] {
	case '.', '!', '?', '…':
		return string(r)
	}
	return string(r) + "."
}

// queryOf is what a search was for: a built-in agent says it outright, a model among the tool's arguments.
func queryOf(f fields) string {
	if q := f.text("query"); q != "" {
		return q
	}
	arguments, _ := f["arguments"].(map[string]any)
	return fields(arguments).text("query")
}

func lookedFor(f fields) string {
	if q := queryOf(f); q != "" {
		return "For “" + q + "”."
	}
	return ""
}

// searched says what a tool came back with.
func searched(f fields) string {
	if e := f.text("error"); e != "" {
		return sentence(e)
	}
	if f["hits"] == nil {
		return ""
	}
	if f.number("hits") == 0 {
		return "Nothing was found, so there was nothing to answer from."
	}
	s := "Found " + plural(int(f.number("hits")), "article", "articles") + "."
	if f["confidence"] != nil {
		s += " The best fits to " + percent(f.number("confidence")) + "; the agent answers from " + percent(f.number("min_confidence")) + " on."
	}
	return s + searchedAs(f.text("query"), f.text("understood"))
}

// searchedAs says which words of a question no article has, and what they were taken for.
func searchedAs(asked, understood string) string {
	if understood == "" {
		return ""
	}
	was, is := strings.Fields(asked), strings.Fields(understood)
	if len(was) != len(is) {
		return " Searched as “" + understood + "”."
	}
	s := ""
	for i := range was {
		if was[i] != is[i] {
			s += " “" + unmarked(was[i]) + "” is in no article, so it was searched as “" + unmarked(is[i]) + "”."
		}
	}
	return s
}

// unmarked is a word without the marks around it.
func unmarked(word string) string {
	return strings.TrimFunc(word, unicode.IsPunct)
}

// unfounded says that an agent named sources that nothing bears out.
func unfounded(f fields) string {
	dropped, _ := f["citations_dropped"].([]any)
	if len(dropped) == 0 {
		return ""
	}
	return "It also named " + plural(len(dropped), "source", "sources") + " that no search in this turn had found. That was not shown."
}

// formWords is what a visitor wrote into a form, field by field.
func formWords(f fields) string {
	answers, _ := f["fields"].(map[string]any)
	var said []string
	for _, name := range []string{"name", "email", "phone", "message"} {
		if v, ok := answers[name].(string); ok && v != "" {
			said = append(said, v)
		}
	}
	return strings.Join(said, " · ")
}
