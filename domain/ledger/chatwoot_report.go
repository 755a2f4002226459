package ledger

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// ChatwootReport is a message that a Chatwoot has reported, and which is on record before it is in its thread.
type ChatwootReport struct {
	Event        domain.EventID // what it will be recorded as
	Place        ChatwootPlace  // of the channel only its id, organisation and name count
	Conversation string
	ExternalID   string
	Line         []byte // what it says, in the form of whoever keeps it
	N            int64  // its place in the order of all that are kept
}

// reportTries is how often a report is tried to be recorded that fails whatever the database does. What cannot be recorded then stays
// where it is for 30 days, and holds nothing else up. The index chatwoot_reports_next has only what is still to be tried: a statement that
// has the number as an argument cannot use it, and looks a conversation up by its own index, whatever a plan that was made while there was
// nothing thinks of that.
const reportTries = 5

const keepReports = `
INSERT INTO chatwoot_reports (event_id, org_id, channel_id, channel, conversation, external_id, line)
SELECT q.event_id, q.org_id, q.channel_id, q.channel, q.conversation, q.external_id, q.line
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[]::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[]) WITH ORDINALITY
    AS q(event_id, org_id, channel_id, channel, conversation, external_id, line, n)
WHERE NOT EXISTS (SELECT FROM events e WHERE e.org_id = q.org_id AND e.channel = q.channel AND e.kind = 'message_received' AND e.external_id = q.external_id)
ORDER BY q.n
ON CONFLICT (org_id, channel, external_id) DO NOTHING
RETURNING event_id::text`

// KeepChatwootReport writes a report down durably, unless it was kept or recorded before: then kept is false. Reports that come at once
// are written together.
func (l *Ledger) KeepChatwootReport(ctx context.Context, r ChatwootReport) (kept bool, err error) {
	return l.reports.get(ctx, r)
}

func (l *Ledger) keepChatwootReports(ctx context.Context, rs []ChatwootReport) ([]bool, error) {
	text := func(f func(ChatwootReport) string) []string { return column(rs, f) }
	rows, err := l.writers.Query(ctx, keepReports,
		text(func(r ChatwootReport) string { return string(r.Event) }),
		text(func(r ChatwootReport) string { return string(r.Place.OrgID) }),
		text(func(r ChatwootReport) string { return string(r.Place.ID) }),
		text(func(r ChatwootReport) string { return clean(r.Place.Name) }),
		text(func(r ChatwootReport) string { return clean(r.Conversation) }),
		text(func(r ChatwootReport) string { return clean(r.ExternalID) }),
		column(rs, func(r ChatwootReport) []byte { return r.Line }))
	if err != nil {
		return nil, classify(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[domain.EventID])
	if err != nil {
		return nil, classify(err)
	}
	kept := make(map[domain.EventID]bool, len(ids))
	for _, id := range ids {
		kept[id] = true
	}
	return column(rs, func(r ChatwootReport) bool { return kept[r.Event] }), nil
}

// waitingReports reads reports that are not recorded yet, and the threads of their conversations where there are any, in the order in
// which they were kept.
func waitingReports(which string) string {
	return `
SELECT r.event_id::text, r.org_id::text, r.channel_id::text, r.channel, r.conversation, r.external_id, r.line, r.n,
       coalesce(t.id::text, ''), coalesce(t.contact_id::text, ''), coalesce(t.agent_id::text, '')
FROM (SELECT * FROM chatwoot_reports WHERE ` + which + ` AND taken_at IS NULL ORDER BY n LIMIT $1) r
LEFT JOIN LATERAL (SELECT * FROM threads t WHERE t.org_id = r.org_id AND t.correlation_key = 'chatwoot:' || r.channel_id::text || ':' || r.conversation
                   AND t.merged_into IS NULL OFFSET 0) t ON true
ORDER BY r.n`
}

var (
	oldestReports         = waitingReports(`n > $2 AND attempts < ` + strconv.Itoa(reportTries))
	reportsOfConversation = waitingReports(`org_id = $2::text::uuid AND channel_id = $3::text::uuid AND conversation = $4 AND attempts < $5`)
)

// OldestChatwootReports reads reports of all organisations that are to be recorded, from after one of them on.
func (l *Ledger) OldestChatwootReports(ctx context.Context, after int64, limit int) ([]ChatwootReport, error) {
	return l.waitingReports(ctx, oldestReports, limit, after)
}

// ChatwootReportsOf reads those of one conversation.
func (l *Ledger) ChatwootReportsOf(ctx context.Context, org domain.OrgID, channel domain.ChannelID, conversation string, limit int) ([]ChatwootReport, error) {
	return l.waitingReports(ctx, reportsOfConversation, limit, string(org), string(channel), clean(conversation), reportTries)
}

func (l *Ledger) waitingReports(ctx context.Context, query string, args ...any) ([]ChatwootReport, error) {
	rows, err := l.hot.Query(ctx, query, args...)
	if err != nil {
		return nil, classify(err)
	}
	rs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ChatwootReport, err error) {
		p := &r.Place
		err = row.Scan(&r.Event, &p.OrgID, &p.ID, &p.Name, &r.Conversation, &r.ExternalID, &r.Line, &r.N, &p.ThreadID, &p.ContactID, &p.AgentID)
		return r, err
	})
	return rs, classify(err)
}

// ChatwootReportsRecorded notes that reports are in their threads, or refuse to be. Should that be lost, they are tried again, which
// changes nothing.
func (l *Ledger) ChatwootReportsRecorded(ctx context.Context, recorded []domain.EventID, refused map[domain.EventID]error) error {
	var ids, why []string
	for id, err := range refused {
		ids, why = append(ids, string(id)), append(why, clean(err.Error()))
	}
	b := &pgx.Batch{}
	b.Queue("begin")
	b.Queue("SET LOCAL synchronous_commit = off")
	b.Queue(`UPDATE chatwoot_reports SET taken_at = now(), line = '' WHERE event_id = ANY($1::text[]::uuid[]) AND taken_at IS NULL`,
		column(recorded, func(id domain.EventID) string { return string(id) }))
	if len(ids) > 0 {
		b.Queue(`UPDATE chatwoot_reports r SET attempts = r.attempts + 1, error = q.error FROM unnest($1::text[]::uuid[], $2::text[]) AS q(event_id, error)
WHERE r.event_id = q.event_id AND r.taken_at IS NULL`, ids, why)
	}
	b.Queue("commit")
	conn, err := l.writers.Acquire(ctx)
	if err != nil {
		return classify(err)
	}
	defer conn.Release()
	if err = conn.SendBatch(ctx, b).Close(); err != nil {
		rollback(ctx, conn)
	}
	return classify(err)
}

// SweepChatwootReports forgets which reports were recorded, except those of the last minute, and what could not be after 30 days.
func (l *Ledger) SweepChatwootReports(ctx context.Context) error {
	if err := l.forget(ctx, "chatwoot_reports", "x.taken_at < now() - interval '1 minute'"); err != nil {
		return err
	}
	return l.forget(ctx, "chatwoot_reports", "x.taken_at IS NULL AND x.created_at < now() - interval '30 days'")
}
