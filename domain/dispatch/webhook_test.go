package dispatch_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// receiver is a webhook's other side: it answers as it is told to, and remembers what it took.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	calls int
	taken []call
}

type call struct {
	delivery, event, signature string
	body                       []byte
	told                       domain.Told
}

// receive answers with the n-th call's status, and takes what it answers 2xx to.
func receive(t *testing.T, status func(n int, w http.ResponseWriter) int) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		c := call{delivery: q.Header.Get("X-Parley-Delivery"), event: q.Header.Get("X-Parley-Event"), signature: q.Header.Get("X-Parley-Signature")}
		c.body, _ = io.ReadAll(q.Body)
		_ = json.Unmarshal(c.body, &c.told)
		r.mu.Lock()
		r.calls++
		n := r.calls
		r.mu.Unlock()
		s := status(n, w)
		if s < 300 {
			r.mu.Lock()
			r.taken = append(r.taken, c)
			r.mu.Unlock()
		}
		w.WriteHeader(s)
		fmt.Fprintf(w, "call %d", n)
	}))
	t.Cleanup(r.Close)
	return r
}

func fine(int, http.ResponseWriter) int { return http.StatusOK }

func (r *receiver) all() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call{}, r.taken...)
}

func hookTo(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture, url string, kinds ...domain.TimelineKind) domain.Webhook {
	t.Helper()
	h := domain.Webhook{ID: ledger.NewID[domain.WebhookID](), OrgID: f.Org, URL: url, Kinds: kinds, Enabled: true, Secret: "whsec_one", CreatedAt: time.Now(), UpdatedAt: time.Now()}
	if err := l.CreateWebhook(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	return h
}

func webhooks(l *ledger.Ledger) *dispatch.Webhook {
	return &dispatch.Webhook{Ledger: l, Outbound: &agent.Outbound{}, PublicURL: "https://chat.example", Log: slog.New(slog.DiscardHandler), Within: 10 * time.Second}
}

func tellFrom(t *testing.T, l *ledger.Ledger) {
	startCourier(t, l, map[string]dispatch.Transport{"webhook": webhooks(l)})
}

func signed(secret, header string, body []byte) bool {
	stamp, rest, _ := strings.Cut(strings.TrimPrefix(header, "t="), ",")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "." + string(body)))
	return strings.Contains(","+rest+",", ",v1="+hex.EncodeToString(mac.Sum(nil))+",")
}

// Over two nodes and a receiver that fails now and then, everything arrives once, and in a thread in order.
func TestWebhooksAreToldInOrder(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	nodes := []*ledger.Ledger{ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)}
	l := nodes[0]
	f, other := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	flaky := receive(t, func(n int, _ http.ResponseWriter) int {
		if n == 2 || n == 5 {
			return http.StatusInternalServerError
		}
		return http.StatusNoContent
	})
	picky := receive(t, fine)
	hookTo(t, l, f, flaky.URL, domain.MessageReceived, domain.ReplyStored, domain.HumanJoined)
	hookTo(t, l, f, picky.URL, domain.HumanJoined)
	for _, n := range nodes {
		tellFrom(t, n)
	}
	visitors := append(crowd(t, l, f, 2), f)
	const lines = 5
	var wg sync.WaitGroup
	for i, v := range visitors {
		wg.Go(func() {
			for n := range lines {
				say(t, nodes[(i+n)%2], v, fmt.Sprint(n))
			}
			if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: v.Thread, Change: ledger.PersonReply{User: f.User, ClientID: "r", Content: "I am here"}}); err != nil {
				t.Error(err)
			}
		})
	}
	say(t, l, other, "1") // nobody's business
	wg.Wait()
	until(t, "everything told", func() bool { return len(flaky.all()) >= len(visitors)*(lines+2) && len(picky.all()) >= len(visitors) })
	told := map[domain.ThreadID][]string{}
	seen := map[string]bool{}
	for _, c := range flaky.all() {
		what := string(c.told.Kind)
		if c.told.Message != nil {
			what += fmt.Sprint(" ", c.told.Message.Seq)
		}
		told[c.told.Thread.ID] = append(told[c.told.Thread.ID], what)
		if seen[c.delivery] || seen[string(c.told.ID)] || c.delivery == "" || c.event != string(c.told.Kind) || !signed("whsec_one", c.signature, c.body) {
			t.Errorf("delivery %s of %s: %s", c.delivery, c.event, c.signature)
		}
		seen[c.delivery], seen[string(c.told.ID)] = true, true
	}
	for _, v := range visitors {
		if got := strings.Join(told[v.Thread], ", "); got != "message_received 1, message_received 2, message_received 3, message_received 4, message_received 5, human_joined, reply_stored 6" {
			t.Errorf("thread %s was told as %s", v.Thread, got)
		}
	}
	if len(told) != len(visitors) {
		t.Errorf("%d threads", len(told))
	}
	for _, c := range picky.all() {
		if c.told.Kind != domain.HumanJoined || c.told.Thread.Handling != domain.HandlingHuman || c.told.Thread.Channel != domain.ChannelWebchat {
			t.Errorf("%s", c.body)
		}
	}
}

// tell makes one delivery to a webhook and sends it by hand.
func tellOnce(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture, w *dispatch.Webhook, clientID string) (ledger.Delivery, error) {
	t.Helper()
	say(t, l, f, clientID)
	ds, err := l.ClaimDeliveries(t.Context(), []string{"webhook"}, 1, 1, time.Minute)
	if err != nil || len(ds) != 1 {
		t.Fatal(len(ds), err)
	}
	ds[0].Reply = &ledger.DeliveryReply{}
	return ds[0], w.Send(t.Context(), ds[0])
}

func TestReceiversThatDoNotTakeIt(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	hang := make(chan struct{})
	defer close(hang)
	big := strings.Repeat("ü", 4<<10)
	serve := func(h http.HandlerFunc) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	taken := receive(t, fine)
	for name, c := range map[string]struct {
		url        string
		public     bool
		want       string
		final      bool
		after      time.Duration
		status     int
		disabledBy string
	}{
		"slow":      {url: serve(func(http.ResponseWriter, *http.Request) { <-hang }), want: "it did not answer within 0.3 s"},
		"too many":  {url: serve(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "120"); w.WriteHeader(429) }), want: "it answered with status 429", after: 2 * time.Minute, status: 429},
		"broken":    {url: serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); fmt.Fprint(w, big) }), want: "it answered with status 500", status: 500},
		"unwilling": {url: serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(400) }), want: "it answered with status 400", status: 400},
		"resets":    {url: serve(func(w http.ResponseWriter, _ *http.Request) { c, _, _ := w.(http.Hijacker).Hijack(); _ = c.Close() }), want: "it broke off before it answered"},
		"redirects": {url: serve(func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, taken.URL, http.StatusTemporaryRedirect)
		}), want: "it answered with status 307: redirects are not followed", status: 307},
		"to metadata": {url: serve(func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "http://169.254.169.254/latest", http.StatusFound)
		}), want: "it answered with status 302: redirects are not followed", status: 302},
		"is metadata":  {url: "http://169.254.169.254/latest", want: "could not connect: its address is not allowed", final: true},
		"is loopback":  {url: taken.URL, public: true, want: "could not connect: refused by PARLEY_OUTBOUND", final: true},
		"is not there": {url: "http://127.0.0.1:1/", want: "could not connect: connection refused"},
		"is gone":      {url: serve(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }), want: "it answered with status 410", final: true, status: 410, disabledBy: "It answered with status 410: it is gone."},
	} {
		f := ledgertest.Seed(t, l)
		h := hookTo(t, l, f, c.url, domain.MessageReceived)
		w := webhooks(l)
		w.Within, w.Outbound = 300*time.Millisecond, &agent.Outbound{Public: c.public}
		if name != "slow" {
			w.Within = 10 * time.Second
		}
		d, err := tellOnce(t, l, f, w, "1")
		var final *dispatch.Undeliverable
		var later *dispatch.Later
		if err == nil || err.Error() != c.want || errors.As(err, &final) != c.final || d.Reply.Status != c.status || len(d.Reply.Body) > 2<<10 {
			t.Errorf("%s: %v, final %v, %d", name, err, final, d.Reply.Status)
		}
		if c.after > 0 != errors.As(err, &later) || later != nil && later.After != c.after {
			t.Errorf("%s: later %v", name, later)
		}
		if got, err := l.Webhook(t.Context(), f.Org, h.ID); err != nil || got.Enabled != (c.disabledBy == "") || got.DisabledReason != c.disabledBy || got.FailingSince.IsZero() {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	if n := len(taken.all()); n != 0 {
		t.Errorf("%d requests followed a redirect or a refusal", n)
	}
}

// After a time of nothing but failures, and at once when it says that it is gone, a webhook is switched off, what waits for it is
// given up, and each owner gets one mail. One that answers meanwhile begins anew.
func TestWebhookThatOnlyFailsIsSwitchedOff(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	l.Mails()
	f := ledgertest.Seed(t, l)
	var ok sync.Map
	r := receive(t, func(int, http.ResponseWriter) int {
		if _, yes := ok.Load(1); yes {
			return 200
		}
		return 503
	})
	h := hookTo(t, l, f, r.URL, domain.MessageReceived)
	since := func(ago time.Duration) { ledgertest.Set(t, l, "webhooks", h.ID, "failing_since", time.Now().Add(-ago)) }
	mails := func() (n int) {
		if err := l.NewRaw(`SELECT count(*) FROM deliveries WHERE transport = 'mail' AND target = ?`, f.User.Email).Scan(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	look := func() domain.Webhook {
		got, err := l.Webhook(t.Context(), f.Org, h.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	attempt := func(id string) {
		t.Helper()
		d, err := tellOnce(t, l, f, webhooks(l), id)
		if err == nil {
			err = l.Delivered(t.Context(), d)
		} else {
			_, err = l.Undelivered(t.Context(), d, err.Error(), true, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	since(domain.WebhookPatience - time.Hour)
	attempt("1")
	if !look().Enabled || mails() != 0 {
		t.Fatal("switched off too early")
	}
	ok.Store(1, true)
	attempt("2")
	if got := look(); !got.FailingSince.IsZero() {
		t.Errorf("still failing: %+v", got)
	}
	ok.Delete(1)
	attempt("3")
	if got := look(); got.FailingSince.IsZero() || !got.Enabled {
		t.Errorf("%+v", got)
	}
	since(domain.WebhookPatience + time.Minute)
	say(t, l, f, "4")
	attempt("5") // the one before, while this one waits behind it
	if got := look(); got.Enabled || got.DisabledReason != "Nothing but failures for 3 days, the last one: it answered with status 503." {
		t.Errorf("%+v", got)
	}
	if err := l.DisableWebhook(t.Context(), f.Org, h.ID, "again", nil); err != nil || mails() != 1 {
		t.Errorf("%d mails, %v", mails(), err)
	}
	if left, err := l.WebhookDeliveries(t.Context(), f.Org, h.ID, []string{"queued", "running"}, "", 9); err != nil || len(left) != 0 {
		t.Errorf("%d are still to be told, %v", len(left), err)
	}
	say(t, l, f, "6")
	if all, err := l.WebhookDeliveries(t.Context(), f.Org, h.ID, nil, "", 9); err != nil || len(all) != 5 {
		t.Errorf("%d on the log, %v: one that is off is told of nothing", len(all), err)
	}
}

// A receiver that hangs keeps neither other webhooks nor its own later recovery from what is theirs.
func TestWebhookThatHangsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	goOn := make(chan struct{})
	var once sync.Once
	release := func() { once.Do(func() { close(goOn) }) }
	slow, quick := receive(t, func(int, http.ResponseWriter) int { <-goOn; return 200 }), receive(t, fine)
	t.Cleanup(release)
	hookTo(t, l, f, slow.URL, domain.MessageReceived)
	hookTo(t, l, f, quick.URL, domain.MessageReceived)
	tellFrom(t, l)
	visitors := crowd(t, l, f, 60)
	for _, v := range visitors {
		say(t, l, v, "1")
	}
	until(t, "the quick one told of everything", func() bool { return len(quick.all()) == len(visitors) })
	release()
	until(t, "the slow one too", func() bool { return len(slow.all()) == len(visitors) })
}

// For a while after a rotation both secrets sign.
func TestWebhookSecretsOverlap(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	r := receive(t, fine)
	h := hookTo(t, l, f, r.URL, domain.MessageReceived)
	rotate := func(secret string, until time.Time) {
		if err := l.SetWebhookSecret(t.Context(), f.Org, h.ID, secret, until); err != nil {
			t.Fatal(err)
		}
	}
	rotate("whsec_two", time.Now().Add(time.Hour))
	for i, want := range [][]string{{"whsec_two", "whsec_one"}, {"whsec_three"}} {
		if i == 1 {
			rotate("whsec_three", time.Now().Add(-time.Second))
		}
		d, err := tellOnce(t, l, f, webhooks(l), fmt.Sprint(i))
		if err != nil || l.Delivered(t.Context(), d) != nil {
			t.Fatal(err)
		}
		c := r.all()[i]
		if got := strings.Count(c.signature, "v1="); got != len(want) {
			t.Errorf("%d signatures", got)
		}
		for _, s := range want {
			if !signed(s, c.signature, c.body) {
				t.Errorf("%s does not sign %s", s, c.signature)
			}
		}
	}
}

// What was said twice is told once as such, however often it comes again; whoever has no webhook, or none that is on, has no deliveries.
func TestWhatWebhooksAreTold(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, none, off := ledgertest.Seed(t, l), ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	h := hookTo(t, l, f, "http://hook.example")
	ledgertest.Set(t, l, "webhooks", hookTo(t, l, off, "http://hook.example").ID, "enabled", false)
	for _, of := range []ledgertest.Fixture{f, none, off} {
		for range 3 {
			say(t, l, of, "same")
		}
	}
	log, err := l.WebhookDeliveries(t.Context(), f.Org, h.ID, nil, "", 99)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i := len(log) - 1; i >= 0; i-- {
		kinds = append(kinds, string(log[i].Kind))
		var told domain.Told
		if err := json.Unmarshal(log[i].Payload, &told); err != nil || told.Message == nil || told.Message.Content != "line same" || told.Thread.ContactID != f.Contact {
			t.Errorf("%s %v", log[i].Payload, err)
		}
	}
	if got := strings.Join(kinds, " "); got != "message_received dispatch_queued duplicate_ignored" {
		t.Errorf("told of %s", got)
	}
	var n int
	if err := l.NewRaw(`SELECT count(*) FROM deliveries WHERE org_id IN (?, ?)`, none.Org, off.Org).Scan(t.Context(), &n); err != nil || n != 0 {
		t.Errorf("%d deliveries to nobody, %v", n, err)
	}
}
