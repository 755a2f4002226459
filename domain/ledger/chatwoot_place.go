package ledger

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// ChatwootPlace is where a report of Chatwoot's may belong: an account, and the thread of the conversation if there is one.
type ChatwootPlace struct {
	domain.Channel
	ThreadID  domain.ThreadID
	ContactID domain.ContactID // empty: not resolved yet
	AgentID   domain.AgentID   // of the thread
	Waits     bool             // something of the conversation is kept that is not recorded yet

	Config domain.Chatwoot // the channel's, read
}

// Answerer is who answers in one of the account's inboxes.
func (p ChatwootPlace) Answerer(inbox string) (agent domain.AgentID, mapped bool) {
	return p.Config.Answerer(inbox, p.Channel.AgentID)
}

// placeQuery is what a report says of where it belongs: the channel's id, or with an empty id the account's, or with an empty account
// nothing; and the conversation.
type placeQuery struct {
	id                    domain.ChannelID
	account, conversation string
}

// placeWay is one way to find channels by what is given of them.
type placeWay struct{ channels, threads string }

// Whoever reports has not said for which organisation: the account, the address it was posted to and then the signature tell. Which way
// is best depends on what is given, so each has statements of its own; in each the queries are looked up one by one, whatever the planner
// thinks of how many channels and threads there are, and whether anything waits is a question of its own: for EXISTS it may read all
// that wait anywhere.
func newPlaceWay(which string) placeWay {
	channel := `CROSS JOIN LATERAL (SELECT * FROM channels c WHERE c.kind = 'chatwoot' AND ` + which + ` OFFSET 0) c`
	return placeWay{
		channels: `
SELECT c.id::text, c.org_id::text, c.name, c.kind, coalesce(c.agent_id::text, ''), c.enabled, c.reply_url, c.config, c.secret, c.token, c.created_at, c.updated_at
FROM unnest($1::text[]) AS q(given) ` + channel,
		threads: `
SELECT q.n, c.id::text, coalesce(t.id::text, ''), coalesce(t.contact_id::text, ''), coalesce(t.agent_id::text, ''),
       coalesce((SELECT true FROM chatwoot_reports r WHERE r.channel_id = c.id AND r.conversation = q.conversation AND r.taken_at IS NULL AND r.attempts < $4 LIMIT 1), false)
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS q(given, conversation, n) ` + channel + `
LEFT JOIN LATERAL (SELECT * FROM threads t WHERE t.org_id = c.org_id AND t.correlation_key = 'chatwoot:' || c.id::text || ':' || q.conversation
                   AND t.merged_into IS NULL OFFSET 0) t ON true
ORDER BY q.n, c.id`,
	}
}

var (
	chatwootPlaceByID       = newPlaceWay(`c.id = q.given::uuid`)
	chatwootPlacesByAccount = newPlaceWay(`c.config->>'account_id' = q.given`)
	allChatwootPlaces       = newPlaceWay(`q.given = ''`)
)

// ChatwootPlaces finds the channels of all organisations that a report about a conversation may be for, the oldest first: the one with
// this id, or with an empty id those of the account, or with an empty account all. Reports that come at once are looked up together.
func (l *Ledger) ChatwootPlaces(ctx context.Context, id domain.ChannelID, account, conversation string) ([]ChatwootPlace, error) {
	return l.places.get(ctx, placeQuery{id, clean(account), clean(conversation)})
}

// placeQueries are those of one way.
type placeQueries struct {
	given, conversations []string
	ns                   []int64
}

func (l *Ledger) chatwootPlaces(ctx context.Context, qs []placeQuery) ([][]ChatwootPlace, error) {
	ways := map[placeWay]*placeQueries{}
	for n, q := range qs {
		way, given := allChatwootPlaces, ""
		switch {
		case q.id != "":
			way, given = chatwootPlaceByID, string(q.id)
		case q.account != "":
			way, given = chatwootPlacesByAccount, q.account
		}
		if ways[way] == nil {
			ways[way] = &placeQueries{}
		}
		g := ways[way]
		g.given, g.conversations, g.ns = append(g.given, given), append(g.conversations, q.conversation), append(g.ns, int64(n))
	}
	found, channels := make([][]ChatwootPlace, len(qs)), map[domain.ChannelID]ChatwootPlace{}
	b := &pgx.Batch{}
	for way, g := range ways {
		given := slices.Clone(g.given)
		slices.Sort(given)
		b.Queue(way.channels, slices.Compact(given)).Query(func(r pgx.Rows) error { return l.scanChannels(r, channels) })
		b.Queue(way.threads, g.given, g.conversations, g.ns, reportTries).Query(func(r pgx.Rows) error {
			var n int64
			var id domain.ChannelID
			var t ChatwootPlace
			_, err := pgx.ForEachRow(r, []any{&n, &id, &t.ThreadID, &t.ContactID, &t.AgentID, &t.Waits}, func() error {
				p, ok := channels[id]
				if !ok { // it was made at this moment
					return nil
				}
				p.ThreadID, p.ContactID, p.AgentID, p.Waits = t.ThreadID, t.ContactID, t.AgentID, t.Waits
				found[n] = append(found[n], p)
				return nil
			})
			return err
		})
	}
	conn, err := l.hot.Acquire(ctx)
	if err != nil {
		return nil, classify(err)
	}
	defer conn.Release()
	return found, classify(conn.SendBatch(ctx, b).Close())
}

// scanChannels opens each channel once, however many reports are about it.
func (l *Ledger) scanChannels(r pgx.Rows, into map[domain.ChannelID]ChatwootPlace) error {
	for r.Next() {
		row := channelRow{}
		if err := r.Scan(&row.ID, &row.OrgID, &row.Name, &row.Kind, &row.AgentID, &row.Enabled, &row.ReplyURL, &row.Config, &row.Sealed, &row.SealedToken,
			&row.CreatedAt, &row.UpdatedAt); err != nil {
			return err
		}
		c, err := l.openChannel(row)
		if err != nil {
			return err
		}
		into[c.ID] = ChatwootPlace{Channel: c, Config: c.Chatwoot()}
	}
	return r.Err()
}

// chatwootBegin is a conversation that may have no thread yet, and with whom it is.
type chatwootBegin struct {
	ChannelThread
	Identifiers
}

func (c chatwootBegin) key() [2]string { return [2]string{string(c.OrgID), c.Key} }

// What is said of a contact's address is filled in where nobody has it.
const chatwootThreads = `
WITH q AS MATERIALIZED (
    SELECT * FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[]::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bool[])
        AS q(contact_id, thread_id, org_id, external_id, name, email, phone, agent_id, channel, key, knows)
), contact AS (
    INSERT INTO contacts AS c (id, org_id, external_id, name, email, phone, stub)
    SELECT q.contact_id, q.org_id, q.external_id, q.name,
           CASE WHEN EXISTS (SELECT FROM contacts o WHERE o.org_id = q.org_id AND o.email <> '' AND lower(o.email) = lower(q.email)) THEN '' ELSE q.email END,
           CASE WHEN EXISTS (SELECT FROM contacts o WHERE o.org_id = q.org_id AND o.phone <> '' AND o.phone = q.phone) THEN '' ELSE q.phone END, false
    FROM q WHERE q.knows ORDER BY q.org_id, q.external_id
    ON CONFLICT (org_id, external_id) DO UPDATE SET name = coalesce(nullif(c.name, ''), EXCLUDED.name), email = coalesce(nullif(c.email, ''), EXCLUDED.email),
        phone = coalesce(nullif(c.phone, ''), EXCLUDED.phone)
    RETURNING id, org_id, external_id
)
INSERT INTO threads AS t (id, org_id, contact_id, agent_id, channel, correlation_key, handling)
SELECT q.thread_id, q.org_id, (SELECT id FROM contact WHERE contact.org_id = q.org_id AND contact.external_id = q.external_id),
       (SELECT id FROM agents a WHERE a.org_id = q.org_id AND a.id::text = q.agent_id), q.channel, q.key, 'agent'
FROM q ORDER BY q.org_id, q.key
ON CONFLICT (org_id, correlation_key) DO UPDATE SET agent_id = EXCLUDED.agent_id, contact_id = coalesce(t.contact_id, EXCLUDED.contact_id)
RETURNING t.org_id::text, t.correlation_key, t.id::text`

// ChatwootThread finds or begins the thread of a conversation, and the contact whom its Chatwoot knows under this external id, which may
// be empty. What is said there of their address is filled in where it is free, but finds nobody: there visitors say themselves who they
// are. An agent that is gone answers nobody. Conversations that begin at once are written together. It fails with ErrJoined when
// something was deleted at this moment: try again.
func (l *Ledger) ChatwootThread(ctx context.Context, c ChannelThread, i Identifiers) (id domain.ThreadID, err error) {
	c.Channel, c.Key = clean(c.Channel), clean(c.Key)
	return l.threads.get(ctx, chatwootBegin{c, Identifiers{clean(i.ExternalID), clean(i.Name), clean(i.Email), clean(i.Phone)}})
}

func (l *Ledger) chatwootThreads(ctx context.Context, all []chatwootBegin) ([]domain.ThreadID, error) {
	qs, knows := eachOnce(all)
	text := func(f func(chatwootBegin) string) []string { return column(qs, f) }
	found := map[[2]string]domain.ThreadID{}
	b := &pgx.Batch{}
	b.Queue("begin")
	b.Queue("SET LOCAL synchronous_commit = off") // nothing is acknowledged before the append, whose commit flushes this one too
	b.Queue(chatwootThreads,
		text(func(chatwootBegin) string { return string(NewID[domain.ContactID]()) }),
		text(func(chatwootBegin) string { return string(NewID[domain.ThreadID]()) }),
		text(func(c chatwootBegin) string { return string(c.OrgID) }),
		text(func(c chatwootBegin) string { return c.ExternalID }),
		text(func(c chatwootBegin) string { return c.Name }),
		text(func(c chatwootBegin) string { return c.Email }),
		text(func(c chatwootBegin) string { return c.Phone }),
		text(func(c chatwootBegin) string { return string(c.AgentID) }),
		text(func(c chatwootBegin) string { return c.Channel }),
		text(func(c chatwootBegin) string { return c.Key }), knows).Query(func(r pgx.Rows) error {
		var key [2]string
		var id domain.ThreadID
		_, err := pgx.ForEachRow(r, []any{&key[0], &key[1], &id}, func() error {
			found[key] = id
			return nil
		})
		return err
	})
	b.Queue("commit")
	conn, err := l.writers.Acquire(ctx)
	if err != nil {
		return nil, classify(err)
	}
	defer conn.Release()
	if err = conn.SendBatch(ctx, b).Close(); err != nil {
		rollback(ctx, conn)
	}
	switch {
	case isOrphan(err):
		return nil, joined()
	case err != nil:
		return nil, classify(err)
	}
	return column(all, func(c chatwootBegin) domain.ThreadID { return found[c.key()] }), nil
}

// eachOnce leaves each conversation once, says which of them bring a contact that none before has brought, and lets an address be one
// contact's only: what one statement does it does not see itself.
func eachOnce(all []chatwootBegin) (qs []chatwootBegin, knows []bool) {
	type of struct {
		org  domain.OrgID
		what string
	}
	threads, contacts, addresses := map[[2]string]bool{}, map[of]bool{}, map[of]bool{}
	free := func(org domain.OrgID, address string) string {
		a := of{org, strings.ToLower(address)}
		if addresses[a] {
			return ""
		}
		addresses[a] = address != ""
		return address
	}
	for _, c := range all {
		if threads[c.key()] {
			continue
		}
		threads[c.key()] = true
		who := of{c.OrgID, c.ExternalID}
		first := c.ExternalID != "" && !contacts[who]
		if contacts[who] = true; first {
			c.Email, c.Phone = free(c.OrgID, c.Email), free(c.OrgID, c.Phone)
		}
		qs, knows = append(qs, c), append(knows, first)
	}
	return qs, knows
}
