package portal_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// A line that no agent will answer wants a person, and the thread says why.
func TestUnansweredThreadsWantAPerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bound bool
		off   func(w *world, b *browser, widget domain.Widget, agent domain.Agent) error
		why   string
		mend  string
	}{
		"no agent": {false, nil, "No agent is bound to this widget", "Choose an agent"},
		"trigger off": {true, func(w *world, b *browser, widget domain.Widget, _ domain.Agent) error {
			_, err := w.account.SetWebchat(w.t.Context(), b.user.OrgID, widget.ID, false)
			return err
		}, "Agents are switched off in this widget", "Let the agent answer"},
		"agent off": {true, func(w *world, b *browser, _ domain.Widget, agent domain.Agent) error {
			_, err := w.account.UpdateAgent(w.t.Context(), b.user.OrgID, agent.ID, account.AgentInput{
				Name: agent.Name, Kind: agent.Kind, SendMode: agent.SendMode, SettleMS: agent.SettleMS, MaxAttempts: agent.MaxAttempts,
			})
			return err
		}, "Ada is switched off", "Switch it on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.owner("Acme")
			agent := w.agent(b, "Ada")
			widget := w.widget(b, "")
			if c.bound {
				widget = w.widget(b, agent.ID)
			}
			if c.off != nil {
				if err := c.off(w, b, widget, agent); err != nil {
					t.Fatal(err)
				}
				if widget, _ = w.account.WidgetByKey(t.Context(), widget.Key); widget.ID == "" {
					t.Fatal("no widget")
				}
			}
			v := w.visitor(widget)
			thread := string(w.says(&v, "Anybody?"))
			list := b.page("/inbox?tab=waiting")
			want(t, list, "Unanswered", `<span id="unread" class="unread"><span class="count">1</span>`)
			if got := rowsOf(list); !slices.Equal(got, []string{thread}) {
				t.Errorf("waiting are %v", got)
			}
			if got := rowsOf(b.page("/inbox?tab=agents")); len(got) != 0 {
				t.Errorf("agents answer in %v", got)
			}
			for _, path := range []string{"/threads/" + thread, "/threads/" + thread + "/timeline", "/threads/" + thread + "/messages"} {
				want(t, b.page(path), "Unanswered", c.why, c.mend)
			}
			if a := b.post("/threads/" + thread + "/takeover"); a.status != http.StatusSeeOther {
				t.Fatal(a.status)
			}
			without(t, b.page("/threads/"+thread), "Unanswered", c.why)
		})
	}
}

// Only the organisation whose widget is on the demo page is led there.
func TestEmptyInboxLeadsToTheDemo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, other := w.owner("Acme"), w.owner("Other")
	w.widget(other, "")
	w.portal.DemoKey = w.widget(b, "").Key
	want(t, b.page("/inbox"), `href="/demo"`)
	without(t, other.page("/inbox"), `href="/demo"`)
}

// The newest line says whose it is.
func TestListNamesWhoWrote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	colleague, err := w.account.CreateOwner(t.Context(), "Acme", account.Owner{Name: "Tomás Reis", Email: "tomas@example.com", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who domain.User
		by  string
	}{{b.user, "You"}, {colleague, "Tomás"}} {
		if _, _, err := w.chat.Reply(t.Context(), c.who, thread, "c-"+c.by, "A reply"); err != nil {
			t.Fatal(err)
		}
		want(t, b.page("/inbox"), `<span class="thread-row-by"><bdi>`+c.by+`</bdi>:</span>`)
	}
}
