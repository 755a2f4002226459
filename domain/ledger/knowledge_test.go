package ledger_test

import (
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// What is not public is not found for a visitor, however well it fits.
func TestSearchStaysBelowItsClassification(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	of := func(c domain.Classification, title string) domain.Article {
		a := article(org, "english", title, "The refund limit for regulars.")
		a.Classification = c
		return a
	}
	store(t, l, of(domain.ClassPublic, "Refund limit"), of(domain.ClassInternal, "Refund limit inside"), of(domain.ClassConfidential, "Refund limit secret"))
	for most, want := range map[domain.Classification]int{domain.ClassPublic: 1, domain.ClassInternal: 2, domain.ClassConfidential: 3, "TOP": 0, "": 0} {
		ps, err := l.SearchUpTo(t.Context(), org, most, "what is the refund limit", 9)
		if err != nil || len(ps) != want {
			t.Errorf("%q finds %d, %v; want %d", most, len(ps), err, want)
		}
	}
	if got := titles(t, l, org, "what is the refund limit", 9); strings.Join(got, ",") != "Refund limit" {
		t.Errorf("a visitor is answered from %v", got)
	}
	// neither is a word of theirs good for mending a visitor's question
	store(t, l, of(domain.ClassInternal, "Zanzibar"), of(domain.ClassPublic, "Cinnamon"))
	if got := titles(t, l, org, "zanzibr", 9); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	ps, err := l.SearchUpTo(t.Context(), org, domain.ClassInternal, "zanzibr", 9)
	if err != nil || len(ps) != 1 || ps[0].Title != "Zanzibar" {
		t.Errorf("the team finds %v, %v", ps, err)
	}
}

func TestSearchForgivesSpelling(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	store(t, l,
		article(org, "english", "Shipping", "Shipping takes three days."),
		article(org, "english", "Warranty", "The warranty lasts two years."),
		article(org, "english", "Delivery", "Delivery is free."),
		article(org, "german", "Rückgabe", "Die Rückgabe ist kostenlos."))
	for question, want := range map[string]string{
		"how long is the warrenty": "Warranty", "WARRENTY?": "Warranty", "shiping": "Shipping", "delivry": "Delivery", "Rückgbe": "Rückgabe",
		"do you sell helicopters": "", "guarantor": "", "ship": "Shipping",
	} {
		ps, err := l.Search(t.Context(), org, question, 3)
		if err != nil {
			t.Fatal(err)
		}
		got, mended := "", false
		if len(ps) > 0 {
			got, mended = ps[0].Title, ps[0].Query != ""
		}
		if got != want || mended != (want != "" && question != "ship") {
			t.Errorf("%q finds %q (mended: %v), want %q", question, got, mended, want)
		}
	}
}

// The mended question is told in words that people know, not in the stems that the articles are indexed by.
func TestSearchSaysWhatItTookAWordFor(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	org := f.Org
	store(t, l, article(org, "english", "Warranty", "The warranty lasts two years; warranties can be extended."), article(org, "english", "Shipping", "Shipping takes three days."))
	for question, want := range map[string]string{"how long is the warrenty?": "how long is the warranty?", "Warrenties": "warranties", "shiping": "shipping"} {
		ps, err := l.Search(t.Context(), org, question, 3)
		if err != nil || len(ps) != 1 || ps[0].Query != want {
			t.Errorf("%q was understood as %+v, %v; want %q", question, ps, err, want)
		}
	}
}

// A database without trigrams finds whatever is spelt right.
func TestSearchDoesWithoutTrigrams(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	org := f.Org
	store(t, l, article(org, "english", "Warranty", "The warranty lasts two years."))
	if _, err := l.NewRaw(`DROP EXTENSION pg_trgm CASCADE`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for question, want := range map[string]int{"warrenty": 0, "guaranty": 0, "warranty": 1} {
		if got := titles(t, l, org, question, 3); len(got) != want {
			t.Errorf("%q finds %v", question, got)
		}
	}
	mustAppend(t, l, line(f, "1", "hello"))
	if err := l.SetContactDetails(t.Context(), org, f.Contact, "Anna Quist", "", ""); err != nil {
		t.Fatal(err)
	}
	if got := find(t, l, f, "quis"); len(got) != 1 {
		t.Errorf("the contact's name finds %v", got)
	}
}

func TestPutArticleIsIdempotentInItsSource(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org, other := ledgertest.Seed(t, l).Org, ledgertest.Seed(t, l).Org
	put := func(org domain.OrgID, source, content string, want ledger.Imported) {
		t.Helper()
		a := article(org, "english", "T", content)
		a.Source, a.Classification = source, domain.ClassPublic
		if got, err := l.PutArticle(t.Context(), a); err != nil || got != want {
			t.Errorf("%s %q: %s, %v; want %s", source, content, got, err, want)
		}
	}
	put(org, "a.md", "one", ledger.ImportAdded)
	put(org, "a.md", "one", ledger.ImportUnchanged)
	put(org, "a.md", "two", ledger.ImportUpdated)
	put(other, "a.md", "one", ledger.ImportAdded)
	put(org, "b.md", "one", ledger.ImportAdded)
	put(org, "https://x.example/c", "one", ledger.ImportAdded)
	store(t, l, article(org, "english", "By hand", "one"))
	gone, err := l.PruneArticles(t.Context(), org, "", []string{"a.md", "https://x.example/c"})
	if err != nil || strings.Join(gone, ",") != "b.md" {
		t.Errorf("pruned %v, %v", gone, err)
	}
	if gone, err = l.PruneArticles(t.Context(), org, "https://x.example/", nil); err != nil || len(gone) != 1 {
		t.Errorf("pruned %v, %v", gone, err)
	}
	all, err := l.Articles(t.Context(), org)
	if err != nil || len(all) != 2 || all[0].Title != "By hand" || all[1].Content != "two" {
		t.Errorf("left %+v, %v", all, err)
	}
	if all, _ = l.Articles(t.Context(), other); len(all) != 1 {
		t.Errorf("another organisation's are %v", all)
	}
}
