package views

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// ReplayForm is the page on which a thread's replay is ordered, and the thread made golden. Its form's fields are agent_id,
// instructions, instructions_of, model, judge_agent_id and drift; those of the golden one note_SEQ.
type ReplayForm struct {
	Frame  Frame
	Thread domain.ThreadID
	Tape   domain.Tape // of the golden thread, if it is one
	Golden bool
	Agents []domain.Agent
	Past   []domain.Replay // the newest first
	Form   ui.Form
	Notes  ui.Form
}

// may reports whether whoever looks may set things up and spend money.
func (f Frame) may() bool { return f.User.Role == domain.RoleOwner }

// models reports whether any agent has instructions that could be others.
func (p ReplayForm) models() bool {
	for _, a := range p.Agents {
		if a.Kind == domain.AgentOpenAI {
			return true
		}
	}
	return false
}

// answered are the exchanges in which an agent answered.
func (p ReplayForm) answered() (xs []domain.Exchange) {
	for _, x := range p.Tape.Exchanges {
		if x.Turn != "" {
			xs = append(xs, x)
		}
	}
	return xs
}

// NoteField is the name of the field for what is expected of the answer to the lines up to a seq.
func NoteField(seq int64) string { return "note_" + strconv.FormatInt(seq, 10) }

func agentOptions(agents []domain.Agent, none string) (os []ui.Option) {
	if none != "" {
		os = append(os, ui.Option{Label: none})
	}
	for _, a := range agents {
		label := a.Name + " (" + KindName(a.Kind) + ")"
		if !a.Enabled {
			label += ", switched off"
		}
		os = append(os, ui.Option{Value: string(a.ID), Label: label})
	}
	return os
}

// ReplayResult is the page of one replay, then and now side by side.
type ReplayResult struct {
	Frame  Frame
	Replay domain.Replay
}

func (p ReplayResult) url() string { return "/replays/" + string(p.Replay.ID) }

// replayState is where a replay stands, in a word and a colour.
func replayState(r domain.Replay) (ui.Tone, string) {
	s := r.Sum()
	switch {
	case r.Status == domain.ReplayQueued:
		return ui.Amber, "Waiting"
	case r.Status == domain.ReplayRunning:
		return ui.Accent, "Running"
	case r.Status == domain.ReplayFailed:
		return ui.Red, "Stopped"
	case s.Regressions > 0:
		return ui.Red, plural(s.Regressions, "regression", "regressions")
	case s.Changed > 0:
		return ui.Green, "As good as before"
	}
	return ui.Green, "Nothing changed"
}

// replayFacts are the counts of a replay in words.
func replayFacts(r domain.Replay) (facts []string) {
	s := r.Sum()
	add := func(n int, word string) {
		if n > 0 {
			facts = append(facts, number(n)+" "+word)
		}
	}
	if !r.Status.Over() {
		facts = append(facts, fmt.Sprintf("%d of %s", s.Answers, plural(r.Answers, "answer", "answers")))
	}
	add(s.Same, "the same")
	add(s.Changed, "changed")
	add(s.Equivalent, "as good")
	add(s.Failed, "failed")
	add(s.New, "new")
	if s.MS > 0 {
		facts = append(facts, millis(s.MS))
	}
	if s.CostUSD > 0 {
		facts = append(facts, fmt.Sprintf("$%.4f", s.CostUSD))
	}
	return facts
}

// setUp says how a replay was made differently from the turns it repeats.
func setUp(r domain.Replay) (how []string) {
	o := r.Override
	if o.Instructions != nil {
		how = append(how, "other instructions")
	}
	if o.Model != nil {
		how = append(how, "model "+*o.Model)
	}
	if o.Temperature != nil {
		how = append(how, fmt.Sprintf("temperature %g", *o.Temperature))
	}
	if o.Greeting != nil {
		how = append(how, "another greeting")
	}
	if o.MinConfidence != nil {
		how = append(how, fmt.Sprintf("confidence %g", *o.MinConfidence))
	}
	if r.Drift {
		how = append(how, "each answer sees the new ones before it")
	}
	if r.GoldenID != "" {
		how = append(how, "as it was when it became golden")
	}
	return how
}

func turnState(t domain.ReplayTurn) (ui.Tone, string) {
	switch {
	case t.Outcome == domain.AnswerFailed:
		return ui.Red, "Failed"
	case t.Outcome == domain.AnswerNew:
		return ui.Neutral, "New"
	case t.Outcome == domain.AnswerSame:
		return ui.Green, "Same"
	case t.Verdict == domain.VerdictEquivalent:
		return ui.Green, "Changed, as good"
	case t.Verdict == domain.VerdictUnclear:
		return ui.Amber, "Changed, unclear"
	}
	return ui.Red, "Changed"
}

func turnFacts(t domain.ReplayTurn) string {
	facts := []string{millis(t.MS)}
	if n := t.PromptTokens + t.CompletionTokens; n > 0 {
		facts = append(facts, plural(n, "token", "tokens"))
	}
	if t.CostUSD > 0 {
		facts = append(facts, fmt.Sprintf("$%.4f", t.CostUSD))
	}
	if t.Recorded > 0 {
		facts = append(facts, plural(t.Recorded, "lookup from the record", "lookups from the record"))
	}
	if t.Live > 0 {
		facts = append(facts, plural(t.Live, "lookup in today’s articles", "lookups in today’s articles"))
	}
	if t.Withheld > 0 {
		facts = append(facts, plural(t.Withheld, "action called off", "actions called off"))
	}
	return strings.Join(facts, " · ")
}

// side is what of a difference stands on one side: what both share, and what only that side has.
func side(all []change, kind rune) (out []change) {
	for _, c := range all {
		if c.kind == ' ' || c.kind == kind {
			out = append(out, c)
		}
	}
	return out
}

// thenBy is who said what was said.
func thenBy(a domain.Answer) string {
	switch {
	case a.By == domain.AuthorHuman:
		return "Then, by a person"
	case a.Draft:
		return "Then, as a draft"
	}
	return "Then"
}

// GoldenList is the page of the golden threads. Its form's fields are agent_id and judge_agent_id.
type GoldenList struct {
	Frame  Frame
	Rows   []GoldenRow
	Agents []domain.Agent
	Form   ui.Form
}

// GoldenRow is one of them with its last replay, if there was any.
type GoldenRow struct {
	Golden domain.Golden
	Last   *domain.Replay
}

// running reports whether any result is still to come.
func (p GoldenList) running() bool {
	for _, r := range p.Rows {
		if r.Last != nil && !r.Last.Status.Over() {
			return true
		}
	}
	return false
}

// title is how one recognises a conversation: by how it began.
func (r GoldenRow) title() string {
	for _, x := range r.Golden.Tape.Exchanges {
		if asked := strings.Join(strings.Fields(r.Golden.Tape.Asked(x)), " "); asked != "" {
			if runes := []rune(asked); len(runes) > 90 {
				return string(runes[:90]) + "…"
			}
			return asked
		}
	}
	return "A conversation"
}

// url leads to the last result, or to where the thread is marked.
func (r GoldenRow) url() string {
	if r.Last != nil {
		return "/replays/" + string(r.Last.ID)
	}
	return "/threads/" + string(r.Golden.ThreadID) + "/replay"
}

// replayOf is where the replays of the thread are whose page is at an address.
func replayOf(talk string) string {
	path, _, _ := strings.Cut(talk, "?")
	return path + "/replay"
}
