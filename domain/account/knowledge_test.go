package account_test

import (
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

func page() account.ArticleInput {
	return account.ArticleInput{Title: " Parking ", URL: "https://shop.example/parking", Content: "Park **behind** the house.\r\nIt is free.\n"}
}

func TestArticleLife(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	a, err := s.CreateArticle(t.Context(), s.org, page())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := s.Article(t.Context(), s.org, a.ID)
	if err != nil || stored.Title != "Parking" || stored.Content != "Park **behind** the house.\nIt is free." || stored.Language != "english" ||
		stored.URL != "https://shop.example/parking" || !stored.CreatedAt.Equal(a.CreatedAt) {
		t.Errorf("stored %+v, %v", stored, err)
	}
	finds := func(question string) bool {
		t.Helper()
		ps, err := s.ledger.Search(t.Context(), s.org, question, 5)
		if err != nil {
			t.Fatal(err)
		}
		return len(ps) > 0 && ps[0].Article == a.ID
	}
	if !finds("where can I park?") {
		t.Error("a new article is not found")
	}

	in := page()
	in.Title, in.Content, in.Language = "Parkplätze", "Die Parkplätze sind hinter dem Haus.", "german"
	changed, err := s.UpdateArticle(t.Context(), s.org, a.ID, in)
	if err != nil {
		t.Fatal(err)
	}
	if changed.Language != "german" || !changed.CreatedAt.Equal(a.CreatedAt) || !changed.UpdatedAt.After(a.UpdatedAt) {
		t.Errorf("changed %+v", changed)
	}
	if finds("is it free?") || !finds("Gibt es einen Parkplatz?") {
		t.Error("the search knows the old words or not the new ones")
	}

	first := page()
	first.Title = "about us"
	must[domain.Article](t)(s.CreateArticle(t.Context(), s.org, first))
	if as, err := s.Articles(t.Context(), s.org); err != nil || len(as) != 2 || as[0].Title != "about us" || as[1].ID != a.ID {
		t.Errorf("articles %+v, %v; want them by title", as, err)
	}
	if err := s.DeleteArticle(t.Context(), s.org, a.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.Article(t.Context(), s.org, a.ID)
	wantKind(t, err, domain.NotFound)
	if finds("Gibt es einen Parkplatz?") {
		t.Error("a deleted article is found")
	}
}

func TestArticleRules(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	stored := must[domain.Article](t)(s.CreateArticle(t.Context(), s.org, page()))
	type input = account.ArticleInput
	tests := []struct {
		name  string
		spoil func(*input)
		field string // empty: it is fine
	}{
		{"as it is", func(*input) {}, ""},
		{"no title", func(in *input) { in.Title = "" }, "title"},
		{"long title", func(in *input) { in.Title = strings.Repeat("t", 201) }, "title"},
		{"no content", func(in *input) { in.Content = " \n" }, "content"},
		{"long content", func(in *input) { in.Content = strings.Repeat("c", 50_001) }, "content"},
		{"longest content", func(in *input) { in.Content = strings.Repeat("wörter ", 7_142) }, ""},
		{"NUL in the content", func(in *input) { in.Content = "a\x00b" }, "content"},
		{"no URL", func(in *input) { in.URL = "" }, ""},
		{"path", func(in *input) { in.URL = "/demo#shipping" }, ""},
		{"script", func(in *input) { in.URL = "javascript:alert(1)" }, "url"},
		{"another site's path", func(in *input) { in.URL = "//evil.example/x" }, "url"},
		{"no host", func(in *input) { in.URL = "https://" }, "url"},
		{"bare name", func(in *input) { in.URL = "shop.example" }, "url"},
		{"long URL", func(in *input) { in.URL = "https://shop.example/" + strings.Repeat("x", 2048) }, "url"},
		{"no language", func(in *input) { in.Language = "" }, ""},
		{"unknown language", func(in *input) { in.Language = "klingon" }, "language"},
		{"SQL for a language", func(in *input) { in.Language = "english'); --" }, "language"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := page()
			tt.spoil(&in)
			_, createErr := s.CreateArticle(t.Context(), s.org, in)
			_, updateErr := s.UpdateArticle(t.Context(), s.org, stored.ID, in)
			if tt.field == "" {
				if createErr != nil || updateErr != nil {
					t.Errorf("refused: %v, %v", createErr, updateErr)
				}
				return
			}
			wantProblems(t, createErr, tt.field)
			wantProblems(t, updateErr, tt.field)
		})
	}
}

// The languages we offer must be what the database has.
func TestEveryLanguageCanBeSearched(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	for _, language := range account.Languages() {
		in := page()
		in.Language = language
		if _, err := s.CreateArticle(t.Context(), s.org, in); err != nil {
			t.Errorf("%s: %v", language, err)
		}
	}
	if ps, err := s.ledger.Search(t.Context(), s.org, "house", 50); err != nil || len(ps) < 20 {
		t.Errorf("found %d, %v", len(ps), err)
	}
}

func TestArticlesOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	a := must[domain.Article](t)(s.CreateArticle(t.Context(), s.org, page()))
	other := newOrg(t, s.ledger, "other")
	_, err := s.Article(t.Context(), other, a.ID)
	wantKind(t, err, domain.NotFound)
	_, err = s.UpdateArticle(t.Context(), other, a.ID, page())
	wantKind(t, err, domain.NotFound)
	wantKind(t, s.DeleteArticle(t.Context(), other, a.ID), domain.NotFound)
	if as, err := s.Articles(t.Context(), other); err != nil || as == nil || len(as) != 0 {
		t.Errorf("the other organisation sees %v, %v", as, err)
	}
	if ps, err := s.ledger.Search(t.Context(), other, "parking behind the house", 5); err != nil || len(ps) != 0 {
		t.Errorf("the other organisation finds %v, %v", ps, err)
	}
	if _, err := s.Article(t.Context(), s.org, a.ID); err != nil {
		t.Errorf("the article is gone: %v", err)
	}
}

func TestAskFindsWhatAnAgentWould(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	parking := must[domain.Article](t)(s.CreateArticle(t.Context(), s.org, page()))
	for range 7 {
		in := page()
		in.Title, in.Content = "Bicycles", "Bicycles stand in the yard."
		must[domain.Article](t)(s.CreateArticle(t.Context(), s.org, in))
	}
	other := newOrg(t, s.ledger, "other")
	tests := []struct {
		name, question string
		org            domain.OrgID
		found          int
		first          domain.ArticleID // empty: whichever
	}{
		{"a question", " Where can I park? ", s.org, 1, parking.ID},
		{"no more than an agent looks at", "where do bicycles stand?", s.org, 5, ""},
		{"beside the point", "Do you sell helicopters?", s.org, 0, ""},
		{"blank", " \n", s.org, 0, ""},
		{"what the database could not read", "park\x00 \xff' | !", s.org, 1, parking.ID},
		{"another organisation", "Where can I park?", other, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := s.Ask(t.Context(), tt.org, tt.question)
			if err != nil || len(found) != tt.found {
				t.Fatalf("found %+v, %v; want %d", found, err, tt.found)
			}
			if tt.first != "" && (found[0].Article != tt.first || found[0].Snippet == "") {
				t.Errorf("first is %+v", found[0])
			}
		})
	}
}
