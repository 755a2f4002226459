package replay_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/domain/replay"
)

// The record answers searches: an article that has changed, or is gone, changes no answer, while a search that was never made looks
// at what there is now.
func TestSearchesAreAnsweredFromTheRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// longer than the snippet that the record has of it
	w.article("Delivery", "Delivery takes three days within the country."+strings.Repeat(" Every parcel has a number by which delivery can be followed on its way.", 6))
	w.says("How long does delivery take?", 1)
	w.eventually("the article's text to be kept", func() bool {
		var n int
		w.sql(`SELECT count(*) FROM passage_texts`, &n)
		return n == 1
	})
	w.article("Delivery", "Delivery takes nine weeks within the country.")
	r := w.replayed(replay.Order{})
	if outcomes(r) != "same" || r.Turns[0].Recorded == 0 || r.Turns[0].Live != 0 || !strings.Contains(r.Turns[0].Now.Text(), "three days") {
		t.Fatalf("%+v", r.Turns)
	}
	w.sql(`UPDATE turn_steps SET detail = '{}' WHERE kind = 'tool_result'`, nil)
	r = w.replayed(replay.Order{})
	if outcomes(r) != "changed" || r.Turns[0].Live == 0 || !strings.Contains(r.Turns[0].Now.Text(), "nine weeks") {
		t.Fatalf("without a record: %+v", r.Turns)
	}
}

// hostile is a model that does all it can.
func hostile(asked string) (string, []string) {
	if strings.Contains(asked, `"role":"tool"`) {
		return "", []string{"hand_off_to_human", `{"reason":"because"}`}
	}
	return "", []string{
		"set_contact_details", `{"name":"Mallory","email":"mallory@evil.example","phone":"+351 123456789"}`,
		"search_knowledge", `{"query":"delivery"}`,
		"delete_everything", `{}`,
		"send_webchat_reply", `{"content":"Hello from the replay"}`,
	}
}

// Nothing of a replay reaches anybody, whatever its model tries: not the thread, not the contact, not whoever listens.
func TestReplayReachesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	m := newModel(t, hostile)
	evil := w.agent("Evil", m)
	w.eventually("that the first agent does well is noted too", func() bool {
		var noted int
		w.sql(`SELECT count(*) FROM agent_health`, &noted)
		return noted == 1
	})
	before := w.everything()

	heard := w.listen()
	r := w.replayed(replay.Order{AgentID: evil})
	turn := r.Turns[0]
	if turn.Outcome != domain.AnswerChanged || turn.Now.Text() != "Hello from the replay" || turn.Now.Handoff == "" || turn.Withheld != 1 {
		t.Fatalf("the model did not get to try: %+v", turn)
	}
	w.relay.Hint(relay.Hint{Thread: w.Thread, Kind: relay.Typing, On: true, Author: domain.Author{Kind: domain.AuthorVisitor, Name: "the end"}})
	for over := false; !over; { // whatever the replay had let through came before
		select {
		case u := <-heard:
			if over = u.Hint != nil && u.Hint.Author.Name == "the end"; !over {
				t.Errorf("somebody heard %+v", u)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nobody was listening")
		}
	}
	if after := w.everything(); after != before {
		t.Errorf("the replay has changed\n%s\nwhich was\n%s", after, before)
	}
	for _, secret := range []string{string(w.Thread), string(w.Contact), string(w.Session.ID)} {
		if strings.Contains(m.heard(), secret) {
			t.Errorf("the model was told %s", secret)
		}
	}
	if !strings.Contains(m.heard(), "not executed in a replay") {
		t.Errorf("the model was not told that nothing was kept: %s", m.heard())
	}
}

// listen is what a visitor's socket hears of the thread from now on, but for how it stands to begin with.
func (w *world) listen() <-chan relay.Update {
	heard, ready := make(chan relay.Update, 100), make(chan struct{})
	go func() {
		for u, err := range w.relay.Follow(w.Context(), w.Org, w.Thread, int64(len(w.lines()))) {
			switch {
			case err != nil:
			case u.Standing != nil && ready != nil:
				close(ready)
				ready = nil
			default:
				heard <- u
			}
		}
	}()
	<-ready
	return heard
}

// everything is what there is of the organisation besides its replays and its spending.
func (w *world) everything() string {
	w.Helper()
	var all string
	for _, table := range []string{"threads", "messages", "events", "dispatches", "turns", "turn_steps", "contacts", "sessions", "deliveries", "agent_health"} {
		var rows string
		w.sql(`SELECT coalesce(jsonb_agg(to_jsonb(x) ORDER BY to_jsonb(x)::text), '[]')::text FROM `+table+` x WHERE org_id = ?`, &rows, w.Org)
		all += table + rows + "\n"
	}
	var spent string // no visitor's purse
	w.sql(`SELECT count(*)::text FROM spend_sessions WHERE session IN (?, ?)`, &spent, w.Session.ID, w.Thread)
	return all + spent
}

// An answer is compared with what was said to the same words after the same history; with drift, after the new answers.
func TestHistoryIsWhatWasSaid(t *testing.T) {
	t.Parallel()
	for _, drift := range []bool{false, true} {
		w := newWorld(t)
		w.article("Delivery", "Delivery takes three days within the country.")
		w.says("How long does delivery take?", 1)
		w.says("Hello again", 2)
		m := newModel(t, func(asked string) (string, []string) {
			var q struct {
				Messages []struct{ Role, Content string }
			}
			if err := json.Unmarshal([]byte(asked), &q); err != nil {
				t.Error(err)
			}
			return "said " + q.Messages[len(q.Messages)-1].Content[:1], nil
		})
		r := w.replayed(replay.Order{AgentID: w.agent("Bea", m), Drift: drift})
		if outcomes(r) != "changed changed" || r.Turns[0].Asked != "How long does delivery take?" || r.Turns[1].CostUSD <= 0 || r.Turns[1].PromptTokens != 100 {
			t.Fatalf("%+v", r.Turns)
		}
		second := m.asked[1]
		if strings.Contains(second, "Delivery takes three days") == drift || strings.Contains(second, r.Turns[0].Now.Text()) != drift {
			t.Errorf("drift %v: the second turn saw %s", drift, second)
		}
	}
}

// Lines that no agent answered can be answered now, and are no regression; a failure is one.
func TestNewAndFailedAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	w.sql(`UPDATE threads SET handling = 'human' WHERE id = ?`, nil, w.Thread)
	w.says("Is a person there?", 1)
	r := w.replayed(replay.Order{})
	if outcomes(r) != "same new" || r.Sum().Regressions != 0 {
		t.Fatalf("%+v", r.Turns)
	}
	broken := newModel(t, func(string) (string, []string) { return "", nil })
	r = w.replayed(replay.Order{AgentID: w.agent("Mute", broken)})
	if outcomes(r) != "failed failed" || r.Sum().Regressions != 2 || r.Turns[0].Error == "" {
		t.Fatalf("%+v", r.Turns)
	}
}

// Where an agent talks to and with what key are not a replay's to choose.
func TestOrdersAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	words := "Be brief."
	_, err := w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org})
	refused(t, err, domain.Invalid, "thread")
	w.says("Hello", 1)
	_, err = w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org, Override: domain.Override{Instructions: &words}})
	refused(t, err, domain.Invalid, "instructions") // the builtin agent has none
	_, err = w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org, AgentID: "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"})
	refused(t, err, domain.Invalid, "agent_id")
	_, err = w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org, JudgeID: "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"})
	refused(t, err, domain.Invalid, "judge_agent_id")
	_, err = w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"})
	refused(t, err, domain.NotFound, "")
	m := newModel(t, func(string) (string, []string) { return "Hi", nil })
	r := w.replayed(replay.Order{AgentID: w.agent("Bea", m), Override: domain.Override{Instructions: &words}})
	if outcomes(r) != "changed" || !strings.Contains(m.heard(), words) {
		t.Errorf("%+v heard %s", r.Turns, m.heard())
	}
}

func refused(t *testing.T, err error, kind domain.Kind, field string) {
	t.Helper()
	var fields map[string]string
	if e, ok := err.(*domain.Error); ok {
		fields = e.Fields
	}
	if domain.KindOf(err) != kind || err == nil || field != "" && fields[field] == "" {
		t.Errorf("refused with %v %v, want %v about %q", err, fields, kind, field)
	}
}

// Replays spend their organisation's money, and stop when there is none.
func TestBudgetEndsAReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	m := newModel(t, func(string) (string, []string) { return "Hi", nil })
	bea := w.agent("Bea", m)
	w.replayed(replay.Order{AgentID: bea})
	if spent, err := w.ledger.SpentToday(t.Context(), w.Org); err != nil || spent <= 0 {
		t.Fatalf("spent %v, %v", spent, err)
	}
	nothing := 0.0
	if err := w.ledger.SetBudgets(t.Context(), w.Org, domain.Budgets{DailyUSD: &nothing}); err != nil {
		t.Fatal(err)
	}
	r, err := w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org, AgentID: bea})
	if err == nil {
		r, err = w.replay.Make(t.Context(), r)
	}
	if err != nil || r.Status != domain.ReplayFailed || !strings.Contains(r.Error, "budget") || len(r.Turns) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// voice is a runtime made of a function.
type voice func(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (agent.Result, error)

func (v voice) Turn(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (agent.Result, error) {
	return v(ctx, r, sink)
}
