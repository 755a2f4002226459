package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// walk reads a list page by page; between two pages it calls between.
func walk(t *testing.T, c client, path, key string, limit int, between func(page int)) (seen []string) {
	t.Helper()
	cursor, sign := "", "?"
	if strings.Contains(path, "?") {
		sign = "&"
	}
	for n := 1; ; n++ {
		a := c.get(t, fmt.Sprintf("%s%slimit=%d&cursor=%s", path, sign, limit, url.QueryEscape(cursor))).want(t, http.StatusOK)
		items := a.items(t)
		if len(items) > limit {
			t.Fatalf("a page of %d, limit %d", len(items), limit)
		}
		for _, item := range items {
			seen = append(seen, fmt.Sprint(item[key]))
		}
		if cursor = a.str("next_cursor"); cursor == "" {
			if a.at("next_cursor") != nil {
				t.Errorf("the last page's next_cursor is %v", a.at("next_cursor"))
			}
			return seen
		}
		if n > 200 {
			t.Fatal("it never ends")
		}
		between(n)
	}
}

func nothing(int) {}

func once(t *testing.T, seen []string, want int) {
	t.Helper()
	each := slices.Compact(slices.Sorted(slices.Values(seen)))
	if len(seen) != want || len(each) != want {
		t.Errorf("%d entries, %d different, want %d", len(seen), len(each), want)
	}
}

func TestThreadsPageWithoutGapOrRepeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.threads(t, 120)
	for _, limit := range []int{1, 7, 50, 100, 1000} {
		once(t, walk(t, w.acme.client, "/threads", "id", limit, nothing), 120)
	}
	seen := walk(t, w.acme.client, "/threads", "last_message_at", 50, nothing)
	if !slices.IsSortedFunc(seen, func(a, b string) int { return -compare(a, b) }) {
		t.Error("not the newest line first")
	}
	if n := len(w.acme.get(t, "/threads").items(t)); n != 50 {
		t.Errorf("a page has %d by default, want 50", n)
	}
	if n := len(w.acme.get(t, "/threads?limit=101").items(t)); n != 100 {
		t.Errorf("a page has %d at most, want 100", n)
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// threads writes down n threads of acme in which something was said; every third at the same instant as the one before.
func (w *world) threads(t *testing.T, n int) {
	t.Helper()
	at := time.Now()
	for i := range n {
		if i%3 != 0 {
			at = at.Add(time.Second)
		}
		if _, err := w.ledger.NewRaw(`WITH c AS (INSERT INTO contacts (id, org_id, stub, name) VALUES (gen_random_uuid(), ?0, false, ?1) RETURNING id)
INSERT INTO threads (id, org_id, contact_id, widget_id, channel, correlation_key, handling, last_seq, last_message_at)
SELECT gen_random_uuid(), ?0, c.id, ?2, 'webchat', 'contact:' || c.id || ':webchat', 'agent', 1, ?3 FROM c`,
			w.acme.Org, fmt.Sprint("Contact ", i), w.acme.Widget, at).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListsStayWholeWhileTheyChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := func(n int) (ids []string) {
		for i := range n {
			a, err := w.account.CreateArticle(t.Context(), w.acme.Org, account.ArticleInput{Title: fmt.Sprint(n-i, " thing"), Content: "x"})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, string(a.ID))
		}
		return ids
	}
	ids := append([]string{string(w.acme.article)}, made(12)...)
	for _, limit := range []int{1, 5, 13, 14} {
		if seen := walk(t, w.acme.client, "/articles", "id", limit, nothing); !slices.Equal(seen, ids) {
			t.Errorf("limit %d: seen %v\nwant %v", limit, seen, ids)
		}
	}
	seen := walk(t, w.acme.client, "/articles", "id", 5, func(page int) {
		// The one the cursor stands on goes away, and a new one comes.
		if err := w.account.DeleteArticle(t.Context(), w.acme.Org, domain.ArticleID(ids[page*5-1])); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made(1)...)
	})
	if !slices.Equal(seen, ids) {
		t.Errorf("seen %v\nwant %v", seen, ids)
	}
}

func TestMessagesPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 25 {
		w.says(t, w.acme, fmt.Sprint(i), fmt.Sprint("line ", i))
	}
	path := "/threads/" + string(w.acme.Thread) + "/messages"
	for _, limit := range []int{1, 10, 25, 100} {
		seen := walk(t, w.acme.client, path, "seq", limit, nothing)
		for i, seq := range seen {
			if seq != fmt.Sprint(i+1) {
				t.Fatalf("limit %d: %v", limit, seen)
			}
		}
		once(t, seen, 25)
	}
	if items := w.acme.get(t, path+"?after_seq=23").items(t); len(items) != 2 || items[0]["seq"] != 24.0 {
		t.Errorf("after 23: %v", items)
	}
}

func TestBadPaging(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	messages := "/threads/" + string(w.acme.Thread) + "/messages"
	for path, field := range map[string]string{
		"/threads?limit=0": "limit", "/threads?limit=many": "limit", "/threads?cursor=x": "cursor", "/agents?cursor=x": "cursor",
		"/widgets?limit=-1": "limit", "/articles?cursor=%00": "cursor", messages + "?cursor=x": "cursor", messages + "?after_seq=-1": "after_seq",
		messages + "?cursor=-1": "cursor", "/threads?status=lost": "status", "/threads?handling=agent,robot": "handling[1]",
		"/threads?assignee=me": "assignee", "/threads?channel=%00": "channel", "/threads?channel=%ff": "channel", "/threads?contact=%7B0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11%7D": "contact",
	} {
		w.acme.get(t, path).badField(t, field)
	}
}
