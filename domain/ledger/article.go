package ledger

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// Articles lists an organisation's articles by title.
func (l *Ledger) Articles(ctx context.Context, org domain.OrgID) ([]domain.Article, error) {
	as := []domain.Article{}
	err := l.NewSelect().Model(&as).Where("org_id = ?", org).OrderExpr("lower(title), id").Scan(ctx)
	return as, classify(err)
}

// opening is as much of an article as a list of many shows.
const opening = 4000

// ArticleOpenings is Articles with no more of their contents than the beginning: all together they may be the texts of a whole site.
func (l *Ledger) ArticleOpenings(ctx context.Context, org domain.OrgID) ([]domain.Article, error) {
	as := []domain.Article{}
	err := l.NewSelect().Model(&as).ExcludeColumn("content").ColumnExpr("left(content, ?) AS content", opening).
		Where("org_id = ?", org).OrderExpr("lower(title), id").Scan(ctx)
	return as, classify(err)
}

// Article reads an article. Another organisation's is NotFound.
func (l *Ledger) Article(ctx context.Context, org domain.OrgID, id domain.ArticleID) (domain.Article, error) {
	var a domain.Article
	err := l.NewSelect().Model(&a).Where("org_id = ? AND id = ?", org, id).Scan(ctx)
	return a, classify(err)
}

// LockArticle is Article for a transaction that will change it: nobody else can until it ends.
func (l *Ledger) LockArticle(ctx context.Context, org domain.OrgID, id domain.ArticleID) (domain.Article, error) {
	var a domain.Article
	err := l.NewSelect().Model(&a).Where("org_id = ? AND id = ?", org, id).For("UPDATE").Scan(ctx)
	return a, classify(err)
}

// CreateArticle stores new articles. They can be found at once.
func (l *Ledger) CreateArticle(ctx context.Context, as ...domain.Article) error {
	_, err := l.NewInsert().Model(&as).Exec(ctx)
	return classify(err)
}

// UpdateArticle stores all of a but its organisation and birth. Another organisation's is NotFound.
func (l *Ledger) UpdateArticle(ctx context.Context, a domain.Article) error {
	res, err := l.NewUpdate().Model(&a).ExcludeColumn("id", "org_id", "created_at").Where("org_id = ? AND id = ?", a.OrgID, a.ID).Exec(ctx)
	return one(res, err)
}

// DeleteArticle removes an article. Another organisation's is NotFound.
func (l *Ledger) DeleteArticle(ctx context.Context, org domain.OrgID, id domain.ArticleID) error {
	res, err := l.NewDelete().Model((*domain.Article)(nil)).Where("org_id = ? AND id = ?", org, id).Exec(ctx)
	return one(res, err)
}

// smallTalk are words that say how somebody asks and not about what, numerals among them. Postgres' stop words do not include them, and in
// a small collection they are too rare to be recognised by how often they occur.
const smallTalk = `hello hi hey dear please thanks thank welcome can could would should like want need know tell help question ask get
long much many often time thing stuff find hallo guten tag bitte danke kannst können
möchte bonjour salut merci puis-je peux hola gracias favor puedo
one two three four five six seven eight nine ten eins zwei drei vier fünf sechs sieben acht neun zehn
deux trois quatre cinq sept huit dix uno dos tres cuatro cinco seis siete ocho nueve diez dois duas três quatro sete oito nove dez`

// A question finds an article by any of its words, each taken apart in the article's own language. What counts is how much of the
// question the article speaks to: every word weighs the less, the more articles have it, and a word nobody has weighs one.
// References, such as the number of an order, weigh nothing unless an article has them: they say which one, not what about it.
// A hit needs a bit more than half of that weight, half as much again counting for words in the title; of a long question, which
// has much that is beside the point, three words and a third will do. Numbers alone are no hit.
const search = `
WITH words AS (
    SELECT l.language, l.total, w.word
    FROM (SELECT language, count(*)::float8 AS total FROM articles WHERE org_id = ?0 AND classification IN (?5) GROUP BY language) l,
         unnest(tsvector_to_array(to_tsvector(l.language, ?1))) AS w(word)
    WHERE w.word <> ALL (tsvector_to_array(to_tsvector(l.language, ?2)))
), queries AS (
    SELECT language, string_agg('''' || replace(replace(word, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery AS query
    FROM words GROUP BY language
), hits AS (
    SELECT a.id, w.language, w.word, 'A' = ANY (s.weights) AS in_title
    FROM queries q
    JOIN articles a ON a.org_id = ?0 AND a.classification IN (?5) AND a.language = q.language AND a.search @@ q.query,
    unnest(a.search) AS s(word, positions, weights)
    JOIN words w ON w.word = s.word
    WHERE w.language = a.language
), weights AS (
    SELECT w.language, w.word, CASE
        WHEN count(h.id) = 0 AND w.word = ANY (tsvector_to_array(to_tsvector(w.language, ?4))) THEN 0
        ELSE 1 - (greatest(count(h.id), 1) - 1) / w.total
    END AS weight
    FROM words w LEFT JOIN hits h ON h.language = w.language AND h.word = w.word
    GROUP BY w.language, w.word, w.total
), totals AS (
    SELECT language, sum(weight) AS total FROM weights GROUP BY language
), scores AS (
    SELECT h.id, count(*) AS matched, bool_or(h.word ~ '[[:alpha:]]') AS worded,
           sum(w.weight) / t.total AS share, coalesce(sum(w.weight) FILTER (WHERE h.in_title), 0) / t.total AS titled
    FROM hits h
    JOIN weights w ON w.language = h.language AND w.word = h.word
    JOIN totals t ON t.language = h.language
    GROUP BY h.id, t.total
)
SELECT a.id AS article, a.title, a.url, a.content AS body, a.language, q.query::text AS terms,
       (2 * s.share + s.titled + ts_rank_cd(a.search, q.query, 32)) / 4 AS rank
FROM scores s
JOIN articles a ON a.id = s.id
JOIN queries q ON q.language = a.language
WHERE s.worded AND (s.share + s.titled / 2 >= 0.55 OR s.matched >= 3 AND s.share >= 0.35)
ORDER BY rank DESC, a.id
LIMIT ?3`

// Search finds the organisation's public articles that answer a question put in a visitor's own words, the best first, at most
// limit. A question about something else finds nothing. Where nothing is found, misspelt words are taken for those they resemble,
// and the passages' Query says so. Ranks are above 0 and below 1, and comparable within one search.
func (l *Ledger) Search(ctx context.Context, org domain.OrgID, query string, limit int) ([]domain.Passage, error) {
	return l.SearchUpTo(ctx, org, domain.ClassPublic, query, limit)
}

// SearchUpTo is Search among the articles of the given classification and of all less confidential ones. The database filters them, so
// that nothing more confidential is ever read.
func (l *Ledger) SearchUpTo(ctx context.Context, org domain.OrgID, most domain.Classification, query string, limit int) ([]domain.Passage, error) {
	query = clean(query)
	ps, err := l.passages(ctx, org, most, query, limit)
	if err != nil || len(ps) > 0 {
		return ps, err
	}
	meant, err := l.respell(ctx, org, most, query)
	if err != nil || meant == query {
		return nil, err
	}
	ps, err = l.passages(ctx, org, most, meant, limit)
	for i := range ps {
		ps[i].Query = meant
	}
	return ps, err
}

// upTo are the classifications up to the given one, the least confidential first.
func upTo(most domain.Classification) []domain.Classification {
	all := domain.Classifications()
	return all[:slices.Index(all, most)+1] // none for one that does not exist
}

func (l *Ledger) passages(ctx context.Context, org domain.OrgID, most domain.Classification, query string, limit int) ([]domain.Passage, error) {
	var found []found
	if err := l.NewRaw(search, org, query, smallTalk, limit, references(query), bun.List(upTo(most))).Scan(ctx, &found); err != nil {
		return nil, classify(err)
	}
	ps := make([]domain.Passage, len(found))
	plain := make([]string, len(found))
	for i, f := range found {
		ps[i], plain[i] = f.Passage, plainText(f.Body)
	}
	fragments, err := l.fragments(ctx, found, plain)
	if err != nil {
		return nil, err
	}
	for i := range fragments {
		ps[i].Snippet = snippet(plain[i], fragments[i])
	}
	return ps, nil
}

// reference is a number with # or of four digits and more, or the address of a page or a mailbox.
var reference = regexp.MustCompile(`\S*#\s?\S*\d\S*|\S*\d{4}\S*|\S*://\S*|\bwww\.\S+|\S+@\S+`)

// references are the words of a question that name one particular thing.
func references(question string) string {
	return strings.Join(reference.FindAllString(question, -1), " ")
}

type found struct {
	domain.Passage
	Language string
	Terms    string // as the database takes them
}

// fragments picks the place in each plain text that speaks to the query best.
func (l *Ledger) fragments(ctx context.Context, fs []found, plain []string) ([]string, error) {
	if len(fs) == 0 {
		return nil, nil
	}
	var texts []string
	err := l.NewRaw(`SELECT ts_headline(u.language::regconfig, u.plain, u.query::tsquery, 'StartSel="", StopSel="", MaxWords=30, MinWords=10')
FROM unnest(?::text[], ?::text[], ?::text[]) WITH ORDINALITY AS u(language, plain, query, n) ORDER BY u.n`,
		bunArray(column(fs, func(f found) string { return f.Language })), bunArray(plain),
		bunArray(column(fs, func(f found) string { return f.Terms }))).Scan(ctx, &texts)
	return texts, classify(err)
}
