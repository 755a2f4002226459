package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// find is which threads of the fixture's organisation a search finds, the newest first.
func find(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture, question string) (ids []domain.ThreadID) {
	t.Helper()
	cs, err := l.Conversations(t.Context(), f.Org, ledger.ConversationFilter{Query: question, Limit: 100})
	if err != nil {
		t.Fatalf("%q: %v", question, err)
	}
	for _, c := range cs {
		ids = append(ids, c.ID)
	}
	return ids
}

// index makes all that was said searchable.
func index(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	for {
		if n, err := l.MakeSearchable(t.Context(), 3); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			return
		}
	}
}

// What is found is whatever contains the question, the case aside, be it that the index has it or not yet.
func TestSearchFindsWhatWasSaid(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, other := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	for i, content := range []string{"Where is order ORD-77831?", "5% off, Straße 9", "ПРИВЕТ, мир", "我想要退款吗", "İstanbul ve ılık", "one\ntwo words", "a_b"} {
		mustAppend(t, l, line(f, fmt.Sprint(i), content))
		mustAppend(t, l, line(other, fmt.Sprint(i), "nothing of the kind"))
	}
	if err := l.SetContactDetails(t.Context(), f.Org, f.Contact, "Zoë Quist", "zoe@mail.example", "+49 30 123"); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"not indexed", "indexed"} {
		for question, found := range map[string]bool{
			"order ord": true, "77831": true, "7831?": true, "ord-77832": false, "5%": true, "%": true, "6%": false, "straße": true, "aße 9": true,
			"привет": true, "Вет, М": true, "превет": false, "退款": true, "款": true, "款退": false, "stanbul": true, "ILIK": false, "two WORDS": true, "one two": false,
			"a_b": true, "axb": false, "q": true, "zoë": true, "QUIST": true, "oe@mail": true, "30 123": true, "quist zoe": false, "": true,
		} {
			if got := len(find(t, l, f, question)) > 0; got != found {
				t.Errorf("%s: %q is found: %v, want %v", when, question, got, found)
			}
		}
		if got := find(t, l, other, "order"); len(got) != 0 {
			t.Errorf("%s: another organisation finds %v", when, got)
		}
		index(t, l)
	}
}

// Whatever Postgres finds has the grams of what is looked for: the index hides nothing.
func TestGramsOfAPartAreInTheWhole(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	letters := []rune("aAbBkKsSiI1 -%ſKåÅÅßẞЯяΣσςıİιͅéÉ退款ชอรǅǆ²ა\n")
	rnd := rand.New(rand.NewPCG(1, 2))
	const n = 3000
	texts, parts := make([]string, n), make([]string, n)
	for i := range n {
		text := make([]rune, 3+rnd.IntN(9))
		for j := range text {
			text[j] = letters[rnd.IntN(len(letters))]
		}
		from := rnd.IntN(len(text))
		part := slices.Clone(text[from : from+1+rnd.IntN(len(text)-from)])
		for j := range part { // perhaps the same in another case
			if k := rnd.IntN(4 * len(letters)); k < len(letters) {
				part[j] = letters[k]
			}
		}
		texts[i], parts[i] = string(text), string(part)
	}
	var found []int
	if err := l.NewRaw(`SELECT n FROM unnest(?::text[], ?::text[]) WITH ORDINALITY AS u(t, p, n) WHERE t ILIKE '%' || replace(p, '%', '\%') || '%'`,
		pgdialect.Array(texts), pgdialect.Array(parts)).Scan(t.Context(), &found); err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, i := range found {
		all := ledger.Grams("o", texts[i-1])
		for _, g := range ledger.Grams("o", parts[i-1]) {
			looked++
			if _, ok := slices.BinarySearch(all, g); !ok {
				t.Errorf("%q is in %q, and one of its grams is not", parts[i-1], texts[i-1])
			}
		}
	}
	if looked < n/10 {
		t.Fatalf("looked at %d", looked)
	}
}

// Once a line is in the index nothing else is read to find it: that is what makes a search of millions of lines quick.
func TestSearchReadsTheIndex(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	mustAppend(t, l, line(f, "1", "hippopotamus"))
	index(t, l)
	if _, err := l.NewRaw(`DELETE FROM thread_grams WHERE org_id = ?`, f.Org).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := find(t, l, f, "popo"); len(got) != 0 {
		t.Errorf("found %v without the index", got)
	}
	mustAppend(t, l, line(f, "2", "giraffe"))
	if got := find(t, l, f, "giraffe"); len(got) != 1 {
		t.Errorf("found %v of a line that is not in the index yet", got)
	}
}

// A joined thread's lines are found where they are now, those of somebody who was erased nowhere, and nothing of them is left.
func TestSearchFollowsJoinsAndErasures(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	a, b := stranger(t, l, f), stranger(t, l, f)
	first := threadOf(t, l, a)
	says(t, l, a, first.ID, "elephant")
	person := identify(t, l, &a, "u1")
	second := threadOf(t, l, b)
	says(t, l, b, second.ID, "rhinoceros")
	index(t, l)
	says(t, l, a, first.ID, "antelope") // not in the index when the threads are joined
	identify(t, l, &b, "u1")
	for _, when := range []string{"joined", "joined and indexed"} {
		for _, question := range []string{"elephant", "antelope", "rhinoceros"} {
			if got := find(t, l, f, question); !slices.Equal(got, []domain.ThreadID{first.ID}) {
				t.Errorf("%s: %s is found in %v, not in %s", when, question, got, first.ID)
			}
		}
		index(t, l)
	}
	says(t, l, a, first.ID, "crocodile")
	if _, err := l.EraseContact(t.Context(), f.Org, person.ID); err != nil {
		t.Fatal(err)
	}
	index(t, l)
	var grams int
	if err := l.NewRaw(`SELECT coalesce(sum(cardinality(grams)), 0) FROM thread_grams WHERE org_id = ?`, f.Org).Scan(t.Context(), &grams); err != nil || grams != 0 {
		t.Errorf("%d grams are left of what was erased: %v", grams, err)
	}
}

// Lines that come while others are being indexed are found as well, whoever indexes them.
func TestSearchableWhilePeopleTalk(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, node := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	var fs []ledgertest.Fixture
	for range 4 {
		fs = append(fs, ledgertest.Seed(t, l))
	}
	var talking, indexing sync.WaitGroup
	over := make(chan struct{})
	for _, n := range []*ledger.Ledger{l, node} {
		indexing.Go(func() {
			for {
				if _, err := n.MakeSearchable(t.Context(), 3); err != nil {
					t.Error(err)
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	const lines = 40
	for _, f := range fs {
		talking.Go(func() {
			for i := range lines {
				if _, err := l.Append(t.Context(), line(f, fmt.Sprint(i), fmt.Sprintf("word%dx", i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	talking.Wait()
	close(over)
	indexing.Wait()
	index(t, l)
	for _, f := range fs {
		for i := range lines {
			if word := fmt.Sprintf("word%dx", i); len(find(t, l, f, word)) != 1 {
				t.Errorf("%s is not found", word)
			}
		}
	}
}
