package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// ArticleInput is what an owner says about a piece of knowledge. A blank language means english.
type ArticleInput struct {
	Title    string
	URL      string // where a visitor can read it; may be blank
	Content  string // Markdown
	Language string // one of Languages

	Classification domain.Classification // blank = PUBLIC
}

const (
	maxArticleTitle = 200 // characters
	maxArticle      = 50_000
)

// languages are the text search configurations every supported Postgres (14 and newer) brings along.
var languages = []string{
	"arabic", "armenian", "basque", "catalan", "danish", "dutch", "english", "finnish", "french", "german", "greek", "hindi", "hungarian",
	"indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian", "portuguese", "romanian", "russian", "serbian", "simple",
	"spanish", "swedish", "tamil", "turkish", "yiddish",
}

// Languages are those an article can be in; simple is for every other.
func Languages() []string { return slices.Clone(languages) }

// check returns the input as it is stored, or Invalid with a problem for every bad field.
func (in ArticleInput) check() (ArticleInput, error) {
	p := problems{}
	in.Title = p.line("title", in.Title, maxArticleTitle, true)
	in.URL = p.link("url", in.URL)
	in.Content = p.paragraphs("content", in.Content, maxArticle, true)
	in.Language = cmp.Or(strings.ToLower(strings.TrimSpace(in.Language)), "english")
	p.oneOf("language", in.Language, languages...)
	in.Classification = cmp.Or(domain.Classification(strings.ToUpper(strings.TrimSpace(string(in.Classification)))), domain.ClassPublic)
	if !slices.Contains(domain.Classifications(), in.Classification) {
		p.add("classification", "must be one of PUBLIC, INTERNAL, CONFIDENTIAL")
	}
	return in, p.err()
}

// CheckArticle says what is wrong with an article before it is stored; nil if nothing is.
func CheckArticle(in ArticleInput) error {
	_, err := in.check()
	return err
}

func (in ArticleInput) over(a *domain.Article) {
	a.Title, a.URL, a.Content, a.Language, a.Classification, a.UpdatedAt = in.Title, in.URL, in.Content, in.Language, in.Classification, now()
}

// Articles lists an organisation's articles by title.
func (s *Service) Articles(ctx context.Context, org domain.OrgID) ([]domain.Article, error) {
	return s.ledger.Articles(ctx, org)
}

// ArticleOpenings is Articles with no more of their contents than the beginning.
func (s *Service) ArticleOpenings(ctx context.Context, org domain.OrgID) ([]domain.Article, error) {
	return s.ledger.ArticleOpenings(ctx, org)
}

// Article reads an article. It fails with NotFound, for another organisation's too.
func (s *Service) Article(ctx context.Context, org domain.OrgID, id domain.ArticleID) (domain.Article, error) {
	a, err := s.ledger.Article(ctx, org, id)
	return a, found(err, "article")
}

// CreateArticle makes an article; agents find it at once. It fails with Invalid.
func (s *Service) CreateArticle(ctx context.Context, org domain.OrgID, in ArticleInput) (domain.Article, error) {
	a, err := newArticle(org, in)
	if err != nil {
		return domain.Article{}, err
	}
	if err := s.ledger.CreateArticle(ctx, a); err != nil {
		return domain.Article{}, err
	}
	return a, nil
}

func newArticle(org domain.OrgID, in ArticleInput) (domain.Article, error) {
	in, err := in.check()
	a := domain.Article{ID: ledger.NewID[domain.ArticleID](), OrgID: org, CreatedAt: now()}
	in.over(&a)
	return a, err
}

// MaxArticlesAtOnce bounds how many articles one text may become.
const MaxArticlesAtOnce = 100

// CreateArticles makes all of the articles, or none. It fails with Invalid, naming the article, and if there is none or too many.
func (s *Service) CreateArticles(ctx context.Context, org domain.OrgID, ins []ArticleInput) ([]domain.Article, error) {
	switch n := len(ins); {
	case n == 0:
		return nil, domain.InvalidField("content", "is needed")
	case n > MaxArticlesAtOnce:
		return nil, domain.InvalidField("content", "has more than a hundred articles")
	}
	all := make([]domain.Article, len(ins))
	for i, in := range ins {
		a, err := newArticle(org, in)
		if e, ok := errors.AsType[*domain.Error](err); ok {
			return nil, domain.InvalidField("content", fmt.Sprintf("has an article that is not acceptable, %.80q: %s", in.Title, e.Msg))
		}
		all[i] = a
	}
	return all, s.ledger.CreateArticle(ctx, all...)
}

// UpdateArticle changes an article; agents find the new words at once. It fails with Invalid and NotFound.
func (s *Service) UpdateArticle(ctx context.Context, org domain.OrgID, id domain.ArticleID, in ArticleInput) (domain.Article, error) {
	return s.ChangeArticle(ctx, org, id, func(domain.Article) (ArticleInput, error) { return in, nil })
}

// ChangeArticle lets change say what an article is to be, looking at what it is, while nobody else can change it. It fails as UpdateArticle
// and change do.
func (s *Service) ChangeArticle(ctx context.Context, org domain.OrgID, id domain.ArticleID, change func(domain.Article) (ArticleInput, error)) (domain.Article, error) {
	var a domain.Article
	err := s.ledger.InTx(ctx, func(tx *ledger.Ledger) (err error) {
		if a, err = tx.LockArticle(ctx, org, id); err != nil {
			return found(err, "article")
		}
		in, err := change(a)
		if err != nil {
			return err
		}
		if in, err = in.check(); err != nil {
			return err
		}
		in.over(&a)
		return tx.UpdateArticle(ctx, a)
	})
	if err != nil {
		return domain.Article{}, err
	}
	return a, nil
}

// DeleteArticle removes an article. It fails with NotFound.
func (s *Service) DeleteArticle(ctx context.Context, org domain.OrgID, id domain.ArticleID) error {
	return found(s.ledger.DeleteArticle(ctx, org, id), "article")
}

// passagesAsked is how many places the answer to a question is drawn from: as many as an agent looks at.
const passagesAsked = 5

// Ask searches the public articles as an agent would, for a question in a visitor's own words. It returns at most five passages, the best
// first; none, and no error, if no article is about the question or the question is blank.
func (s *Service) Ask(ctx context.Context, org domain.OrgID, question string) ([]domain.Passage, error) {
	question = strings.TrimSpace(question)
	if question == "" {
		return nil, nil
	}
	return s.ledger.Search(ctx, org, question, passagesAsked)
}
