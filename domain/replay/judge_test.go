package replay_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/replay"
)

var caseOf = regexp.MustCompile(`\\"case\\":\\"([A-Z2-7]+)\\"`)

// A judge's word counts only in the one form it was asked for; anything else leaves a changed answer a regression.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	bea := w.agent("Bea", newModel(t, func(string) (string, []string) { return "Good morning", nil }))
	for _, tt := range []struct {
		name, says string
		want       domain.Verdict
	}{
		{"equivalent", `{"case":"CASE","equivalent":true,"reason":"the same"}`, domain.VerdictEquivalent},
		{"different", ` {"case":"CASE","equivalent":false,"reason":"another fact"} `, domain.VerdictDifferent},
		{"prose", `Yes, they are equivalent.`, domain.VerdictUnclear},
		{"prose around it", `Sure: {"case":"CASE","equivalent":true,"reason":"the same"}`, domain.VerdictUnclear},
		{"a code fence", "```json\n{\"case\":\"CASE\",\"equivalent\":true,\"reason\":\"the same\"}\n```", domain.VerdictUnclear},
		{"two verdicts", `{"case":"CASE","equivalent":true,"reason":"a"}{"case":"CASE","equivalent":true,"reason":"a"}`, domain.VerdictUnclear},
		{"another case", `{"case":"OTHER","equivalent":true,"reason":"the same"}`, domain.VerdictUnclear},
		{"no case", `{"equivalent":true,"reason":"the same"}`, domain.VerdictUnclear},
		{"no reason", `{"case":"CASE","equivalent":true}`, domain.VerdictUnclear},
		{"a word for a truth", `{"case":"CASE","equivalent":"true","reason":"the same"}`, domain.VerdictUnclear},
		{"more than was asked", `{"case":"CASE","equivalent":true,"reason":"a","confidence":1}`, domain.VerdictUnclear},
		{"a list", `[{"case":"CASE","equivalent":true,"reason":"a"}]`, domain.VerdictUnclear},
		{"nothing", ` `, domain.VerdictUnclear},
	} {
		m := newModel(t, func(asked string) (string, []string) {
			found := caseOf.FindStringSubmatch(asked)
			if found == nil {
				t.Errorf("no case in %s", asked)
				return "", nil
			}
			return strings.ReplaceAll(tt.says, "CASE", found[1]), nil
		})
		turn := w.replayed(replay.Order{AgentID: bea, JudgeID: w.agent("Judge", m)}).Turns[0]
		if turn.Verdict != tt.want || turn.Regressed() != (tt.want != domain.VerdictEquivalent) || turn.Reason == "" {
			t.Errorf("%s: %+v", tt.name, turn)
		}
		if !strings.Contains(m.heard(), "Good morning") || strings.Contains(m.heard(), string(w.Thread)) {
			t.Errorf("%s: the judge heard %s", tt.name, m.heard())
		}
	}
}

// Where nothing has changed, nobody is asked.
func TestSameAnswersNeedNoJudge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	m := newModel(t, func(string) (string, []string) { return "", nil })
	if r := w.replayed(replay.Order{JudgeID: w.agent("Judge", m)}); outcomes(r) != "same" || m.heard() != "" {
		t.Errorf("%+v, asked %q", r.Turns, m.heard())
	}
}
