package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func article(org domain.OrgID, language, title, content string) domain.Article {
	return domain.Article{ID: ledger.NewID[domain.ArticleID](), OrgID: org, Title: title, Content: content, Language: language, CreatedAt: time.Now(), UpdatedAt: time.Now()}
}

func store(t *testing.T, l *ledger.Ledger, as ...domain.Article) {
	t.Helper()
	if err := l.CreateArticle(t.Context(), as...); err != nil {
		t.Fatal(err)
	}
}

func titles(t *testing.T, l *ledger.Ledger, org domain.OrgID, question string, limit int) []string {
	t.Helper()
	ps, err := l.Search(t.Context(), org, question, limit)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range ps {
		found = append(found, p.Title)
	}
	return found
}

func TestSearchSpeaksTheArticlesLanguage(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	store(t, l,
		article(org, "english", "Returns", "You may return goods within thirty days."),
		article(org, "german", "Rückgaben", "Sie können Waren innerhalb von dreißig Tagen zurückgeben."),
		article(org, "french", "Retours", "Vous pouvez renvoyer les articles sous trente jours."),
		article(org, "simple", "zwroty", "Towar można zwrócić w ciągu trzydziestu dni."),
	)
	tests := []struct{ question, want string }{
		{"may I be returning these?", "Returns"},
		{"Wie lange habe ich für eine Rückgabe?", "Rückgaben"},
		{"Puis-je renvoyer un article?", "Retours"},
		{"czy można zwrócić towar", "zwroty"},
		{"czy mogę zwracać", ""}, // simple knows no grammar
		{"Kann ich in Raten zahlen?", ""},
	}
	for _, tt := range tests {
		if got := titles(t, l, org, tt.question, 5); strings.Join(got, ",") != tt.want {
			t.Errorf("%q finds %v, want %s", tt.question, got, tt.want)
		}
	}
}

func TestSearchWeighsRareWords(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	for i := range 20 {
		store(t, l, article(org, "english", fmt.Sprintf("Bag %c", 'A'+i), "This bag is a good bag for the road."))
	}
	store(t, l, article(org, "english", "Umbrella", "A bag for your umbrella."), article(org, "english", "Clerk", "Our clerk's name is O'Neill \\ \"Bob\"."))
	if got := titles(t, l, org, "which bag takes my umbrella", 3); len(got) == 0 || got[0] != "Umbrella" {
		t.Errorf("finds %v, want Umbrella first", got)
	}
	if got := titles(t, l, org, "a bag for my wetsuit", 3); len(got) != 0 {
		t.Errorf("a word that every article has leads to %v", got)
	}
	if got := titles(t, l, org, "bag", 7); len(got) != 7 {
		t.Errorf("%d articles, want the limit", len(got))
	}
	if got := titles(t, l, org, `o'neill\bob`, 3); !slices.Equal(got, []string{"Clerk"}) {
		t.Errorf("quotes lead to %v", got)
	}
	if got := titles(t, l, ledgertest.Seed(t, l).Org, "umbrella", 3); len(got) != 0 {
		t.Errorf("another organisation finds %v", got)
	}
}

func TestSearchPassesOverReferences(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	store(t, l,
		article(org, "english", "Orders", "An order is on its way for two days."),
		article(org, "english", "Lamps", "The lamp AX-4711 takes three batteries."),
		article(org, "english", "Mail", "Write to hello@shop.example."),
	)
	tests := []struct{ question, want string }{
		{"order #12345", "Orders"},
		{"order # 12", "Orders"},
		{"my order NW-20231187 of joe@other.example", "Orders"},
		{"order https://shop.example/orders/4711?x=1", "Orders"},
		{"batteries of the AX-4711", "Lamps"}, // an article has it
		{"is it hello@shop.example", "Mail"},
		{"order helicopter parts", ""}, // a word is no reference
		{"one two three", ""},
		{"#12345", ""},
	}
	for _, tt := range tests {
		if got := titles(t, l, org, tt.question, 5); strings.Join(got, ",") != tt.want {
			t.Errorf("%q finds %v, want %s", tt.question, got, tt.want)
		}
	}
}

func TestSearchPrefersMoreOfTheQuestion(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	for i := range 6 {
		store(t, l, article(org, "english", fmt.Sprintf("Other %d", i), "Something else."))
	}
	store(t, l,
		article(org, "english", "Loud", strings.Repeat("Saddle leather! Leather saddle! ", 40)),
		article(org, "english", "Whole", "We clean everything, also what is made of leather, such as a saddle."),
	)
	if got := titles(t, l, org, "can you clean a leather saddle?", 5); !slices.Equal(got, []string{"Whole", "Loud"}) {
		t.Errorf("finds %v, want what speaks to the whole question first", got)
	}
}

func TestSnippetIsPlainText(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	tests := []struct{ word, content, want string }{
		{"zebra", "The **zebra** is _striped_, `small` and ~~grey~~ *quick*.", "The zebra is striped, small and grey quick."},
		{"yak", "See [the yak](https://x.example/a_b) and ![a picture](p.png) at <https://yak.example>.", "See the yak and a picture at https://yak.example."},
		{"xerus", "# The xerus\n\nIt digs\nholes\n\n## Food #\n- roots\n- [ ] seeds\n  and *leaves*\n1. more", "The xerus: It digs holes; Food: roots; seeds and leaves; more"},
		{"wombat", "| Animal | Weight |\n|:---|---:|\n| wombat | 30 kg |\n\nHeavy.", "Animal · Weight; wombat · 30 kg; Heavy."},
		{"vole", "> The vole\n> hides.\n\n---\n\n```go\nvole()\n```\n[1]: https://x.example", "The vole hides. vole()"},
		{"urial", "A <b>urial</b> &amp; its \\*lamb\\*, 2 * 3 = 6, snake_case_name<!-- hidden -->", "A urial & its *lamb*, 2 * 3 = 6, snake_case_name"},
		{"tapir", "The tapir walks.\r\nIt swims.\r\n", "The tapir walks. It swims."},
	}
	for _, tt := range tests {
		t.Run(tt.word, func(t *testing.T) {
			t.Parallel()
			store(t, l, article(org, "english", "About the "+tt.word, tt.content))
			ps, err := l.Search(t.Context(), org, tt.word, 1)
			if err != nil || len(ps) != 1 {
				t.Fatalf("found %v, %v", ps, err)
			}
			if ps[0].Snippet != tt.want {
				t.Errorf("snippet %q, want %q", ps[0].Snippet, tt.want)
			}
			if ps[0].Body != tt.content {
				t.Errorf("the body is %q", ps[0].Body)
			}
		})
	}
}

func TestSnippetShowsThePlace(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	filler := strings.Repeat("Nothing of interest stands in this sentence at all. ", 30)
	endless := strings.Repeat("lorem ", 80)
	store(t, l,
		article(org, "english", "Long", filler+"The **quokka** smiles at you. "+filler),
		article(org, "english", "Endless", endless+"numbat "+endless),
		article(org, "english", "Wide", strings.Repeat("字", 500)+" bilby "+strings.Repeat("字", 500)),
	)
	tests := []struct{ word, begins, ends string }{
		{"quokka", "The quokka smiles at you. Nothing", "at all."},
		{"numbat", "", "lorem…"},
		{"bilby", "", "…"},
	}
	for _, tt := range tests {
		ps, err := l.Search(t.Context(), org, tt.word, 1)
		if err != nil || len(ps) != 1 {
			t.Fatalf("found %v, %v", ps, err)
		}
		s := ps[0].Snippet
		if n := utf8.RuneCountInString(s); n > 280 || !utf8.ValidString(s) || !strings.HasPrefix(s, tt.begins) || !strings.HasSuffix(s, tt.ends) {
			t.Errorf("snippet of %d characters for %s: %q", n, tt.word, s)
		}
		if tt.word != "bilby" && !strings.Contains(s, tt.word) {
			t.Errorf("the snippet lacks %s: %q", tt.word, s)
		}
	}
}

// A list needs no more of long texts than how they begin.
func TestArticleOpenings(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org, other := ledgertest.Seed(t, l).Org, ledgertest.Seed(t, l).Org
	long := strings.Repeat("ä long story. ", 1000)
	store(t, l, article(org, "english", "Long", long), article(org, "german", "Kurz", "Kurz."), article(other, "english", "Theirs", long))
	as, err := l.ArticleOpenings(t.Context(), org)
	if err != nil || len(as) != 2 || as[0].Title != "Kurz" || as[0].Content != "Kurz." || as[0].Language != "german" {
		t.Fatalf("%+v, %v", as, err)
	}
	if n := len([]rune(as[1].Content)); n < 500 || n > 6000 || !strings.HasPrefix(long, as[1].Content) {
		t.Errorf("%d letters of the long one: %.60q", n, as[1].Content)
	}
}
