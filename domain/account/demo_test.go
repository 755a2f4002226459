package account_test

import (
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func newDemo(t *testing.T) (*account.Service, *ledger.Ledger, domain.Widget) {
	t.Helper()
	l := ledgertest.New(t)
	s := account.New(l)
	w, err := s.EnsureDemo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s, l, w
}

func TestDemoIsWhole(t *testing.T) {
	t.Parallel()
	s, _, w := newDemo(t)
	_, u, err := s.SignIn(t.Context(), account.DemoEmail, account.DemoPassword)
	if err != nil || u.Role != domain.RoleOwner || u.OrgID != w.OrgID {
		t.Errorf("the owner is %+v, %v", u, err)
	}
	o, err := s.OrganisationBySlug(t.Context(), "demo")
	if err != nil || o.ID != w.OrgID || o.Name != "Demo" {
		t.Errorf("the organisation is %+v, %v", o, err)
	}
	if !w.Enabled || !w.WebchatEnabled || !w.AllowsOrigin("") || !w.AllowsOrigin("https://anywhere.example") {
		t.Errorf("the widget is %+v", w)
	}
	a, err := s.Agent(t.Context(), w.OrgID, w.AgentID)
	if err != nil || a.Name != "Ada" || a.Kind != domain.AgentBuiltin || !a.Enabled || a.Validate() != nil {
		t.Errorf("the agent is %+v, %v", a, err)
	}
	as, err := s.Articles(t.Context(), w.OrgID)
	if err != nil || len(as) < 10 {
		t.Fatalf("%d articles, %v", len(as), err)
	}
	for _, a := range as {
		if words := len(strings.Fields(a.Content)); words < 80 || words > 200 || !strings.HasPrefix(a.URL, "/demo#") || strings.HasPrefix(a.Content, "#") {
			t.Errorf("%q at %s has %d words", a.Title, a.URL, words)
		}
	}
}

func TestDemoIsMadeOnce(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	keys := make([]string, 4)
	var wg sync.WaitGroup
	for i := range keys {
		s := account.New(ledgertest.Open(t, dsn))
		wg.Go(func() {
			w, err := s.EnsureDemo(t.Context())
			if err != nil {
				t.Error(err)
			}
			keys[i] = w.Key
		})
	}
	wg.Wait()
	for _, key := range keys {
		if key == "" || key != keys[0] {
			t.Errorf("keys %v, want one", keys)
		}
	}
	l := ledgertest.Open(t, dsn)
	for _, table := range []string{"organisations", "users", "agents", "widgets"} {
		if n := scan[int](t, l, `SELECT count(*) FROM `+table); n != 1 {
			t.Errorf("%d %s", n, table)
		}
	}
}

func TestDemoLeavesWhatItsOwnerChanged(t *testing.T) {
	t.Parallel()
	s, l, w := newDemo(t)
	in := s.DefaultWidget()
	in.Name, in.AllowedOrigins = "Mine", []string{"https://mine.example"}
	must[domain.Widget](t)(s.UpdateWidget(t.Context(), w.OrgID, w.ID, in))
	if err := s.DeleteAgent(t.Context(), w.OrgID, w.AgentID); err != nil {
		t.Fatal(err)
	}
	exec(t, l, `DELETE FROM articles`)
	exec(t, l, `UPDATE users SET password_hash = 'changed'`)

	again, err := s.EnsureDemo(t.Context())
	if err != nil || again.ID != w.ID || again.Name != "Mine" || again.AgentID != "" {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	if n := scan[int](t, l, `SELECT (SELECT count(*) FROM articles) + (SELECT count(*) FROM agents) + (SELECT count(*) FROM users WHERE password_hash <> 'changed')`); n != 0 {
		t.Error("something was made again")
	}
	if err := s.DeleteWidget(t.Context(), w.OrgID, w.ID); err != nil {
		t.Fatal(err)
	}
	if again, err := s.EnsureDemo(t.Context()); err != nil || again.Key != "" {
		t.Errorf("without a widget: %+v, %v", again, err)
	}
}

func TestDemoIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	if _, err := s.CreateOwner(t.Context(), "acme", account.Owner{Name: "Eve", Email: account.DemoEmail, Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.EnsureDemo(t.Context())
	wantKind(t, err, domain.Conflict)
	if n := scan[int](t, s.ledger, `SELECT (SELECT count(*) FROM organisations WHERE slug = 'demo') + (SELECT count(*) FROM widgets)`); n != 0 {
		t.Error("half a demo was left behind")
	}
}

func TestDemoAnswers(t *testing.T) {
	t.Parallel()
	_, l, w := newDemo(t)
	tests := []struct{ question, want string }{ // want is the first article's anchor, or nothing
		{"How long does delivery take?", "shipping"},
		{"how long does shipping take to Norway?", "shipping"},
		{"What does delivery to Germany cost?", "shipping"},
		{"do you ship to Japan", "shipping"},
		{"Do I have to pay customs in Switzerland?", "shipping"},
		{"Can I send a bag back if I don't like it?", "returns"},
		{"what is your return policy?", "returns"},
		{"returns??", "returns"},
		{"refund", "returns"},
		{"How long is the warranty?", "warranty"},
		{"Is there a guarantee?", "warranty"},
		{"Hi there, I bought a pannier from you last month and the hook has broken, is this covered by the warranty and how do I claim?", "warranty"},
		{"The zip of my pannier broke, can you fix it?", "repairs"},
		{"How much does the repair cost?", "repairs"},
		{"When are you open on Saturday?", "hours"},
		{"opening times", "hours"},
		{"Where is your shop?", "hours"},
		{"which bag fits a 17 inch laptop", "sizes"},
		{"how many litres does the tern have", "sizes"},
		{"Will the pannier fit on my e-bike?", "fitting"},
		{"how do I clean my bag", "care"},
		{"Are the bags waterproof in heavy rain?", "care"},
		{"Can I pay with PayPal?", "payment"},
		{"do you accept credit cards", "payment"},
		{"I need an invoice", "payment"},
		{"Where is my parcel?", "orders"},
		{"I want to cancel my order", "orders"},
		{"can I change the address of my order, please", "orders"},
		{"How can I reach a person?", "people"},
		{"what's your phone number?", "people"},
		{"I'd like to speak to a human", "people"},

		{"Where is my order?", "orders"},
		{"Where is my order #12345?", "orders"},
		{"where is my order 20231187", "orders"},
		{"my order number is NW-48213, when does it arrive?", "orders"},
		{"Hi, my order 4711 from https://northwind.example/orders/4711 has not arrived, my mail is joe@example.com", "orders"},
		{"where's my stuff? order #98765", "orders"},
		{"track my order", "orders"},
		{"order status", "orders"},
		{"one more thing: returns?", "returns"},
		{"How heavy can I load the pannier?", "fitting"},
		{"What weight can a pannier carry?", "fitting"},
		{"Can I pay in three instalments?", "payment"},
		{"my dog chewed the strap, can you repair it?", "repairs"},

		{"what is the capital of France?", ""},
		{"line one\nline two\nline three", ""},
		{"two tickets for the cinema at three", ""},
		{"What time is it in Tokyo?", ""},
		{"Who is the king of Norway?", ""},
		{"How many people live in Germany?", ""},
		{"which restaurant is open on Mars?", ""},
		{"is the election on Monday?", ""},
		{"can you book a flight to Paris?", ""},
		{"what is the boiling point of water", ""},
		{"Kubernetes order of operations", ""},
		{"<script>alert(1)</script> **bold** [x](javascript:alert(1)) http://example.com", ""},
		{"#12345", ""},
		{"https://northwind.example/orders/4711", ""},
		{"who won the football game yesterday?", ""},
		{"Write me a poem about the sea", ""},
		{"Tell me a joke", ""},
		{"What's the weather like tomorrow in London?", ""},
		{"how old is the president of the united states", ""},
		{"What is the meaning of life?", ""},
		{"what is 2 + 2?", ""},
		{"hello", ""},
		{"could you please help me", ""},
		{"", ""},
		{"' | & ! ( ) : * \\ <-> \x00 \xff", ""},
	}
	for _, tt := range tests {
		t.Run(tt.question, func(t *testing.T) {
			t.Parallel()
			ps, err := l.Search(t.Context(), w.OrgID, tt.question, 3)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				for _, p := range ps {
					t.Errorf("finds %q with rank %.2f, want nothing", p.Title, p.Rank)
				}
				return
			}
			if len(ps) == 0 || ps[0].URL != "/demo#"+tt.want {
				t.Fatalf("finds %+v, want %s first", ps, tt.want)
			}
			last := 1.0
			for _, p := range ps {
				if p.Rank <= 0 || p.Rank > last {
					t.Errorf("ranks %q %.2f after %.2f", p.Title, p.Rank, last)
				}
				last = p.Rank
				if n := utf8.RuneCountInString(p.Snippet); n < 40 || n > 280 || strings.ContainsAny(p.Snippet, "*|\n`#<>") {
					t.Errorf("snippet of %d characters: %q", n, p.Snippet)
				}
				if p.Article == "" || p.Title == "" || p.Body == "" {
					t.Errorf("half of the passage is missing: %+v", p)
				}
			}
		})
	}
}
