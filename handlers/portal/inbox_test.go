package portal_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
)

var rowIDs = regexp.MustCompile(`<li id="row-([0-9a-f-]{36})"`)

func rowsOf(page string) (ids []string) {
	for _, m := range rowIDs.FindAllStringSubmatch(page, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func TestInboxListsByTab(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	widget := w.widget(b, w.agent(b, "Ada").ID)
	open := map[string]domain.ThreadID{}
	for _, name := range []string{"agent", "waiting", "mine", "theirs", "closed"} {
		v := w.visitor(widget)
		if err := w.chat.Introduces(t.Context(), &v, chat.Form{Name: "Visitor " + name}); err != nil {
			t.Fatal(err)
		}
		open[name] = w.says(&v, "I am "+name+" <b>")
	}
	ctx := t.Context()
	colleague, err := w.account.CreateOwner(ctx, "Acme", account.Owner{Name: "Tomás Reis", Email: "tomas@example.com", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	for name, move := range map[string]func() error{
		"waiting": func() error {
			_, err := w.chat.TakeOver(ctx, b.user, open["waiting"])
			if err == nil {
				_, err = w.chat.Release(ctx, b.user, open["waiting"])
			}
			return err
		},
		"mine":   func() error { _, err := w.chat.TakeOver(ctx, b.user, open["mine"]); return err },
		"theirs": func() error { _, err := w.chat.TakeOver(ctx, colleague, open["theirs"]); return err },
		"closed": func() error { _, err := w.chat.Close(ctx, b.user, open["closed"]); return err },
	} {
		if err := move(); err != nil {
			t.Fatal(name, err)
		}
	}
	for tab, names := range map[string][]string{
		"": {"theirs", "mine", "waiting", "agent"}, "open": {"theirs", "mine", "waiting", "agent"}, "waiting": {"waiting"}, "mine": {"mine"},
		"agents": {"agent"}, "closed": {"closed"}, "nonsense": {"theirs", "mine", "waiting", "agent"},
	} {
		page := b.page("/inbox?tab=" + tab)
		var ids []string
		for _, n := range names {
			ids = append(ids, string(open[n]))
		}
		if got := rowsOf(page); !slices.Equal(got, ids) {
			t.Errorf("tab %q: %v, want %v", tab, got, ids)
		}
		want(t, page, "I am "+names[0]+" &lt;b&gt;", `title="4">4<`, `title="1">1<`)
	}
	want(t, b.page("/inbox?q=I+am+mine"), "Visitor mine")
	want(t, b.page("/inbox?q=%3Cscript%3E"), "Nothing found", "&lt;script&gt;")
	without(t, b.page("/inbox?q=%25"), "Visitor mine")
}

func TestInboxNamesStubs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	c, err := w.chat.Conversation(t.Context(), b.user.OrgID, thread)
	if err != nil {
		t.Fatal(err)
	}
	name := "Visitor " + strings.ToUpper(string(c.ContactID[32:]))
	want(t, b.page("/inbox"), name, "is-unread", "<title>Inbox · Parley</title>")
	want(t, b.page("/threads/"+string(thread)), name, "<title>"+name+" · Parley</title>")
}

func TestInboxPagesThroughMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	widget := w.widget(b, "")
	const many = 65
	for n := range many {
		v := w.visitor(widget)
		w.says(&v, fmt.Sprintf("line %d", n))
	}
	seen := map[string]bool{}
	next := "/inbox/list?tab=open"
	more := regexp.MustCompile(`hx-get="([^"]+cursor=[^"]+)"`)
	for page := 0; next != ""; page++ {
		a := b.get(next, "HX-Request", "true")
		if a.status != http.StatusOK || page > 3 {
			t.Fatalf("page %d: %d", page, a.status)
		}
		for _, id := range rowsOf(a.body) {
			if seen[id] {
				t.Errorf("row %s twice", id)
			}
			seen[id] = true
		}
		m := more.FindStringSubmatch(a.body)
		if next = ""; m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&") + fmt.Sprintf("&rows=%d", len(seen))
		}
		if page == 1 {
			want(t, a.body, `id="rows" name="rows" value="60"`)
			without(t, a.body, "<html", "tab-count")
		}
	}
	if len(seen) != many {
		t.Errorf("%d rows, want %d", len(seen), many)
	}
	if got := len(rowsOf(b.get("/inbox/list?tab=open&rows=60", "HX-Request", "true").body)); got != 60 {
		t.Errorf("a refresh keeps %d of 60 rows", got)
	}
	if a := b.get("/inbox?cursor=nonsense"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a bad cursor: %d", a.status)
	}
	whole := b.page(strings.ReplaceAll(regexp.MustCompile(`href="(/inbox\?cursor[^"]+)"`).FindStringSubmatch(b.page("/inbox"))[1], "&amp;", "&"))
	if got := len(rowsOf(whole)); got != 30 {
		t.Errorf("without scripts the next page has %d rows", got)
	}
}

func TestListRefreshBringsTitleAndUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	if _, err := w.chat.TakeOver(t.Context(), b.user, thread); err != nil {
		t.Fatal(err)
	}
	part := b.get("/inbox/list?tab=mine&thread="+string(thread), "HX-Request", "true").body
	want(t, part, "<title>(1) Visitor ", `aria-current="page"`, `hx-target="#unread"`)
	without(t, part, "<html", `id="search"`)
	if a := b.htmx("/threads/"+string(thread)+"/read", "seq", "1"); a.status != http.StatusNoContent {
		t.Fatal(a.status)
	}
	without(t, b.get("/inbox/list?tab=mine", "HX-Request", "true").body, "<title>(1)", "is-unread")
}

func TestTimesAreTheViewers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	path := "/threads/" + string(w.thread(b, "Hello?"))
	for zone, abbreviation := range map[string]string{"Asia%2FTokyo": "JST", "America/Phoenix": "MST", "Nowhere/Else": "UTC", "../../etc/passwd": "UTC", "": "UTC"} {
		a := b.get(path, "Cookie", "parley_session="+b.cookie("parley_session")+"; parley_tz="+zone)
		if !regexp.MustCompile(`title="[^"]+ ` + abbreviation + `"`).MatchString(a.body) {
			t.Errorf("zone %q: no time in %s", zone, abbreviation)
		}
	}
	want(t, b.page(path), "Your orders", "pt-PT", time.Now().In(mustZone(t, "Europe/Lisbon")).Format("15:"))
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
