package agent

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// Only what was really found in a turn can be vouched for, whatever the wording of a citation claims.
func TestRetrievalVouches(t *testing.T) {
	t.Parallel()
	rt, err := New(builtinAgent(`{}`), Deps{Knowledge: &shelf{articles: []domain.Passage{returns, hours}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, found := Retrieving(t.Context())
	if _, err := rt.Turn(ctx, chat("?: How do returns work?"), &tape{}); err != nil {
		t.Fatal(err)
	}
	good, bad := found.Vouch([]domain.Citation{
		{Title: returns.Title, URL: returns.URL, Snippet: "in its own words", External: true},
		{Title: returns.Title, URL: "https://elsewhere.example"},
		{Title: "Made up", URL: returns.URL},
		{Title: hours.Title, URL: hours.URL}, // it exists, but nothing found it
	})
	if len(good) != 1 || good[0].Title != returns.Title || good[0].External || len(bad) != 3 {
		t.Errorf("good %+v, bad %+v", good, bad)
	}
	if ps, asked, _ := found.Latest(); asked == "" || len(ps) != 1 || ps[0].Title != returns.Title || ps[0].Confidence != 0.4 {
		t.Errorf("latest %+v", ps)
	}
	var none *Retrieval
	if good, bad := none.Vouch([]domain.Citation{{Title: "A"}}); len(good) != 0 || len(bad) != 1 {
		t.Errorf("without a search: %v, %v", good, bad)
	}
}

func TestBuiltinOffersAPersonBelowItsConfidence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		config  string
		answers bool
	}{{`{}`, true}, {`{"min_confidence":0.4}`, true}, {`{"min_confidence":0.41}`, false}, {`{"min_confidence":0}`, true}, {`{"min_confidence":1}`, false}} {
		rt, err := New(builtinAgent(tt.config), Deps{Knowledge: &shelf{articles: []domain.Passage{returns}}})
		if err != nil {
			t.Fatal(err)
		}
		sink := &tape{}
		res, err := rt.Turn(t.Context(), chat("?: How do returns work?"), sink)
		if err != nil || res.Reply == nil {
			t.Fatalf("%+v, %v", res, err)
		}
		if answered := len(res.Reply.Citations) == 1; answered != tt.answers || !answered && !strings.Contains(res.Reply.Content, "person") {
			t.Errorf("%s: %q", tt.config, res.Reply.Content)
		}
		var config domain.BuiltinConfig
		config.MinConfidence = domain.DefaultMinConfidence
		_ = json.Unmarshal([]byte(tt.config), &config)
		last := sink.steps[len(sink.steps)-1].Detail
		if last["confidence"] != 0.4 || last["min_confidence"] != config.MinConfidence {
			t.Errorf("%s: on record %v", tt.config, last)
		}
	}
}

// A question that was understood otherwise than it was written is answered as it was understood.
func TestBuiltinAnswersWhatWasMeant(t *testing.T) {
	t.Parallel()
	meant := returns
	meant.Query = "how do returns work"
	rt, err := New(builtinAgent(`{}`), Deps{Knowledge: always{meant}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := rt.Turn(t.Context(), chat("?: how do rretunrs woork with xyzzyx frobnitz"), &tape{})
	if err != nil || len(res.Reply.Citations) != 1 {
		t.Errorf("%+v, %v", res.Reply, err)
	}
}

// always finds the same.
type always []domain.Passage

func (a always) Search(context.Context, domain.OrgID, string, int) ([]domain.Passage, error) {
	return a, nil
}
