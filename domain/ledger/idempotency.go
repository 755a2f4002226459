package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

// IdempotentAnswer is what a POST under an Idempotency-Key was answered with.
type IdempotentAnswer struct {
	Status int
	Header map[string]string
	Body   []byte
}

// A key is free again after 24 hours, or when its first request has been silent for so long that its process must have died.
const beginIdempotent = `
INSERT INTO idempotent_answers AS a (org_id, key, fingerprint) VALUES (?, ?, ?)
ON CONFLICT (org_id, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, status = 0, headers = '{}', body = '', created_at = now()
WHERE a.created_at < now() - interval '24 hours' OR a.status = 0 AND a.created_at < now() - interval '10 minutes'`

// BeginIdempotent asks whether a POST may go ahead. A nil answer means yes, and that FinishIdempotent or AbandonIdempotent must
// follow; any other is what the same POST was answered with before. fingerprint is a hash of method, path and body. It fails
// with Invalid for an unusable key, with Conflict while the first request is still being worked on, and with Conflict and the
// code bad_field if the key came with another request.
func (l *Ledger) BeginIdempotent(ctx context.Context, org domain.OrgID, key string, fingerprint []byte) (*IdempotentAnswer, error) {
	if n := utf8.RuneCountInString(key); n < 1 || n > 255 || key != clean(key) {
		return nil, domain.InvalidField("Idempotency-Key", "must have 1 to 255 characters")
	}
	res, err := l.NewRaw(beginIdempotent, org, key, fingerprint).Exec(ctx)
	if err != nil {
		return nil, classify(err)
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return nil, classify(err)
	}
	return l.idempotentAnswer(ctx, org, key, fingerprint)
}

func (l *Ledger) idempotentAnswer(ctx context.Context, org domain.OrgID, key string, fingerprint []byte) (*IdempotentAnswer, error) {
	var row struct {
		Fingerprint []byte
		Status      int
		Headers     json.RawMessage
		Body        []byte
	}
	err := classify(l.NewRaw(`SELECT fingerprint, status, headers, body FROM idempotent_answers WHERE org_id = ? AND key = ?`, org, key).Scan(ctx, &row))
	switch {
	case err != nil && domain.KindOf(err) != domain.NotFound:
		return nil, err
	case err == nil && !bytes.Equal(row.Fingerprint, fingerprint):
		e := domain.Conflictf("this Idempotency-Key came with another request before: use a new one for each request")
		e.Code, e.Fields = domain.CodeBadField, map[string]string{"Idempotency-Key": "was used for another request"}
		return nil, e
	case err != nil, row.Status == 0: // not found: abandoned between the two statements
		return nil, domain.Conflictf("the first request with this Idempotency-Key is still being worked on: try again in a moment")
	}
	body, err := l.seal.Open(answerPlace(org, key), row.Body)
	if err != nil {
		return nil, classify(err)
	}
	answer := &IdempotentAnswer{Status: row.Status, Body: body}
	return answer, classify(json.Unmarshal(row.Headers, &answer.Header))
}

// FinishIdempotent keeps the answer for whoever sends the same POST again. What was answered already stays.
// It must be called even when the client has gone: give it a context that outlives the request.
func (l *Ledger) FinishIdempotent(ctx context.Context, org domain.OrgID, key string, status int, header map[string]string, body []byte) error {
	if header == nil {
		header = map[string]string{}
	}
	sealed, err := l.seal.Seal(answerPlace(org, key), body) // it may show a secret that is shown once
	if err != nil {
		return classify(err)
	}
	if sealed == nil {
		sealed = []byte{}
	}
	_, err = l.NewRaw(`UPDATE idempotent_answers SET status = ?, headers = ?, body = ? WHERE org_id = ? AND key = ? AND status = 0`,
		status, jsonOf(header), sealed, org, key).Exec(ctx)
	return classify(err)
}

func answerPlace(org domain.OrgID, key string) string { return "answer:" + string(org) + ":" + key }

// AbandonIdempotent frees a key whose request failed on our side, so that it can be sent again.
func (l *Ledger) AbandonIdempotent(ctx context.Context, org domain.OrgID, key string) error {
	_, err := l.NewRaw(`DELETE FROM idempotent_answers WHERE org_id = ? AND key = ? AND status = 0`, org, key).Exec(ctx)
	return classify(err)
}

// SweepIdempotent forgets answers older than 24 hours.
func (l *Ledger) SweepIdempotent(ctx context.Context) error {
	return l.forget(ctx, "idempotent_answers", "x.created_at < now() - interval '24 hours'")
}
