package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

type replayRow struct {
	ID         domain.ReplayID
	OrgID      domain.OrgID
	ThreadID   domain.ThreadID
	GoldenID   domain.GoldenID
	AgentID    domain.AgentID
	AgentName  string
	JudgeID    domain.AgentID
	Override   json.RawMessage
	Drift      bool
	AskedBy    string
	Status     domain.ReplayStatus
	Error      string
	Answers    int
	CreatedAt  time.Time
	FinishedAt time.Time

	Tape     json.RawMessage // of a claimed one
	Attempts int
	Token    int64
}

const replayColumns = `r.id, r.org_id, r.thread_id, r.golden_id, r.agent_id, r.agent_name, r.judge_id, r.override, r.drift, r.asked_by,
r.status, r.error, r.answers, r.created_at, r.finished_at`

func (r replayRow) replay() (domain.Replay, error) {
	p := domain.Replay{
		ID: r.ID, OrgID: r.OrgID, ThreadID: r.ThreadID, GoldenID: r.GoldenID, AgentID: r.AgentID, AgentName: r.AgentName, JudgeID: r.JudgeID,
		Drift: r.Drift, AskedBy: r.AskedBy, Status: r.Status, Error: r.Error, Answers: r.Answers, CreatedAt: r.CreatedAt.UTC(),
	}
	if !r.FinishedAt.IsZero() {
		p.FinishedAt = r.FinishedAt.UTC()
	}
	return p, json.Unmarshal(r.Override, &p.Override)
}

// QueueReplay stores a replay that is to be made of a tape.
func (l *Ledger) QueueReplay(ctx context.Context, r domain.Replay, t domain.Tape) error {
	_, err := l.NewRaw(`INSERT INTO replays (id, org_id, thread_id, golden_id, agent_id, agent_name, judge_id, override, drift, asked_by, status, tape, answers)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.OrgID, r.ThreadID, bun.NullZero(r.GoldenID), r.AgentID, clean(r.AgentName), bun.NullZero(r.JudgeID), jsonOf(r.Override), r.Drift,
		clean(r.AskedBy), domain.ReplayQueued, jsonOf(t), len(t.Exchanges)).Exec(ctx)
	return classify(err)
}

// Replay reads a replay with its answers so far. Another organisation's is NotFound.
func (l *Ledger) Replay(ctx context.Context, org domain.OrgID, id domain.ReplayID) (domain.Replay, error) {
	rs, err := l.replays(ctx, `WHERE r.org_id = ? AND r.id = ?`, org, id)
	if err == nil && len(rs) == 0 {
		err = domain.NotFoundf("there is no such replay")
	}
	if err != nil {
		return domain.Replay{}, err
	}
	return rs[0], nil
}

// Replays lists the latest replays of a thread with their answers, the newest first.
func (l *Ledger) Replays(ctx context.Context, org domain.OrgID, thread domain.ThreadID, limit int) ([]domain.Replay, error) {
	return l.replays(ctx, `WHERE r.org_id = ? AND r.thread_id = ? ORDER BY r.created_at DESC, r.id DESC LIMIT ?`, org, thread, limit)
}

// GoldenReplays reads the last replay of each of an organisation's golden threads.
func (l *Ledger) GoldenReplays(ctx context.Context, org domain.OrgID) (map[domain.GoldenID]domain.Replay, error) {
	rs, err := l.replays(ctx, `WHERE r.org_id = ? AND r.id IN (
    SELECT DISTINCT ON (golden_id) id FROM replays WHERE org_id = ? AND golden_id IS NOT NULL ORDER BY golden_id, created_at DESC, id DESC)`, org, org)
	last := make(map[domain.GoldenID]domain.Replay, len(rs))
	for _, r := range rs {
		last[r.GoldenID] = r
	}
	return last, err
}

func (l *Ledger) replays(ctx context.Context, where string, args ...any) ([]domain.Replay, error) {
	var rows []replayRow
	if err := l.NewRaw(`SELECT `+replayColumns+` FROM replays r `+where, args...).Scan(ctx, &rows); err != nil {
		return nil, classify(err)
	}
	rs, at, ids := make([]domain.Replay, len(rows)), map[domain.ReplayID]int{}, []domain.ReplayID{}
	for i, row := range rows {
		var err error
		if rs[i], err = row.replay(); err != nil {
			return nil, classify(err)
		}
		at[row.ID], ids = i, append(ids, row.ID)
	}
	if len(ids) == 0 {
		return rs, nil
	}
	var turns []replayTurnRow
	err := l.NewRaw(`SELECT * FROM replay_turns WHERE org_id = ? AND replay_id IN (?) ORDER BY replay_id, n`, rs[0].OrgID, bun.List(ids)).Scan(ctx, &turns)
	if err != nil {
		return nil, classify(err)
	}
	for _, t := range turns {
		turn, err := t.turn()
		if err != nil {
			return nil, classify(err)
		}
		rs[at[t.ReplayID]].Turns = append(rs[at[t.ReplayID]].Turns, turn)
	}
	return rs, nil
}

type replayTurnRow struct {
	ReplayID         domain.ReplayID
	N                int
	FromSeq, ToSeq   int64
	Asked            string
	ThenAnswer       json.RawMessage
	NowAnswer        json.RawMessage
	Outcome          domain.ReplayOutcome
	Error, Note      string
	Verdict          domain.Verdict
	Reason           string
	MS               float64 `bun:"ms"`
	PromptTokens     int
	CompletionTokens int
	CostUSD          float64 `bun:"cost_usd"`
	Recorded         int
	Live             int
	Withheld         int
}

func (r replayTurnRow) turn() (domain.ReplayTurn, error) {
	t := domain.ReplayTurn{
		N: r.N, FromSeq: r.FromSeq, ToSeq: r.ToSeq, Asked: r.Asked, Outcome: r.Outcome, Error: r.Error, Note: r.Note, Verdict: r.Verdict, Reason: r.Reason,
		MS: r.MS, PromptTokens: r.PromptTokens, CompletionTokens: r.CompletionTokens, CostUSD: r.CostUSD,
		Recorded: r.Recorded, Live: r.Live, Withheld: r.Withheld,
	}
	if err := json.Unmarshal(r.ThenAnswer, &t.Then); err != nil {
		return t, err
	}
	return t, json.Unmarshal(r.NowAnswer, &t.Now)
}
