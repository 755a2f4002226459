package ledger

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

const (
	// known is a contact, called c, of whom there is something to look for. It and what is looked through are as in the index contacts_words.
	known = `(c.name <> '' OR c.email <> '' OR c.phone <> '' OR c.external_id IS NOT NULL)
AND (right(c.org_id::text, 6) || ' ' || c.name || ' ' || c.email || ' ' || c.phone || ' ' || coalesce(c.external_id, '')) ILIKE right(?1::text, 6) || ' ' || ?0`
	told = `(c.name ILIKE ?0 OR c.email ILIKE ?0 OR c.phone ILIKE ?0 OR c.external_id ILIKE ?0)`

	// spoken is a thread, called t, in which something was said. Its lines are read from the first on until one has it; never those of all threads.
	spoken = `coalesce((SELECT true FROM messages x WHERE x.thread_id = t.id AND x.content ILIKE ?0 LIMIT 1), false)`
)

const (
	searchGrams = 24    // of a question; more of them would hardly say more
	searchMost  = 10000 // threads that are looked at one by one
)

// Where a question may have an answer: in the lines that have its grams, in those that nobody has looked at yet, and in what is known of contacts.
const sought = `
SELECT thread_id FROM (
    (SELECT g.thread_id FROM thread_grams g WHERE g.grams @> ?2::int[] AND g.org_id = ?1 LIMIT ?3)
    UNION ALL
    (SELECT t.id FROM threads t WHERE t.org_id = ?1 AND t.last_seq > t.searchable LIMIT ?3)
    UNION ALL
    (SELECT t.id FROM (SELECT c.id FROM contacts c WHERE c.org_id = ?1 AND ` + known + ` AND ` + told + ` LIMIT ?3) AS c JOIN threads t ON t.contact_id = c.id LIMIT ?3)
) AS s LIMIT ?3`

// like is the pattern of whatever has a question in it.
func like(question string) string { return "%" + likeEscaper.Replace(clean(question)) + "%" }

// matching leaves in q only the threads, called t, whose contact, called c, has told what is asked for, or in which it was said. Where few
// threads come into question, only they are looked at. Otherwise there are many answers as a rule, and the newest are soon found.
func (l *Ledger) matching(ctx context.Context, q *bun.SelectQuery, org domain.OrgID, question string) error {
	pattern := like(question)
	q.Where("("+told+" OR "+spoken+")", pattern)
	has := grams(org, clean(question))
	if len(has) == 0 { // a letter or two, or none at all
		return nil
	}
	var ids []domain.ThreadID
	err := l.NewRaw(sought, pattern, org, bunArray(has[:min(len(has), searchGrams)]), searchMost).Scan(ctx, &ids)
	if err == nil && len(ids) < searchMost {
		q.Where("t.id = ANY (?)", bunArray(ids))
	}
	return err
}
