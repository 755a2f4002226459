package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

// ReplayClaim is a replay that a worker makes, as long as nobody claims it after it.
type ReplayClaim struct {
	domain.Replay // with the answers that an earlier worker has found
	Tape          domain.Tape
	Attempt       int
	Token         int64
}

// ReplayAttempts is how many workers may die over one replay.
const ReplayAttempts = 3

// What is claimed is due, or its worker went silent. SKIP LOCKED keeps two claimers apart, the token a claimer and its successor.
const claimReplay = `
WITH due AS (
    SELECT id FROM replays
    WHERE (status = 'queued' OR status = 'running' AND lease_until < clock_timestamp()) AND (?0 = '' OR id::text = ?0)
    ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE replays r SET status = 'running', attempts = r.attempts + 1, token = r.token + 1, lease_until = clock_timestamp() + ?1 * interval '1 millisecond'
FROM due WHERE r.id = due.id
RETURNING ` + replayColumns + `, r.tape, r.attempts, r.token`

// ClaimReplay takes one that is due, or the one that is named if it is. It fails with NotFound if there is none.
func (l *Ledger) ClaimReplay(ctx context.Context, id domain.ReplayID, lease time.Duration) (ReplayClaim, error) {
	var row replayRow
	if err := l.NewRaw(claimReplay, string(id), lease.Milliseconds()).Scan(ctx, &row); err != nil {
		return ReplayClaim{}, classify(err)
	}
	c := ReplayClaim{Attempt: row.Attempts, Token: row.Token}
	if err := json.Unmarshal(row.Tape, &c.Tape); err != nil {
		return c, classify(err)
	}
	var err error
	c.Replay, err = l.Replay(ctx, row.OrgID, row.ID)
	return c, err
}

// mine is the condition under which a worker's words about its replay count.
const mine = ` id = ? AND token = ? AND status = 'running'`

// RenewReplay prolongs a lease. It fails with NotFound if the replay is somebody else's by now, or gone.
func (l *Ledger) RenewReplay(ctx context.Context, c ReplayClaim, lease time.Duration) error {
	res, err := l.NewRaw(`UPDATE replays SET lease_until = clock_timestamp() + ? * interval '1 millisecond' WHERE`+mine, lease.Milliseconds(), c.ID, c.Token).Exec(ctx)
	return one(res, err)
}

// AddReplayTurn stores an answer. It fails with NotFound if the replay is somebody else's by now, or gone.
func (l *Ledger) AddReplayTurn(ctx context.Context, c ReplayClaim, t domain.ReplayTurn) error {
	return l.InTx(ctx, func(tx *Ledger) error {
		var locked domain.ReplayID
		if err := tx.NewRaw(`SELECT id FROM replays WHERE`+mine+` FOR UPDATE`, c.ID, c.Token).Scan(ctx, &locked); err != nil {
			return classify(err)
		}
		_, err := tx.NewRaw(`INSERT INTO replay_turns (replay_id, n, org_id, from_seq, to_seq, asked, then_answer, now_answer, outcome, error, note, verdict, reason,
    ms, prompt_tokens, completion_tokens, cost_usd, recorded, live, withheld)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.ID, t.N, c.OrgID, t.FromSeq, t.ToSeq, clean(t.Asked), jsonOf(t.Then), jsonOf(t.Now), t.Outcome, clean(t.Error), clean(t.Note), t.Verdict,
			clean(t.Reason), t.MS, t.PromptTokens, t.CompletionTokens, t.CostUSD, t.Recorded, t.Live, t.Withheld).Exec(ctx)
		return err
	})
}

// EndReplay is the end of a replay: done, or failed with what went wrong. What it was made of is not needed any more.
func (l *Ledger) EndReplay(ctx context.Context, c ReplayClaim, status domain.ReplayStatus, problem string) error {
	res, err := l.NewRaw(`UPDATE replays SET status = ?, error = ?, tape = NULL, lease_until = NULL, finished_at = clock_timestamp() WHERE`+mine,
		status, clean(problem), c.ID, c.Token).Exec(ctx)
	return one(res, err)
}

// ReleaseReplay hands a replay back, as whole as it is, because its worker is shutting down.
func (l *Ledger) ReleaseReplay(ctx context.Context, c ReplayClaim) error {
	res, err := l.NewRaw(`UPDATE replays SET status = 'queued', attempts = attempts - 1, lease_until = NULL WHERE`+mine, c.ID, c.Token).Exec(ctx)
	return one(res, err)
}

// SweepReplays forgets replays that are over and that nobody is likely to look at again.
func (l *Ledger) SweepReplays(ctx context.Context) error {
	return l.forget(ctx, "replays", `x.status IN ('done', 'failed') AND x.created_at < now() - interval '90 days' AND (x.golden_id IS NULL
    OR EXISTS (SELECT FROM replays later WHERE later.golden_id = x.golden_id AND later.created_at > x.created_at))`)
}
