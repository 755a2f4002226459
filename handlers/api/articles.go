package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// Article is a piece of knowledge agents answer from.
type Article struct {
	ID       string `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Title    string `json:"title" example:"Delivery times"`
	URL      string `json:"url" doc:"Where contacts can read it; empty: nowhere." example:"https://shop.example/help/delivery"`
	Content  string `json:"content" doc:"Markdown." example:"We deliver within three working days."`
	Language string `json:"language" doc:"The text search configuration its words are looked up with." example:"english"`

	Classification string `json:"classification" enum:"PUBLIC,INTERNAL,CONFIDENTIAL" doc:"Who may learn of it. Agents that talk with visitors find PUBLIC articles only." example:"PUBLIC"`
	Source         string `json:"source" doc:"The file or page that an import found it in; empty: written by hand." example:"help/delivery.md"`

	CreatedAt Time `json:"created_at"`
	UpdatedAt Time `json:"updated_at"`
}

func showArticle(a domain.Article) Article {
	return Article{ID: string(a.ID), Title: a.Title, URL: a.URL, Content: a.Content, Language: a.Language,
		Classification: string(a.Classification), Source: a.Source, CreatedAt: Time(a.CreatedAt), UpdatedAt: Time(a.UpdatedAt)}
}

// ArticleFields is what can be set of an article.
type ArticleFields struct {
	Title    *string `json:"title,omitempty" example:"Delivery times"`
	URL      *string `json:"url,omitempty" doc:"Where contacts can read it; empty: nowhere." example:"https://shop.example/help/delivery"`
	Content  *string `json:"content,omitempty" doc:"Markdown." example:"We deliver within three working days."`
	Language *string `json:"language,omitempty" doc:"The text search configuration its words are looked up with; simple for any other language." example:"english"`

	Classification *domain.Classification `json:"classification,omitempty" enum:"PUBLIC,INTERNAL,CONFIDENTIAL" doc:"Who may learn of it." example:"PUBLIC"`
}

func (f ArticleFields) over(in account.ArticleInput) account.ArticleInput {
	lay(&in.Title, f.Title)
	lay(&in.URL, f.URL)
	lay(&in.Content, f.Content)
	lay(&in.Language, f.Language)
	lay(&in.Classification, f.Classification)
	return in
}

// ArticleCreate is the body that makes an article.
type ArticleCreate struct{ ArticleFields }

// newArticle is an article nobody has said anything of yet.
var newArticle = account.ArticleInput{Language: "english", Classification: domain.ClassPublic}

type createArticleRequest struct {
	Body ArticleCreate `example:"{\"title\":\"Delivery times\",\"url\":\"https://shop.example/help/delivery\",\"content\":\"We deliver within three working days.\"}"`
}

// ArticlesImport is the body that makes several articles of one text.
type ArticlesImport struct {
	Content        string                `json:"content" maxLength:"1000000" doc:"Markdown. Each heading of the highest level that it has more than once begins an article; without any it is one." example:"# Delivery\n\nThree working days.\n\n# Returns\n\nFree within 30 days."`
	Title          string                `json:"title,omitempty" doc:"Of what stands before the first heading, or of all without one." example:"Help"`
	Language       string                `json:"language,omitempty" doc:"As of an article; english by default." example:"english"`
	Classification domain.Classification `json:"classification,omitempty" enum:"PUBLIC,INTERNAL,CONFIDENTIAL" doc:"Who may learn of them; PUBLIC by default." example:"PUBLIC"`
}

// Articles are those that a text has become.
type Articles struct {
	Items []Article `json:"items"`
}

type importArticlesRequest struct {
	Body ArticlesImport `example:"{\"content\":\"# Delivery\\n\\nThree working days.\\n\\n# Returns\\n\\nFree within 30 days.\"}"`
}

type updateArticleRequest struct {
	Path
	Match
	Body ArticleFields `example:"{\"content\":\"We deliver within two working days.\"}"`
}

func (a *API) articleOperations() {
	const tag = tagArticles
	add(a, operation(http.MethodGet, "/articles", "list-articles", tag, "List articles", "All knowledge articles of the organisation, the oldest first."), a.listArticles)
	add(a, creates(ownerOperation(http.MethodPost, "/articles", "create-article", tag, "Create an article", "Agents can answer from it at once.")), a.createArticle)
	add(a, creates(ownerOperation(http.MethodPost, "/articles/import", "import-articles", tag, "Create several articles of one text", "A Markdown text is parted at its headings. With a problem in one of the parts none is stored; at most a hundred at once.")), a.importArticles)
	add(a, operation(http.MethodGet, "/articles/{id}", "get-article", tag, "Read an article", ""), a.getArticle)
	add(a, changes(ownerOperation(http.MethodPatch, "/articles/{id}", "update-article", tag, "Change an article", "Only the fields given change.")), a.updateArticle)
	add(a, ownerOperation(http.MethodDelete, "/articles/{id}", "delete-article", tag, "Delete an article", ""), a.deleteArticle)
	a.expect("ArticleCreate", []string{"title", "content"}, map[string]any{"language": newArticle.Language, "classification": newArticle.Classification})
	choose(a, "ArticleCreate", "language", account.Languages())
	choose(a, "ArticleFields", "language", account.Languages())
}

func (a *API) listArticles(ctx context.Context, in *struct{ Paging }) (*Answer[List[Article]], error) {
	all, err := a.Account.Articles(ctx, callerOf(ctx).scope())
	if err != nil {
		return nil, err
	}
	articles, next, err := page(all, func(a domain.Article) domain.ArticleID { return a.ID }, in.Paging)
	return list(articles, showArticle, next), err
}

func (a *API) createArticle(ctx context.Context, in *createArticleRequest) (*Tagged[Article], error) {
	made, err := a.Account.CreateArticle(ctx, callerOf(ctx).scope(), in.Body.over(newArticle))
	return tagged(showArticle(made)), err
}

func (a *API) importArticles(ctx context.Context, in *importArticlesRequest) (*Answer[Articles], error) {
	parts := account.SplitMarkdown(in.Body.Title, in.Body.Content)
	for i := range parts {
		parts[i].Language = cmp.Or(in.Body.Language, newArticle.Language)
		parts[i].Classification = cmp.Or(in.Body.Classification, newArticle.Classification)
	}
	made, err := a.Account.CreateArticles(ctx, callerOf(ctx).scope(), parts)
	out := Articles{Items: make([]Article, len(made))}
	for i, one := range made {
		out.Items[i] = showArticle(one)
	}
	return &Answer[Articles]{out}, err
}

func (a *API) getArticle(ctx context.Context, in *struct{ Path }) (*Tagged[Article], error) {
	article, err := a.article(ctx, in.ID)
	return tagged(showArticle(article)), err
}

func (a *API) updateArticle(ctx context.Context, in *updateArticleRequest) (*Tagged[Article], error) {
	id, err := domain.ParseID[domain.ArticleID](in.ID)
	if err != nil {
		return nil, err
	}
	changed, err := a.Account.ChangeArticle(ctx, callerOf(ctx).scope(), id, func(now domain.Article) (account.ArticleInput, error) {
		input := account.ArticleInput{Title: now.Title, URL: now.URL, Content: now.Content, Language: now.Language, Classification: now.Classification}
		return in.Body.over(input), in.check(showArticle(now))
	})
	return tagged(showArticle(changed)), err
}

func (a *API) deleteArticle(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.ArticleID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.DeleteArticle(ctx, callerOf(ctx).scope(), id)
}

// article reads the article that a path names.
func (a *API) article(ctx context.Context, path string) (domain.Article, error) {
	id, err := domain.ParseID[domain.ArticleID](path)
	if err != nil {
		return domain.Article{}, err
	}
	return a.Account.Article(ctx, callerOf(ctx).scope(), id)
}
