package portal_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/domain/replay"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/handlers/portal"
)

func TestMain(m *testing.M) { ledgertest.Main(m) }

const password = "correct horse battery"

// world is a server with nothing but the portal, on a database of its own.
type world struct {
	t       *testing.T
	ledger  *ledger.Ledger
	account *account.Service
	chat    *chat.Service
	relay   *relay.Relay
	hosts   *edge.Hosts
	replays *replay.Service
	portal  *portal.Portal
	server  *httptest.Server
	log     bytes.Buffer
	tried   domain.AgentTest // what trying an agent comes to
}

func newWorld(t *testing.T) *world {
	t.Helper()
	l := ledgertest.New(t)
	w := &world{t: t, hosts: &edge.Hosts{}, ledger: l, account: account.New(l), tried: domain.AgentTest{OK: true, ConnectMS: 3, FirstResponseMS: 40, Response: "Hello there"}}
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.relay = relay.New(l, log)
	w.replays = replay.New(l, replay.Options{Log: log})
	w.chat = chat.New(l, w.relay, log)
	w.portal = portal.New(portal.Deps{
		Chat: w.chat, Account: w.account, Replays: w.replays, Relay: w.relay, Hosts: w.hosts, Log: log,
		TryAgent: func(context.Context, domain.Agent) domain.AgentTest { return w.tried },
		TryChannel: func(_ context.Context, c domain.Channel) domain.ChannelTest {
			return domain.ChannelTest{OK: c.Token == "good", MS: 48, Inboxes: []domain.ChannelInbox{{ID: "1", Name: "Website"}}, Error: "it answered with status 401: check the access token"}
		},
	})
	r := chi.NewRouter()
	r.Use(middleware.ClientIPFromRemoteAddr)
	w.portal.Routes(r)
	w.server = httptest.NewServer(r)
	t.Cleanup(w.server.Close)
	t.Cleanup(w.portal.Shutdown)
	return w
}

// owner makes an organisation and returns its owner, signed in.
func (w *world) owner(name string) *browser {
	w.t.Helper()
	email := strings.ToLower(name) + "@example.com"
	u, err := w.account.CreateOwner(w.t.Context(), name, account.Owner{Name: name + " Lindqvist", Email: email, Password: password})
	if err != nil {
		w.t.Fatal(err)
	}
	b := w.browser()
	b.user = u
	if res := b.post("/signin", "email", email, "password", password); res.status != http.StatusSeeOther {
		w.t.Fatalf("sign-in: %d\n%s", res.status, res.body)
	}
	return b
}

// agent and widget make what an organisation needs for a visitor to come.
func (w *world) agent(b *browser, name string) domain.Agent {
	w.t.Helper()
	a, err := w.account.CreateAgent(w.t.Context(), b.user.OrgID, account.AgentInput{
		Name: name, Kind: domain.AgentBuiltin, Enabled: true, SendMode: domain.Autonomous, SettleMS: 0, MaxAttempts: 3,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) widget(b *browser, agent domain.AgentID) domain.Widget {
	w.t.Helper()
	in := w.account.DefaultWidget()
	in.Name, in.AgentID, in.AllowedOrigins = "Shop", agent, []string{"*"}
	made, err := w.account.CreateWidget(w.t.Context(), b.user.OrgID, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// visitor comes to a widget; says writes as them.
func (w *world) visitor(widget domain.Widget) chat.Visitor {
	w.t.Helper()
	v, _, _, err := w.chat.Arrive(w.t.Context(), widget, chat.Arrival{Page: domain.Page{URL: "https://acme.example/orders", Title: "Your orders"}, Locale: "pt-PT", Timezone: "Europe/Lisbon"})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) says(v *chat.Visitor, lines ...string) domain.ThreadID {
	w.t.Helper()
	for _, line := range lines {
		if _, _, err := w.chat.Say(w.t.Context(), v, string(ledger.NewID[domain.MessageID]()), line); err != nil {
			w.t.Fatal(err)
		}
	}
	return v.Thread.ID
}

// thread is a conversation in which a visitor wrote the lines, in an organisation with an agent nobody runs.
func (w *world) thread(b *browser, lines ...string) domain.ThreadID {
	w.t.Helper()
	v := w.visitor(w.widget(b, w.agent(b, "Ada").ID))
	return w.says(&v, lines...)
}

// browser keeps cookies and follows no redirect.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
	user domain.User
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{t: w.t, base: w.server.URL, http: &http.Client{
		Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) to() string { return a.header.Get("Location") }

// send makes a request; header are pairs.
func (b *browser) send(method, path, body string, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(read)}
}

func (b *browser) get(path string, header ...string) answer {
	b.t.Helper()
	return b.send(http.MethodGet, path, "", header...)
}

// page is get for a page that must be there.
func (b *browser) page(path string) string {
	b.t.Helper()
	a := b.get(path)
	if a.status != http.StatusOK {
		b.t.Fatalf("GET %s: %d to %q\n%s", path, a.status, a.to(), a.body)
	}
	return a.body
}

// post sends a form; fields are pairs.
func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	return b.send(http.MethodPost, path, form(fields...))
}

// htmx sends a form as the scripts do.
func (b *browser) htmx(path string, fields ...string) answer {
	b.t.Helper()
	return b.send(http.MethodPost, path, form(fields...), "HX-Request", "true")
}

func form(fields ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return v.Encode()
}

func (b *browser) cookie(name string) string {
	u, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// want fails unless the page has every one of the texts.
func want(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q\n%s", s, tidy(page))
		}
	}
}

// without fails if the page has any of the texts.
func without(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if strings.Contains(page, s) {
			t.Errorf("the page has %q\n%s", s, tidy(page))
		}
	}
}

var drawings = regexp.MustCompile(`(?s)<svg.*?</svg>|<head>.*?</head>`)

// tidy shortens a page for a failure's message.
func tidy(page string) string {
	page = drawings.ReplaceAllString(page, "")
	if len(page) > 3000 {
		page = page[:3000] + "…"
	}
	return page
}

// eventually waits for something that happens soon.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}
