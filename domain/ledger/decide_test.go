package ledger

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-chat/parley/domain"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// quiet is a thread in which nothing was said, with everything in place for its agent to answer.
func quiet() *state {
	return &state{
		Thread:  domain.Thread{ID: "thread", OrgID: "org", ContactID: "contact", WidgetID: "widget", Channel: "webchat", Handling: domain.HandlingAgent, Epoch: 1},
		contact: contactState{known: true},
		widget:  widgetState{known: true, webchatEnabled: true, rateMessages: 100, rateWindow: time.Minute, fallback: "sorry", title: "Shop", handoffAfter: time.Minute},
		agent:   agentState{id: "agent", orgID: "org", name: "Ada", enabled: true, settle: 800 * time.Millisecond, maxAttempts: 3, giveUp: time.Hour},
		now:     noon,
		known:   map[eventKey]domain.Message{},
	}
}

// running is quiet after two lines of which a turn is answering the first.
func running() *state {
	s := quiet()
	s.LastSeq, s.LastInbound = 2, 2
	s.open = &domain.Dispatch{ID: "dispatch", OrgID: "org", ThreadID: "thread", AgentID: "agent", Status: domain.DispatchRunning,
		FromSeq: 1, ToSeq: 1, Attempts: 1, Token: 7, FirstAt: noon}
	return s
}

var held = TurnRef{Turn: "turn", Dispatch: "dispatch", Token: 7, Epoch: 1, ToSeq: 1, Agent: "agent", AgentName: "Ada"}

var (
	hello = Line{SessionID: "session", ClientID: "1", Content: "hello"}
	anna  = domain.User{ID: "anna", OrgID: "org", Name: "Anna"}
	ben   = domain.User{ID: "ben", OrgID: "org", Name: "Ben"}
)

// due lets the waiting end so much from now.
type due time.Duration

func (due) key(domain.ThreadID) eventKey { return eventKey{} }

func (d due) decide(s *state, _ *rows) (Outcome, error) {
	if !s.WaitDue.IsZero() || s.Handling == domain.HandlingWaiting {
		s.WaitDue = s.now.Add(time.Duration(d))
	}
	return Outcome{}, nil
}

// handled puts a thread in somebody's hands.
func handled(by domain.Handling, assignee domain.UserID) func(*state) {
	return func(s *state) { s.Handling, s.AssigneeID = by, assignee }
}

func TestDecide(t *testing.T) {
	tests := []struct {
		name     string
		from     func() *state
		with     func(*state)
		changes  []Change
		handling domain.Handling
		epoch    int64
		said     []string // authors of the messages written
		events   []string // kinds of the events written, a message_received with its routing
		steps    []string
		status   domain.DispatchStatus // of the last dispatch written
		fails    domain.Code           // of the last change
	}{
		{name: "a line asks for a turn", changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_queued"}, status: "queued"},
		{name: "a second line joins it", changes: []Change{hello, Line{SessionID: "session", ClientID: "2", Content: "more"}},
			handling: "agent", epoch: 1, said: []string{"visitor", "visitor"},
			events: []string{"message_received>dispatch_queued", "message_received>dispatch_extended"}, status: "queued"},
		{name: "the same line again is ignored", changes: []Change{hello, hello, hello},
			handling: "agent", epoch: 1, said: []string{"visitor"},
			events: []string{"message_received>dispatch_queued", "duplicate_ignored", "duplicate_ignored"}, status: "queued"},
		{name: "another session's client id is another line", changes: []Change{hello, Line{SessionID: "other", ClientID: "1", Content: "hello"}},
			handling: "agent", epoch: 1, said: []string{"visitor", "visitor"},
			events: []string{"message_received>dispatch_queued", "message_received>dispatch_extended"}, status: "queued"},
		{name: "a line during a turn waits for the next", from: running, changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_extended"}, status: "running"},

		{name: "guard: cross org", with: func(s *state) { s.agent.orgID = "other" }, changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:cross_org"}},
		{name: "guard: contact unresolved", with: func(s *state) { s.contact.known = false }, changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:contact_unresolved"}},
		{name: "guard: opted out", with: func(s *state) { s.contact.optedOut = true }, changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:opted_out"}},
		{name: "guard: empty body", changes: []Change{Line{SessionID: "session", ClientID: "1", Content: ""}},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:empty_body"}},
		{name: "guard: trigger off", with: func(s *state) { s.widget.webchatEnabled = false; s.agent.id = "" }, changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:trigger_off"}},
		{name: "guard: no agent", with: func(s *state) { s.agent = agentState{} }, changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:no_agent"}},
		{name: "guard: agent disabled", with: func(s *state) { s.agent.enabled = false }, changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:agent_disabled"}},
		{name: "guard: a person is wanted", with: handled("waiting", ""), changes: []Change{hello},
			handling: "waiting", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:human_handling"}},
		{name: "guard: a person has it", with: handled("human", "anna"), changes: []Change{hello},
			handling: "human", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:human_handling"}},
		{name: "a closed thread opens again", with: handled("closed", ""), changes: []Change{hello},
			handling: "agent", epoch: 2, said: []string{"visitor"}, events: []string{"reopened", "message_received>dispatch_queued"}, status: "queued"},

		{name: "a widget that is switched off", with: func(s *state) { s.widget.disabled = true }, changes: []Change{hello},
			handling: "agent", epoch: 1, fails: "widget_disabled"},
		{name: "rate limit", with: func(s *state) { s.widget.rateMessages = 1 }, changes: []Change{hello, Line{SessionID: "session", ClientID: "2", Content: "more"}},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_queued"}, status: "queued", fails: "rate_limited"},
		{name: "a duplicate passes the rate limit", with: func(s *state) { s.widget.rateMessages = 1 }, changes: []Change{hello, hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_queued", "duplicate_ignored"}, status: "queued"},
		{name: "daily cap", with: func(s *state) { s.widget.dailyCap = 1 }, changes: []Change{hello, Line{SessionID: "session", ClientID: "2", Content: "more"}},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_queued"}, status: "queued", fails: "daily_cap"},
		{name: "yesterday's lines do not count", with: func(s *state) { s.widget.dailyCap = 1; s.day, s.dayCount = noon.Add(-36*time.Hour), 1 }, changes: []Change{hello},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_queued"}, status: "queued"},

		{name: "the visitor asks for a person", changes: []Change{hello, AskForPerson{}, AskForPerson{}},
			handling: "waiting", epoch: 2, said: []string{"visitor"},
			events: []string{"message_received>dispatch_queued", "dispatch_skipped", "handed_off"}, status: "skipped"},
		{name: "a person takes over", from: running, changes: []Change{TakeOver{anna}, TakeOver{anna}},
			handling: "human", epoch: 2, events: []string{"dispatch_skipped", "human_joined"}, status: "skipped"},
		{name: "a colleague takes over from a person", with: handled("human", "anna"), changes: []Change{TakeOver{ben}},
			handling: "human", epoch: 2, events: []string{"human_joined"}},
		{name: "writing takes over", from: running, changes: []Change{PersonReply{User: anna, ClientID: "1", Content: "hi"}, PersonReply{User: anna, ClientID: "1", Content: "hi"}},
			handling: "human", epoch: 2, said: []string{"human"},
			events: []string{"dispatch_skipped", "human_joined", "reply_stored", "duplicate_ignored"}, status: "skipped"},
		{name: "a program that writes leaves a person's thread to them", with: handled("human", "anna"),
			changes:  []Change{PersonReply{User: domain.User{OrgID: "org", Name: "API"}, Content: "hi"}},
			handling: "human", epoch: 1, said: []string{"human"}, events: []string{"reply_stored"}},
		{name: "hand back with nothing open", with: handled("human", "anna"), changes: []Change{HandBack{anna}},
			handling: "agent", epoch: 2, events: []string{"handed_back"}},
		{name: "hand back answers what nobody answered", changes: []Change{TakeOver{anna}, hello, HandBack{anna}},
			handling: "agent", epoch: 3, said: []string{"visitor"},
			events: []string{"human_joined", "message_received>dispatch_skipped:human_handling", "handed_back", "dispatch_queued"}, status: "queued"},
		{name: "hand back answers a line that an answer to another came after", from: running, with: func(s *state) { s.open.ToSeq = 2 },
			changes:  []Change{TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "to the first"}}, TakeOver{anna}, HandBack{anna}},
			handling: "agent", epoch: 3, said: []string{"agent"},
			events: []string{"reply_stored", "dispatch_queued", "dispatch_skipped", "human_joined", "handed_back", "dispatch_queued"}, status: "queued"},
		{name: "hand back to nobody says so", with: func(s *state) { handled("human", "anna")(s); s.agent = agentState{}; s.LastSeq, s.LastInbound = 1, 1 },
			changes: []Change{HandBack{anna}}, handling: "agent", epoch: 2, events: []string{"handed_back", "dispatch_skipped"}},
		{name: "close", from: running, changes: []Change{Close{anna}, Close{anna}},
			handling: "closed", epoch: 2, events: []string{"dispatch_skipped", "closed"}, status: "skipped"},
		{name: "release what is closed", with: handled("closed", ""), changes: []Change{Release{User: anna}},
			handling: "closed", epoch: 1, fails: ""},
		{name: "release", with: handled("human", "anna"), changes: []Change{Release{User: anna}},
			handling: "waiting", epoch: 2, events: []string{"handed_off"}},
		{name: "who leaves the team lets what they have wait", with: handled("human", "anna"), changes: []Change{Release{User: anna, Left: true}},
			handling: "waiting", epoch: 2, events: []string{"handed_off"}},
		{name: "who leaves the team leaves what others have", with: handled("human", "ben"), changes: []Change{Release{User: anna, Left: true}},
			handling: "human", epoch: 1},
		{name: "who leaves the team leaves what an agent has", from: running, changes: []Change{Release{User: anna, Left: true}},
			handling: "agent", epoch: 1},
		{name: "a note moves nothing", changes: []Change{TeamNote{anna, "careful"}},
			handling: "agent", epoch: 1, events: []string{"note_added"}},
		{name: "read marks only go forward", with: func(s *state) { s.LastSeq = 3 }, changes: []Change{Seen{Seq: 2}, Seen{Seq: 1}, Seen{Seq: 9}, Seen{By: "anna", Seq: 3}},
			handling: "agent", epoch: 1, events: []string{"read", "read", "read"}},

		{name: "a turn's reply", from: running, changes: []Change{TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}},
			handling: "agent", epoch: 1, said: []string{"agent"}, events: []string{"reply_stored"}, status: "done"},
		{name: "the same end again is ignored", from: running,
			changes:  []Change{TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}, TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}},
			handling: "agent", epoch: 1, said: []string{"agent"}, events: []string{"reply_stored", "duplicate_ignored"}, status: "done"},
		{name: "what came during the turn is asked next", from: running, with: func(s *state) { s.open.ToSeq = 2 },
			changes:  []Change{TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}},
			handling: "agent", epoch: 1, said: []string{"agent"}, events: []string{"reply_stored", "dispatch_queued"}, status: "queued"},
		{name: "several replies", from: running,
			changes:  []Change{TurnReply{TurnRef: held, Said: Said{N: 1, Content: "one"}}, TurnEnd{TurnRef: held, Said: &Said{N: 2, Content: "two"}}},
			handling: "agent", epoch: 1, said: []string{"agent", "agent"}, events: []string{"reply_stored", "reply_stored"}, status: "done"},
		{name: "nobody is talked over", from: running, changes: []Change{TakeOver{anna}, TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}},
			handling: "human", epoch: 2, events: []string{"dispatch_skipped", "human_joined", "reply_suppressed"}, status: "skipped"},
		{name: "not even early", from: running, changes: []Change{TakeOver{anna}, TurnReply{TurnRef: held, Said: Said{N: 1, Content: "hi"}}},
			handling: "human", epoch: 2, events: []string{"dispatch_skipped", "human_joined", "reply_suppressed"}, status: "skipped"},
		{name: "a hand back does not let old words in", from: running, changes: []Change{TakeOver{anna}, HandBack{anna}, TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}},
			handling: "agent", epoch: 3, events: []string{"dispatch_skipped", "human_joined", "handed_back", "dispatch_queued", "reply_suppressed"}, status: "queued"},
		{name: "an epoch that moved on is enough", from: running, with: func(s *state) { s.Epoch = 2 },
			changes: []Change{TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}}, handling: "agent", epoch: 2, events: []string{"reply_suppressed"}},
		{name: "a worker that lost its lease is not heard", from: running, with: func(s *state) { s.open.Token = 8 },
			changes: []Change{TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}}, handling: "agent", epoch: 1, events: []string{"reply_suppressed"}},
		{name: "the agent hands off", from: running, changes: []Change{TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "wait"}, Handoff: "asked"}},
			handling: "waiting", epoch: 2, said: []string{"agent"}, events: []string{"reply_stored", "handed_off"}, status: "done"},
		{name: "an agent that only suggests", from: running, with: func(s *state) { s.agent.suggest = true },
			changes:  []Change{TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}},
			handling: "waiting", epoch: 2, events: []string{"handed_off"}, steps: []string{"suggestion_stored"}, status: "done"},
		{name: "it drafts on while a person has the thread", with: func(s *state) { s.agent.suggest = true; handled("human", "anna")(s) },
			changes: []Change{hello}, handling: "human", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_queued"}, status: "queued"},
		{name: "a draft outlives a change of hands, and takes the thread from nobody", from: running, with: func(s *state) { s.agent.suggest = true },
			changes:  []Change{TakeOver{anna}, TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}, Handoff: "asked"}},
			handling: "human", epoch: 2, events: []string{"human_joined"}, steps: []string{"suggestion_stored"}, status: "done"},
		{name: "a draft for what a person has answered is not wanted", from: running, with: func(s *state) { s.agent.suggest = true; handled("human", "anna")(s) },
			changes:  []Change{PersonReply{User: anna, ClientID: "1", Content: "hi"}, TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}},
			handling: "human", epoch: 1, said: []string{"human"}, events: []string{"reply_stored", "dispatch_skipped", "reply_suppressed"}, status: "skipped"},
		{name: "no draft, and nobody is told that somebody will look", from: running, with: func(s *state) { s.agent.suggest = true; handled("human", "anna")(s) },
			changes:  []Change{TurnFail{TurnRef: held, Reason: "boom", Final: true}},
			handling: "human", epoch: 1, events: []string{"dispatch_dead"}, steps: []string{"turn_failed"}, status: "dead"},
		{name: "closing ends a draft, too", from: running, with: func(s *state) { s.agent.suggest = true; handled("human", "anna")(s) },
			changes: []Change{Close{anna}}, handling: "closed", epoch: 2, events: []string{"dispatch_skipped", "closed"}, status: "skipped"},

		{name: "a failed turn is tried again", from: running, changes: []Change{TurnFail{TurnRef: held, Reason: "boom", RetryIn: time.Second}},
			handling: "agent", epoch: 1, steps: []string{"turn_failed", "retry_scheduled"}, status: "queued"},
		{name: "the last attempt ends in a dead letter", from: running, with: func(s *state) { s.open.Attempts = 3 },
			changes:  []Change{TurnFail{TurnRef: held, Reason: "boom", RetryIn: time.Second}},
			handling: "waiting", epoch: 2, said: []string{"system"}, events: []string{"dispatch_dead", "reply_stored", "handed_off"}, steps: []string{"turn_failed"}, status: "dead"},
		{name: "so does a failure that trying again cannot mend", from: running, changes: []Change{TurnFail{TurnRef: held, Reason: "boom", Final: true}},
			handling: "waiting", epoch: 2, said: []string{"system"}, events: []string{"dispatch_dead", "reply_stored", "handed_off"}, steps: []string{"turn_failed"}, status: "dead"},
		{name: "an attempt at an agent that is away does not count", from: running, with: func(s *state) { s.open.Attempts = 3 },
			changes:  []Change{TurnFail{TurnRef: held, Reason: "boom", Away: true}},
			handling: "agent", epoch: 1, steps: []string{"turn_failed", "retry_scheduled"}, status: "queued"},
		{name: "but nobody waits for it longer than a day", from: running, with: func(s *state) { s.open.Attempts = 3; s.open.FirstAt = noon.Add(-25 * time.Hour) },
			changes:  []Change{TurnFail{TurnRef: held, Reason: "boom", Away: true}},
			handling: "waiting", epoch: 2, said: []string{"system"}, events: []string{"dispatch_dead", "reply_stored", "handed_off"}, steps: []string{"turn_failed"}, status: "dead"},
		{name: "attempts that would take too long are given up", from: running, with: func(s *state) { s.agent.giveUp = time.Minute; s.open.TriedAt = noon.Add(-55 * time.Second) },
			changes:  []Change{TurnFail{TurnRef: held, Reason: "boom", RetryIn: 6 * time.Second}},
			handling: "waiting", epoch: 2, said: []string{"system"}, events: []string{"dispatch_dead", "reply_stored", "handed_off"}, steps: []string{"turn_failed"}, status: "dead"},
		{name: "what waited a day for its agent is given up", from: running,
			with:     func(s *state) { s.open.Status = domain.DispatchQueued; s.open.FirstAt = noon.Add(-25 * time.Hour) },
			changes:  []Change{GiveUp{"dispatch"}, GiveUp{"dispatch"}},
			handling: "waiting", epoch: 2, said: []string{"system"}, events: []string{"dispatch_dead", "reply_stored", "handed_off"}, status: "dead"},
		{name: "what waited less is not", from: running, with: func(s *state) { s.open.Status = domain.DispatchQueued },
			changes: []Change{GiveUp{"dispatch"}}, handling: "agent", epoch: 1},
		{name: "a line nobody was asked to answer is", with: func(s *state) { s.LastSeq, s.LastInbound = 2, 2 }, changes: []Change{Missed{}, Missed{}},
			handling: "agent", epoch: 1, events: []string{"dispatch_queued"}, status: "queued"},
		{name: "nobody has come", with: handled("waiting", ""), changes: []Change{due(-time.Second), Waited{}, Waited{}},
			handling: "waiting", epoch: 1, said: []string{"system"}, events: []string{"reply_stored"}},
		{name: "somebody may still come", with: handled("waiting", ""), changes: []Change{due(time.Second), Waited{}}, handling: "waiting", epoch: 1},
		{name: "somebody came", changes: []Change{AskForPerson{}, TakeOver{anna}, due(0), Waited{}}, handling: "human", epoch: 3, events: []string{"handed_off", "human_joined"}},
		{name: "an agent that keeps somebody waiting is not alone any more, and still answers", from: running, with: func(s *state) { s.open.FirstAt = noon.Add(-time.Hour) },
			changes:  []Change{Waited{}, Waited{}, TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "hi"}}, Waited{}},
			handling: "agent", epoch: 1, said: []string{"agent"}, events: []string{"handed_off", "reply_stored"}, status: "done"},
		{name: "nor is whoever waits told nothing", from: running, with: func(s *state) { s.open.FirstAt = noon.Add(-time.Hour) },
			changes:  []Change{Waited{}, due(-time.Second), Waited{}, Waited{}},
			handling: "agent", epoch: 1, said: []string{"system"}, events: []string{"handed_off", "reply_stored"}},
		{name: "where only people answer", with: func(s *state) { s.agent = agentState{} }, changes: []Change{hello, due(-time.Second), Waited{}, Waited{}},
			handling: "agent", epoch: 1, said: []string{"visitor", "system"}, events: []string{"message_received>dispatch_skipped:no_agent", "reply_stored"}},
		{name: "a person who writes ends the waiting", with: func(s *state) { s.agent = agentState{} }, changes: []Change{hello, PersonReply{User: anna, ClientID: "1", Content: "hi"}, Waited{}},
			handling: "human", epoch: 2, said: []string{"visitor", "human"}, events: []string{"message_received>dispatch_skipped:no_agent", "human_joined", "reply_stored"}},
		{name: "trying again after a dead letter", from: running, changes: []Change{TurnFail{TurnRef: held, Reason: "boom", Final: true}, Retry{anna}, Retry{anna}},
			handling: "agent", epoch: 3, said: []string{"system"}, events: []string{"dispatch_dead", "reply_stored", "handed_off", "handed_back", "dispatch_queued"},
			steps: []string{"turn_failed"}, status: "queued"},
		{name: "a person's thread is not taken from them", with: func(s *state) { handled("human", "anna")(s); s.LastSeq, s.LastInbound = 1, 1 }, changes: []Change{Retry{ben}},
			handling: "human", epoch: 1},
		{name: "handing back after a dead letter tries again", from: running, changes: []Change{TurnFail{TurnRef: held, Reason: "boom", Final: true}, HandBack{anna}},
			handling: "agent", epoch: 3, said: []string{"system"}, events: []string{"dispatch_dead", "reply_stored", "handed_off", "handed_back", "dispatch_queued"},
			steps: []string{"turn_failed"}, status: "queued"},
		{name: "half an answer is not said again", from: running, with: func(s *state) { s.open.Replies = 1 }, changes: []Change{TurnFail{TurnRef: held, Reason: "boom"}},
			handling: "agent", epoch: 1, steps: []string{"turn_failed"}, status: "done"},
		{name: "a failure nobody waits for", from: running, changes: []Change{TakeOver{anna}, TurnFail{TurnRef: held, Reason: "boom"}},
			handling: "human", epoch: 2, events: []string{"dispatch_skipped", "human_joined"}, steps: []string{"turn_failed"}, status: "skipped"},
		{name: "half an answer handed back at shutdown leaves no line behind", from: running, with: func(s *state) { s.open.Replies, s.open.ToSeq = 1, 2 },
			changes: []Change{TurnRelease{TurnRef: held}}, handling: "agent", epoch: 1, events: []string{"dispatch_queued"}, status: "queued"},
		{name: "a question wants a turn of its own", changes: []Change{Question{Line: hello}},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_queued"}, status: "queued"},
		{name: "a question during a turn is refused", from: running, changes: []Change{Question{Line: hello}},
			handling: "agent", epoch: 1, fails: domain.CodeTurnInProgress},
		{name: "a question that is there already is no other one", changes: []Change{Question{Line: hello}, Question{Line: hello}},
			handling: "agent", epoch: 1, said: []string{"visitor"}, events: []string{"message_received>dispatch_queued", "duplicate_ignored"}, status: "queued"},
		{name: "who is of the team asks an agent again that could not go on", with: handled("waiting", ""),
			changes: []Change{Question{Line: hello, Again: true}}, handling: "agent", epoch: 2,
			said: []string{"visitor"}, events: []string{"message_received>dispatch_queued"}, status: "queued"},
		{name: "a visitor does not", with: handled("waiting", ""), changes: []Change{Question{Line: hello}}, handling: "waiting", epoch: 1,
			said: []string{"visitor"}, events: []string{"message_received>dispatch_skipped:human_handling"}},
		{name: "a turn is cancelled, and what it still says does not count", from: running,
			changes:  []Change{CancelTurn{Seq: 1}, TurnEnd{TurnRef: held, Said: &Said{N: 1, Content: "late"}}},
			handling: "agent", epoch: 1, events: []string{"dispatch_skipped", "reply_suppressed"}, status: "skipped"},
		{name: "a turn handed back at shutdown", from: running, changes: []Change{TurnRelease{TurnRef: held}},
			handling: "agent", epoch: 1, status: "queued"},
		{name: "a turn whose guards fell", from: running, changes: []Change{TurnSkip{held, domain.SkipTriggerOff}},
			handling: "agent", epoch: 1, events: []string{"dispatch_skipped"}, status: "skipped"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := quiet()
			if tt.from != nil {
				s = tt.from()
			}
			if tt.with != nil {
				tt.with(s)
			}
			var w rows
			var err error
			for i, c := range tt.changes {
				if _, err = decide(s, &w, c); err != nil && i < len(tt.changes)-1 {
					t.Fatal(err)
				}
			}
			if domain.CodeOf(err) != tt.fails {
				t.Errorf("fails with %v, want code %q", err, tt.fails)
			}
			if s.Handling != tt.handling || s.Epoch != tt.epoch {
				t.Errorf("handled by %s in epoch %d, want %s in %d", s.Handling, s.Epoch, tt.handling, tt.epoch)
			}
			same(t, "said by", column(w.messages, func(m *domain.Message) string { return string(m.Author.Kind) }), tt.said)
			same(t, "events", column(w.events, kindOf), tt.events)
			same(t, "steps", column(w.steps, func(s step) string { return string(s.kind) }), tt.steps)
			var status domain.DispatchStatus
			if n := len(w.dispatches); n > 0 {
				status = w.dispatches[n-1].Status
			}
			if status != tt.status {
				t.Errorf("last dispatch is %q, want %q", status, tt.status)
			}
			checkRows(t, s, &w)
		})
	}
}

// checkRows holds what is true of any batch.
func checkRows(t *testing.T, s *state, w *rows) {
	t.Helper()
	for i, m := range w.messages {
		if want := s.LastSeq - int64(len(w.messages)-1-i); m.Seq != want {
			t.Errorf("message %d has seq %d, want %d", i, m.Seq, want)
		}
	}
	open := 0
	for _, d := range w.dispatches {
		if d.Status == domain.DispatchQueued || d.Status == domain.DispatchRunning {
			open++
		}
	}
	if open > 1 {
		t.Errorf("%d open dispatches", open)
	}
	if s.open != nil && s.Handling != domain.HandlingAgent && !s.drafts() {
		t.Errorf("a dispatch is open while the thread is handled by %s", s.Handling)
	}
	keys := map[eventKey]bool{}
	for _, e := range w.events {
		if keys[e.eventKey] && e.kind != string(domain.DuplicateIgnored) {
			t.Errorf("two events with key %v", e.eventKey)
		}
		keys[e.eventKey] = true
	}
}

func kindOf(e event) string {
	led, ok := e.detail.(received)
	switch {
	case !ok:
		return e.kind
	case led.Reason != "":
		return fmt.Sprintf("%s>%s:%s", e.kind, led.Routing, led.Reason)
	}
	return e.kind + ">" + string(led.Routing)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) && len(got)+len(want) > 0 {
		t.Errorf("%s %v, want %v", what, got, want)
	}
}

func TestSettle(t *testing.T) {
	s := quiet()
	var w rows
	at := func(ms int, id string) time.Time {
		s.now = noon.Add(time.Duration(ms) * time.Millisecond)
		out, err := decide(s, &w, Line{SessionID: "session", ClientID: id, Content: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return out.Due
	}
	for _, tt := range []struct{ at, due int }{{0, 800}, {500, 1300}, {1200, 2000}, {2000, 2800}, {2700, 3000}} {
		if got, want := at(tt.at, fmt.Sprint(tt.at)), noon.Add(time.Duration(tt.due)*time.Millisecond); !got.Equal(want) {
			t.Errorf("a line at %d ms is due at %v, want %v", tt.at, got.Sub(noon), want.Sub(noon))
		}
	}
	s.open.Attempts, s.open.DueAt = 1, noon.Add(time.Minute)
	if got := at(2900, "later"); !got.Equal(noon.Add(time.Minute)) {
		t.Errorf("a line shortened a retry's wait to %v", got.Sub(noon))
	}
}

func TestCancelTurn(t *testing.T) {
	for _, seq := range []int64{0, 1} {
		s := running()
		var w rows
		out, err := decide(s, &w, CancelTurn{Seq: seq})
		if err != nil || out.Stopped != "dispatch" || s.Answered != 1 || w.dispatches[0].SkipReason != domain.SkipCancelled {
			t.Errorf("seq %d: %+v, %v, answered %d", seq, out, err, s.Answered)
		}
		if out, err := decide(s, &w, Question{Line: hello}); err != nil || !out.Due.Equal(noon) || out.Stopped != "" {
			t.Errorf("the next question: %+v, %v", out, err)
		}
	}
	for name, s := range map[string]*state{"another line's": running(), "nobody's": quiet()} {
		var w rows
		if _, err := decide(s, &w, CancelTurn{Seq: 7}); domain.KindOf(err) != domain.Conflict || len(w.events)+len(w.dispatches) > 0 {
			t.Errorf("%s turn: %v, wrote %+v", name, err, w)
		}
	}
	s := running()
	s.open.Status = domain.DispatchQueued
	var w rows
	if out, err := decide(s, &w, CancelTurn{}); err != nil || out.Stopped != "" {
		t.Errorf("nothing runs yet, but %+v is stopped, %v", out, err)
	}
}

// Who answers next cannot change without a new epoch, in whatever order things happen.
func TestEpochRisesWithEveryChangeOfHands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := quiet()
		var w rows
		n := 0
		ref := func() TurnRef {
			if s.open == nil {
				return held
			}
			s.open.Status = domain.DispatchRunning
			return TurnRef{Turn: domain.TurnID(fmt.Sprint("turn", n)), Dispatch: s.open.ID, Token: s.open.Token, Epoch: s.Epoch, ToSeq: s.open.ToSeq, Agent: "agent"}
		}
		moves := map[string]func() Change{
			"say":     func() Change { return Line{SessionID: "session", ClientID: fmt.Sprint(n), Content: "hi"} },
			"ask":     func() Change { return AskForPerson{} },
			"take":    func() Change { return TakeOver{anna} },
			"other":   func() Change { return TakeOver{ben} },
			"write":   func() Change { return PersonReply{User: anna, Content: "hi"} },
			"back":    func() Change { return HandBack{anna} },
			"close":   func() Change { return Close{anna} },
			"release": func() Change { return Release{User: anna} },
			"retry":   func() Change { return Retry{anna} },
			"answer":  func() Change { return TurnEnd{TurnRef: ref(), Said: &Said{N: 1, Content: "hi"}} },
			"tool":    func() Change { return TurnEnd{TurnRef: ref(), Handoff: "asked"} },
			"fail":    func() Change { return TurnFail{TurnRef: ref(), Reason: "boom", Final: true} },
			"wait":    func() Change { return Waited{} },
			"suggest": func() Change { s.agent.suggest = !s.agent.suggest; return Missed{} },
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			n++
			name := rapid.SampledFrom(slices.Sorted(maps.Keys(moves))).Draw(t, "move")
			s.now = s.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 2 * time.Minute}).Draw(t, "pause"))
			was, stale := s.Thread, ref()
			_, err := decide(s, &w, moves[name]())
			moved := s.Handling != was.Handling || s.AssigneeID != was.AssigneeID
			switch {
			case err != nil && (moved || s.Epoch != was.Epoch):
				t.Fatalf("%s failed and moved the thread", name)
			case moved && s.Epoch <= was.Epoch:
				t.Fatalf("%s: %s became %s in epoch %d", name, was.Handling, s.Handling, s.Epoch)
			case s.Epoch < was.Epoch:
				t.Fatalf("%s lowered the epoch", name)
			}
			if moved { // what was worked out before must not be said now
				said := len(w.messages)
				if _, err := decide(s, &w, TurnEnd{TurnRef: stale, Said: &Said{N: 9, Content: "late"}}); err != nil || len(w.messages) != said {
					t.Fatalf("a late reply was said after %s", name)
				}
			}
		}
	})
}
