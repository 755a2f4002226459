package domain

import "time"

// ReplayStatus is where a replay stands: queued → running → done | failed.
type ReplayStatus string

const (
	ReplayQueued  ReplayStatus = "queued"
	ReplayRunning ReplayStatus = "running"
	ReplayDone    ReplayStatus = "done"
	ReplayFailed  ReplayStatus = "failed" // it could not go on; what it had found by then is kept
)

// Over reports whether nothing more will come.
func (s ReplayStatus) Over() bool { return s == ReplayDone || s == ReplayFailed }

// Replay is a thread answered again, by the same agent, another one or with other instructions.
type Replay struct {
	ID         ReplayID
	OrgID      OrgID
	ThreadID   ThreadID
	GoldenID   GoldenID // empty: of the thread as it was
	AgentID    AgentID  // empty: it is gone
	AgentName  string
	JudgeID    AgentID // empty: nobody judges
	Override   Override
	Drift      bool // later turns see what was said now, not what was said then
	AskedBy    string
	Status     ReplayStatus
	Error      string // of a failed one
	Answers    int    // how many there are to be
	CreatedAt  time.Time
	FinishedAt time.Time // zero: it goes on
	Turns      []ReplayTurn
}

// ReplayTurn is one answer, then and now.
type ReplayTurn struct {
	N                int
	FromSeq, ToSeq   int64
	Asked            string // what the visitor had written
	Then, Now        Answer
	Outcome          ReplayOutcome
	Error            string // of a failed one
	Note             string // what was expected
	Verdict          Verdict
	Reason           string // the judge's
	MS               float64
	PromptTokens     int
	CompletionTokens int
	CostUSD          float64 // with the judge's
	Recorded         int     // tool calls answered from the record
	Live             int     // searches that were not on record
	Withheld         int     // tool calls that would have changed something
}

// ReplayOutcome is how an answer now compares with the one then.
type ReplayOutcome string

const (
	AnswerSame    ReplayOutcome = "same"
	AnswerChanged ReplayOutcome = "changed"
	AnswerFailed  ReplayOutcome = "failed"
	AnswerNew     ReplayOutcome = "new" // no agent had answered then: nothing to compare with
)

// Verdict is what a judge says of a changed answer.
type Verdict string

const (
	VerdictNone       Verdict = "" // nobody was asked
	VerdictEquivalent Verdict = "equivalent"
	VerdictDifferent  Verdict = "different"
	VerdictUnclear    Verdict = "unclear" // the judge gave no proper answer
)

// Regressed reports whether the answer is not what it was: it failed, or it changed and no judge found it equivalent.
func (t ReplayTurn) Regressed() bool {
	return t.Outcome == AnswerFailed || t.Outcome == AnswerChanged && t.Verdict != VerdictEquivalent
}

// ReplaySum counts a replay's answers.
type ReplaySum struct {
	Answers     int     `json:"answers"`
	Same        int     `json:"same"`
	Changed     int     `json:"changed"`
	Equivalent  int     `json:"equivalent"` // of the changed ones
	Failed      int     `json:"failed"`
	New         int     `json:"new"`
	Regressions int     `json:"regressions"`
	MS          float64 `json:"ms"`
	CostUSD     float64 `json:"cost_usd"`
}

// Sum counts what has come of a replay so far.
func (r Replay) Sum() (s ReplaySum) {
	for _, t := range r.Turns {
		s.Answers++
		s.MS += t.MS
		s.CostUSD += t.CostUSD
		switch t.Outcome {
		case AnswerSame:
			s.Same++
		case AnswerChanged:
			s.Changed++
		case AnswerFailed:
			s.Failed++
		case AnswerNew:
			s.New++
		}
		if t.Verdict == VerdictEquivalent {
			s.Equivalent++
		}
		if t.Regressed() {
			s.Regressions++
		}
	}
	return s
}

// Plus adds two sums.
func (s ReplaySum) Plus(o ReplaySum) ReplaySum {
	return ReplaySum{s.Answers + o.Answers, s.Same + o.Same, s.Changed + o.Changed, s.Equivalent + o.Equivalent, s.Failed + o.Failed,
		s.New + o.New, s.Regressions + o.Regressions, s.MS + o.MS, s.CostUSD + o.CostUSD}
}
