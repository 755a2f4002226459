package views

import (
	"fmt"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// stretch is a run of happenings of one turn, or of none.
type stretch struct {
	id    string
	turn  *turnSum // nil: outside of any turn
	again bool     // the turn began further up, and something else happened meanwhile
	items []happening
}

// turnSum is what a turn came to, as far as the items tell.
type turnSum struct {
	attempt      int
	agent        string
	outcome      string
	tone         ui.Tone
	tookMS       float64
	tokens, cost float64
	weight       int // of what decided the outcome
}

// title names the turn.
func (t turnSum) title() string {
	if t.attempt == 0 {
		return "An attempt"
	}
	return fmt.Sprintf("Attempt %d", t.attempt)
}

// sum is what it took, in time and money.
func (t turnSum) sum() string {
	var parts []string
	if t.tookMS > 0 {
		parts = append(parts, millis(t.tookMS))
	}
	if t.tokens > 0 {
		parts = append(parts, fmt.Sprintf("%.0f tokens", t.tokens))
	}
	if t.cost > 0 {
		parts = append(parts, fmt.Sprintf("$%.4f", t.cost))
	}
	return strings.Join(parts, " · ")
}

// stretches groups what the record tells by turn, in the order in which it happened.
func (r Record) stretches() []stretch {
	sums := r.turnSums()
	var out []stretch
	seen := map[domain.TurnID]int{}
	for _, h := range r.happenings() {
		if draftDone(h.kind) {
			h.turn = "" // a person did that, later
		}
		if n := len(out); n == 0 || h.turn != out[n-1].items[0].turn {
			s := stretch{id: "after-" + h.id}
			if h.turn != "" {
				seen[h.turn]++
				s.id, s.turn, s.again = fmt.Sprintf("turn-%s-%d", h.turn, seen[h.turn]), sums[h.turn], seen[h.turn] > 1
			}
			out = append(out, s)
		} else if h.opens && h.turn == "" {
			out = append(out, stretch{id: "after-" + h.id})
		}
		last := &out[len(out)-1]
		last.items = append(last.items, h)
	}
	return out
}

// draftDone reports whether a kind tells what a person did with a turn's draft.
func draftDone(k domain.TimelineKind) bool {
	return k == domain.SuggestionUsed || k == domain.SuggestionEdited || k == domain.SuggestionGone
}

// turnSums is what became of each turn that the items tell of.
func (r Record) turnSums() map[domain.TurnID]*turnSum {
	sums := map[domain.TurnID]*turnSum{}
	for _, i := range r.Items {
		if i.TurnID == "" || draftDone(i.Kind) {
			continue
		}
		t := sums[i.TurnID]
		if t == nil {
			t = &turnSum{outcome: "Ended", tone: ui.Neutral}
			sums[i.TurnID] = t
		}
		f := detail(i)
		switch i.Kind {
		case domain.TurnStarted:
			t.attempt, t.agent, t.tookMS = int(f.number("attempt")), agentName(f), f.number("took_ms")
			switch f.text("status") {
			case "running":
				t.decide(1, "Under way", ui.Violet)
			case "lost":
				t.decide(2, "Lost", ui.Red)
			case "failed":
				t.decide(2, "Failed", ui.Red)
			case "suppressed":
				t.decide(2, "Came too late", ui.Amber)
			}
		case domain.ModelCall:
			t.tokens, t.cost = t.tokens+f.number("prompt_tokens")+f.number("completion_tokens"), t.cost+f.number("cost_usd")
		case domain.ReplyStored:
			t.decide(4, "Answered", ui.Green)
		case domain.SuggestionStored:
			t.decide(4, "Drafted", ui.Violet)
		case domain.HandedOff:
			t.decide(3, "Asked for a person", ui.Amber)
		case domain.TurnFailure:
			t.decide(5, "Failed", ui.Red)
		case domain.DispatchDied:
			t.decide(6, "Gave up", ui.Red)
		case domain.ReplySuppressed:
			t.decide(7, "Came too late", ui.Amber)
		}
	}
	return sums
}

// decide says what a turn came to, unless something weightier has.
func (t *turnSum) decide(weight int, outcome string, tone ui.Tone) {
	if weight > t.weight {
		t.weight, t.outcome, t.tone = weight, outcome, tone
	}
}
