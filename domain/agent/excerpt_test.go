package agent

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("This sentence fills the page with words nobody asks for. ", 15)
	for name, tt := range map[string]struct{ body, question, want string }{
		"whole paragraph": {"# T\n\nOne thing.\n\nParcels take two days. They come by post.", "how long do parcels take", "Parcels take two days. They come by post."},
		"no match begins": {"# T\n\nFirst words here.", "zzz", "First words here."},
		"only headings":   {"# T\n\n## U\n", "t", ""},
		"setext":          {"Title\n=====\n\nBody text.\n\nMore\n----\nparcel text", "parcel", "parcel text"},
		"section counts":  {"## Shipping\n\nWe use the post.\n\n## Paying\n\nWe take cards.", "paying", "We take cards."},
		"sentence of a long paragraph": {
			long + "A parcel costs 4.90 EUR, e.g. within Austria. " + long, "parcel costs",
			"A parcel costs 4.90 EUR, e.g. within Austria. " + strings.TrimSpace(strings.Repeat("This sentence fills the page with words nobody asks for. ", 9)),
		},
		"list with its introduction": {"Text.\n\nPack like this:\n\n- box\n- tape, *two* rolls\n  of it\n- label\n\nEnd.", "tape rolls", "Pack like this:\n\n- box\n- tape, *two* rolls\n  of it\n- label"},
		"list with the text above":   {"## Needs\n\nIt runs anywhere.\n\n- 1 CPU\n- 512 MB of memory", "memory", "It runs anywhere.\n\n- 1 CPU\n- 512 MB of memory"},
		"list too long": {
			"Choose:\n\n" + strings.Repeat("- an item that nobody asks for, whatever they may ask\n", 20) + "- parcel\n- last", "parcel", "Choose:\n\n- parcel\n- last",
		},
		"code stays whole":  {"Run this:\n\n```sh\nparley serve\n\nparley doctor\n```\n", "doctor", "Run this:\n\n```\nparley serve\n\nparley doctor\n```"},
		"image dropped":     {"![secret](https://x.example/a.png) See the parcel.", "parcel", "See the parcel."},
		"soft wraps joined": {"A parcel\ncomes\nsoon.", "parcel", "A parcel comes soon."},
		"quote":             {"> A parcel\n> comes.", "parcel", "A parcel comes."},
		"rule dropped":      {"One parcel.\n\n---\n\nTwo parcels.", "parcel", "One parcel.\n\nTwo parcels."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := excerpt(tt.body, meaningful(wordsOf(tt.question), &english), answerChars); got != tt.want {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestExcerptEndsWithASentence(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("Every parcel is packed by hand, which takes its time. ", 40)
	got := excerpt(body, []string{"parcel"}, answerChars)
	if n := utf8.RuneCountInString(got); n > answerChars || n < answerChars/2 || !strings.HasSuffix(got, ".") {
		t.Errorf("%d characters, ending %q", n, got[len(got)-20:])
	}
	endless := strings.Repeat("word ", 400)
	if got := excerpt(endless, []string{"word"}, answerChars); utf8.RuneCountInString(got) > answerChars || !strings.HasSuffix(got, "…") {
		t.Errorf("an endless sentence came out as %q", got)
	}
}

func TestCitationSnippetsAreShort(t *testing.T) {
	t.Parallel()
	p := domain.Passage{Article: "1", Title: "T", Snippet: strings.Repeat("snippet ", 100), Body: "parcel"}
	reply, ok := answerFrom([]domain.Passage{p}, talk{words: []string{"parcel"}, lines: 1})
	if !ok || utf8.RuneCountInString(reply.Citations[0].Snippet) > snippetChars {
		t.Errorf("%v %+v", ok, reply)
	}
	p.Snippet, p.Body = "", "See **the** [parcel](https://x.example)."
	reply, _ = answerFrom([]domain.Passage{p}, talk{words: []string{"parcel"}, lines: 1})
	if got := reply.Citations[0].Snippet; got != "See the parcel." {
		t.Errorf("snippet = %q", got)
	}
}

func TestAnswerLead(t *testing.T) {
	t.Parallel()
	passage := func(id domain.ArticleID, rank float64, body string) domain.Passage {
		return domain.Passage{Article: id, Title: "T" + string(id), Rank: rank, Body: body}
	}
	titled := func(title string, p domain.Passage) domain.Passage { p.Title = title; return p }
	for name, tt := range map[string]struct {
		hits []domain.Passage
		want string // titles cited
	}{
		"the first":              {[]domain.Passage{passage("1", .4, "A parcel."), passage("2", .3, "Parcels.")}, "T1"},
		"one that says more":     {[]domain.Passage{passage("1", .4, "A parcel."), passage("2", .3, "A parcel costs four.")}, "T2"},
		"not if ranked far off":  {[]domain.Passage{passage("1", .4, "A parcel."), passage("2", .1, "A parcel costs four.")}, "T1"},
		"two that add up":        {[]domain.Passage{passage("1", .4, "A parcel."), titled("Costs", passage("2", .3, "It costs four."))}, "T1 Costs"},
		"not for a passing word": {[]domain.Passage{passage("1", .4, "A parcel."), passage("2", .3, "It costs four.")}, "T1"},
		"not from a title":       {[]domain.Passage{titled("Parcels", passage("1", .4, "Parcels.")), passage("2", .3, "A parcel costs four.")}, "Parcels"},
		"an article once":        {[]domain.Passage{passage("1", .4, "A parcel."), passage("1", .3, "It costs four.")}, "T1"},
		"an empty article never": {[]domain.Passage{passage("1", .4, " "), passage("2", .3, "A parcel.")}, "T2"},
	} {
		reply, _ := answerFrom(tt.hits, talk{words: []string{"parcel", "costs"}, lines: 1})
		var titles []string
		for _, c := range reply.Citations {
			titles = append(titles, c.Title)
		}
		if got := strings.Join(titles, " "); got != tt.want {
			t.Errorf("%s: cites %q, want %q", name, got, tt.want)
		}
	}
}

func TestAkin(t *testing.T) {
	t.Parallel()
	for pair, want := range map[string]bool{
		"return returns": true, "return returning": true, "pay payment": true, "ship shipping": true, "lieferung liefern": true,
		"retour retourner": true, "open opening": true, "car carpet": true, "house mouse": false, "order orbit": false, "a an": false,
	} {
		a, b, _ := strings.Cut(pair, " ")
		if akin(a, b) != want || akin(b, a) != want {
			t.Errorf("%s: want %v", pair, want)
		}
	}
}

func FuzzExcerpt(f *testing.F) {
	f.Add("# T\n\n- a\n- b\n\n```\nx", "a b", 40)
	f.Add("a\n===\n|x|\n> q.", "q", 0)
	f.Fuzz(func(t *testing.T, body, question string, limit int) {
		limit = max(1, min(limit, 1000))
		words := meaningful(wordsOf(question), &english)
		got := excerpt(body, words, limit)
		if got != excerpt(body, words, limit) {
			t.Error("not the same twice")
		}
	})
}
