package ledger

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// respellWords is how many words of a question are looked at; a longer one is not a matter of spelling.
const respellWords = 12

// A word is misspelt if no article has it in any form. It is taken for the word that it resembles most, if it does so well enough
// and is about as long. Articles are indexed by stems: of the words that have the stem, the one it resembles most is meant.
const respell = `
WITH known AS (
    SELECT DISTINCT a.language, v.word
    FROM articles a, unnest(tsvector_to_array(a.search)) AS v(word)
    WHERE a.org_id = ?0 AND a.classification IN (?1) AND v.word ~ '^[[:alpha:]]{3,}$'
), asked AS (
    SELECT w.word, l.language, (tsvector_to_array(to_tsvector(l.language, w.word)))[1] AS stem
    FROM unnest(?2::text[]) AS w(word), (SELECT DISTINCT language FROM known) l
), strange AS (
    SELECT word, language, stem FROM asked a
    WHERE stem IS NOT NULL AND NOT EXISTS (
        SELECT FROM asked b LEFT JOIN known k ON k.language = b.language AND k.word = b.stem
        WHERE b.word = a.word AND (b.stem IS NULL OR k.word IS NOT NULL))
)
SELECT m.word, coalesce((
    SELECT lower(p.token)
    FROM (SELECT title, content FROM articles WHERE org_id = ?0 AND classification IN (?1) AND language = m.language AND search @@ m.stem::tsquery LIMIT 1) a,
         ts_parse('default', a.title || ' ' || a.content) p
    WHERE p.token ~ '^[[:alpha:]]+$' AND to_tsvector(m.language, p.token) @@ m.stem::tsquery
    ORDER BY similarity(p.token, m.word) DESC, p.token LIMIT 1
), m.stem) AS meant
FROM (
    SELECT DISTINCT ON (s.word) s.word, s.language, k.word AS stem
    FROM strange s
    JOIN known k ON k.language = s.language AND abs(length(k.word) - length(s.stem)) <= 2
    WHERE similarity(k.word, s.stem) >= 0.45
    ORDER BY s.word, similarity(k.word, s.stem) DESC, k.word
) m`

// longWord is long enough not to resemble too many others.
var longWord = regexp.MustCompile(`\pL{5,}`)

// respell is a question with its misspelt words replaced by those they resemble: the question itself if there is nothing to
// mend, or no trigrams in this database to mend it with.
func (l *Ledger) respell(ctx context.Context, org domain.OrgID, most domain.Classification, question string) (string, error) {
	words := longWord.FindAllString(strings.ToLower(question), -1)
	if len(words) == 0 || len(words) > respellWords || l.noTrigrams.Load() {
		return question, nil
	}
	var mended []struct{ Word, Meant string }
	err := l.NewRaw(respell, org, bun.List(upTo(most)), bunArray(words)).Scan(ctx, &mended)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "42883" { // undefined_function
		l.noTrigrams.Store(true)
		return question, nil
	}
	if err != nil {
		return question, classify(err)
	}
	meant := make(map[string]string, len(mended))
	for _, m := range mended {
		meant[m.Word] = m.Meant
	}
	return longWord.ReplaceAllStringFunc(question, func(word string) string {
		if m, ok := meant[strings.ToLower(word)]; ok {
			return m
		}
		return word
	}), nil
}
