package portal_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// goodWidget is a filled-in form of a widget.
var goodWidget = []string{
	"name", "Help centre", "enabled", "on", "webchat_enabled", "on", "allowed_origins", "https://acme.example\r\n\r\n https://*.acme.example/ ",
	"daily_message_cap", "0", "rate.messages", "5", "rate.window_seconds", "30", "require_identity", "on", "fallback_text", "One moment.",
	"appearance.title", "Ask us", "appearance.greeting", "Hi!", "appearance.primary_color", "#123ABC", "appearance.text_color", "#ffffff",
	"appearance.position", "bottom_left", "appearance.locale", "pt-BR", "appearance.contact_info_mode", "required",
	"appearance.collect", "name", "appearance.collect", "phone",
}

func TestWidgetIsMadeAndChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	agent := w.agent(b, "Ada")
	want(t, b.page("/widgets/new"), "Ada (Built-in)", `name="appearance.primary_color"`)

	made := b.post("/widgets", "name", "Shop", "agent_id", string(agent.ID), "webchat_enabled", "on", "allowed_origins", "https://acme.example",
		"appearance.title", "Chat", "appearance.greeting", "", "appearance.primary_color", "#102030", "appearance.text_color", "#ffffff", "appearance.position", "bottom_right")
	if made.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", made.status, tidy(made.body))
	}
	page := b.page(made.to())
	key := regexp.MustCompile(`wid_[0-9A-Za-z]{22}`).FindString(page)
	want(t, page, "The widget is ready.", "&lt;script async src=&#34;"+b.base+"/widget.js&#34; data-widget=&#34;"+key+"&#34;&gt;&lt;/script&gt;", `value="#102030"`)
	want(t, b.page("/widgets"), "Shop", "Ada", `aria-checked="true"`)

	saved := b.post(made.to(), append(slices.Clone(goodWidget), "agent_id", "")...)
	if saved.status != http.StatusSeeOther || saved.to() != made.to() {
		t.Fatalf("%d to %q\n%s", saved.status, saved.to(), tidy(saved.body))
	}
	got := w.onlyWidget(b)
	if got.Name != "Help centre" || got.AgentID != "" || got.DailyCap != 0 || got.RateMessages != 5 || !got.RequireIdentity || got.Key != key ||
		!slices.Equal(got.AllowedOrigins, []string{"https://acme.example", "https://*.acme.example"}) ||
		got.Appearance.PrimaryColor != "#123abc" || got.Appearance.Position != domain.BottomLeft || !slices.Equal(got.Appearance.Collect, []string{"name", "phone"}) {
		t.Errorf("%+v", got)
	}
	want(t, b.page(made.to()), "Saved.", `value="phone" checked`, `value="name" checked`, `value="pt-BR"`)
}

// Whoever has set no hours yet is offered their own time zone, which alone sets none.
func TestWidgetHoursAreInTheOwnersZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	made := b.post("/widgets", "name", "Shop").to()
	field := func(cookie string) string {
		return regexp.MustCompile(`<input[^>]*name="hours.timezone"[^>]*>`).FindString(b.get(made, "Cookie", "parley_session="+b.cookie("parley_session")+cookie).body)
	}
	for cookie, value := range map[string]string{"": "", "; parley_tz=Europe%2FVienna": "Europe/Vienna", "; parley_tz=Mars": "", "; parley_tz=Local": ""} {
		if got := field(cookie); !strings.Contains(got, `value="`+value+`"`) || !strings.Contains(got, `list="time-zones"`) {
			t.Errorf("%q: %s", cookie, got)
		}
	}
	if saved := b.post(made, append(slices.Clone(goodWidget), "hours.timezone", "Europe/Vienna")...); saved.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", saved.status, tidy(saved.body))
	}
	if got := w.onlyWidget(b); got.Hours != nil {
		t.Errorf("%+v", got.Hours)
	}
}

// The hours, the owner's words and the form for when nobody is there come back as they were typed, also where they cannot be.
func TestWidgetHoursAndWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	made := b.post("/widgets", "name", "Shop")
	more := append(slices.Clone(goodWidget), "hours.timezone", "Europe/Lisbon", "hours.mon", "09:00-12:00, 13:00-17:00", "hours.sat", "10:00–14:00",
		"offline_form", "on", "texts.person", "Ask <b>Anna</b>")
	if saved := b.post(made.to(), more...); saved.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", saved.status, tidy(saved.body))
	}
	got := w.onlyWidget(b)
	if got.Hours == nil || got.Hours.Timezone != "Europe/Lisbon" || len(got.Hours.Week["mon"]) != 2 || len(got.Hours.Week["sat"]) != 1 || len(got.Hours.Week["sun"]) != 0 ||
		!got.OfflineForm || got.Texts["person"] != "Ask <b>Anna</b>" || len(got.Texts) != 1 {
		t.Errorf("%+v", got)
	}
	want(t, b.page(made.to()), `value="Europe/Lisbon"`, "09:00–12:00, 13:00–17:00", `value="Ask &lt;b&gt;Anna&lt;/b&gt;"`)
	refused := b.post(made.to(), append(more, "hours.tue", "whenever <i>")...)
	if refused.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d", refused.status)
	}
	want(t, refused.body, "Nothing was saved yet.", `value="whenever &lt;i&gt;"`, `value="Europe/Lisbon"`)
	if saved := b.post(made.to(), goodWidget...); saved.status != http.StatusSeeOther || w.onlyWidget(b).Hours != nil || len(w.onlyWidget(b).Texts) != 0 {
		t.Errorf("emptied: %d, %+v", saved.status, w.onlyWidget(b))
	}
}

func (w *world) onlyWidget(b *browser) domain.Widget {
	w.t.Helper()
	all, err := w.account.Widgets(w.t.Context(), b.user.OrgID)
	if err != nil || len(all) != 1 {
		w.t.Fatalf("%d widgets, %v", len(all), err)
	}
	return all[0]
}

func TestWidgetFormComesBackWithItsProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	theirs := w.agent(eve, "Theirs")
	existing := w.widget(b, "")
	bad := []string{"name", "", "agent_id", string(theirs.ID), "allowed_origins", "acme.example/<b>", "appearance.title", strings.Repeat("x", 61),
		"appearance.primary_color", "blue", "appearance.text_color", "#ffffff", "appearance.position", "bottom_right",
		"daily_message_cap", "lots", "rate.messages", "5", "rate.window_seconds", "30", "fallback_text", "x",
		"appearance.contact_info_mode", "none"}
	for _, path := range []string{"/widgets", "/widgets/" + string(existing.ID)} {
		a := b.post(path, bad...)
		if a.status != http.StatusUnprocessableEntity {
			t.Fatalf("POST %s: %d", path, a.status)
		}
		want(t, a.body, "Name is needed", "Sites that may embed it", "is not a site", "acme.example/&lt;b&gt;</textarea>", "Title must have at most 60 characters", "Colour must be a colour")
		without(t, a.body, "Theirs")
	}
	other := slices.Clone(goodWidget)
	if a := b.post("/widgets/"+string(existing.ID), append(other, "agent_id", string(theirs.ID))...); a.status != http.StatusUnprocessableEntity {
		t.Errorf("another organisation's agent: %d", a.status)
	} else {
		want(t, a.body, "Who answers is not an agent of this organisation.")
	}
	if got := w.onlyWidget(b); got.Name != "Shop" {
		t.Errorf("a form that failed changed %+v", got)
	}
}

func TestTriggerIsSwitchedInTheList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	path := "/widgets/" + string(w.widget(b, w.agent(b, "Ada").ID).ID) + "/trigger"
	off := b.htmx(path, "on", "")
	want(t, off.body, `aria-checked="false"`, `name="on" value="on"`, "Ada")
	without(t, off.body, "<html")
	if w.onlyWidget(b).WebchatEnabled {
		t.Error("still on")
	}
	if a := b.post(path, "on", "on"); a.status != http.StatusSeeOther || a.to() != "/widgets" {
		t.Errorf("without scripts: %d to %q", a.status, a.to())
	}
	if !w.onlyWidget(b).WebchatEnabled {
		t.Error("still off")
	}
}

func TestIdentitySecretIsShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	path := "/widgets/" + string(w.widget(b, "").ID)
	stamp := regexp.MustCompile(`name="stamp" value="([^"]+)"`).FindStringSubmatch(b.page(path))
	if stamp == nil {
		t.Fatal("the form carries no stamp")
	}
	made := b.post(path+"/secret", "stamp", stamp[1])
	m := regexp.MustCompile(`<code id="secret"[^>]*>([^<]{20,})</code>`).FindStringSubmatch(made.body)
	if made.status != http.StatusOK || m == nil {
		t.Fatalf("%d\n%s", made.status, tidy(made.body))
	}
	want(t, made.body, "Copy the new one now.", `id="secret-made" tabindex="-1"`, "autofocus")
	without(t, b.page(path), m[1], `id="secret"`)
	for _, stale := range []string{stamp[1], ""} { // a reload sends the form again
		again := b.post(path+"/secret", "stamp", stale)
		if again.status != http.StatusConflict {
			t.Errorf("stamp %q again: %d", stale, again.status)
		}
		want(t, again.body, "Nothing was replaced")
		without(t, again.body, `id="secret"`)
	}
	if a := b.get(path + "/secret"); a.status != http.StatusSeeOther || a.to() != path {
		t.Errorf("the address without a form: %d to %q", a.status, a.to())
	}
	stored, err := w.account.WidgetByKey(t.Context(), w.onlyWidget(b).Key)
	if err != nil || stored.IdentitySecret != m[1] {
		t.Errorf("the secret on file is another one (%v)", err)
	}
}

func TestWidgetIsDeletedAndPreviewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	one := w.widget(b, "")
	path := "/widgets/" + string(one.ID)
	want(t, b.page(path), `src="`+path+`/preview"`)
	want(t, b.page(path+"/preview"), `<script async src="/widget.js" data-widget="`+one.Key+`"></script>`)
	if a := b.post(path + "/delete"); a.status != http.StatusSeeOther || a.to() != "/widgets" {
		t.Fatalf("%d to %q", a.status, a.to())
	}
	want(t, b.page("/widgets"), "The widget is deleted.", "No widget yet")
}
