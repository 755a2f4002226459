package account_test

import (
	"bytes"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

func TestWidgetLife(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	agent := must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, ada()))
	in := s.DefaultWidget()
	in.Name, in.AgentID, in.AllowedOrigins = " Shop ", agent.ID, []string{"HTTPS://Shop.Example/", "", "https://shop.example", "https://*.shop.example:443"}
	w, err := s.CreateWidget(t.Context(), s.org, in)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^wid_[0-9A-Za-z]{22}$`).MatchString(w.Key) || len(w.IdentitySecret) < 43 || w.Name != "Shop" {
		t.Errorf("made %+v", w)
	}
	if want := []string{"https://shop.example", "https://*.shop.example"}; !slices.Equal(w.AllowedOrigins, want) {
		t.Errorf("origins %v, want %v", w.AllowedOrigins, want)
	}
	secret := w.IdentitySecret
	w.IdentitySecret = ""
	same := func(name string, got domain.Widget, err error) {
		t.Helper()
		got.CreatedAt, got.UpdatedAt = got.CreatedAt.UTC(), got.UpdatedAt.UTC()
		if err != nil || !reflect.DeepEqual(got, w) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, w)
		}
	}
	got, err := s.Widget(t.Context(), s.org, w.ID)
	same("Widget", got, err)
	ws, err := s.Widgets(t.Context(), s.org)
	if len(ws) != 1 {
		t.Fatalf("widgets %v, %v", ws, err)
	}
	same("Widgets", ws[0], err)
	got, err = s.WidgetByKey(t.Context(), w.Key)
	if got.IdentitySecret != secret {
		t.Error("WidgetByKey has another secret than CreateWidget told")
	}
	got.IdentitySecret = ""
	same("WidgetByKey", got, err)

	in = s.DefaultWidget()
	in.Name, in.Enabled, in.WebchatEnabled, in.RequireIdentity, in.DailyCap, in.RateMessages, in.RateWindowSecs = "Blog", false, false, true, 0, 1, 3600
	in.FallbackText = "We will write back.\r\nSoon."
	in.Appearance = domain.Appearance{Title: "Hi", PrimaryColor: "#AABBCC", TextColor: "#000000", Position: domain.BottomLeft, Locale: "pt-BR",
		ContactInfoMode: domain.ContactInfoRequired, Collect: []string{"phone", "name", "phone"}}
	changed, err := s.UpdateWidget(t.Context(), s.org, w.ID, in)
	if err != nil {
		t.Fatal(err)
	}
	if changed.Key != w.Key || changed.IdentitySecret != "" || !changed.CreatedAt.Equal(w.CreatedAt) || !changed.UpdatedAt.After(w.UpdatedAt) {
		t.Errorf("changed %+v", changed)
	}
	w.Name, w.Enabled, w.AgentID, w.WebchatEnabled, w.RequireIdentity, w.AllowedOrigins = "Blog", false, "", false, true, []string{}
	w.DailyCap, w.RateMessages, w.RateWindowSecs, w.FallbackText, w.UpdatedAt = 0, 1, 3600, "We will write back.\nSoon.", changed.UpdatedAt
	w.Appearance = in.Appearance
	w.Appearance.PrimaryColor, w.Appearance.Collect = "#aabbcc", []string{"name", "phone"}
	got, err = s.Widget(t.Context(), s.org, w.ID)
	same("changed", got, err)
	if got, err := s.WidgetByKey(t.Context(), w.Key); err != nil || got.IdentitySecret != secret {
		t.Errorf("a change lost the identity secret: %v", err)
	}

	got, err = s.SetWebchat(t.Context(), s.org, w.ID, true)
	w.WebchatEnabled, w.UpdatedAt = true, got.UpdatedAt
	same("SetWebchat", got, err)
	if err := s.DeleteWidget(t.Context(), s.org, w.ID); err != nil {
		t.Fatal(err)
	}
	_, err = s.WidgetByKey(t.Context(), w.Key)
	if wantKind(t, err, domain.NotFound); domain.CodeOf(err) != domain.CodeUnknownWidget {
		t.Errorf("the code is %q", domain.CodeOf(err))
	}
	wantKind(t, s.DeleteWidget(t.Context(), s.org, w.ID), domain.NotFound)
}

func TestWidgetIdentitySecret(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	w := must[domain.Widget](t)(s.CreateWidget(t.Context(), s.org, s.DefaultWidget()))
	sealed := scan[[]byte](t, s.ledger, `SELECT identity_secret FROM widgets`)
	if len(sealed) < len(w.IdentitySecret) || bytes.Contains(sealed, []byte(w.IdentitySecret)) {
		t.Errorf("the secret is stored as %q", sealed)
	}
	rotated, until, err := s.RotateIdentitySecret(t.Context(), s.org, w.ID)
	if err != nil || time.Until(until) < 23*time.Hour || time.Until(until) > 25*time.Hour || rotated == w.IdentitySecret || len(rotated) < 43 {
		t.Fatalf("rotated to %q, %v", rotated, err)
	}
	got := must[domain.Widget](t)(s.WidgetByKey(t.Context(), w.Key))
	if got.IdentitySecret != rotated {
		t.Error("the widget kept its old secret")
	}
	now := time.Now()
	if err := domain.VerifyIdentity(got.IdentitySecret, "42", now.Unix(), domain.SignIdentity(rotated, "42", now.Unix()), now); err != nil {
		t.Errorf("a signature with the new secret: %v", err)
	}
	old := domain.SignIdentity(w.IdentitySecret, "42", now.Unix())
	if err := domain.VerifyIdentity(got.IdentitySecret, "42", now.Unix(), old, now); err == nil {
		t.Error("a signature with the old secret passes for one with the new")
	}
	if err := got.VerifyIdentity("42", now.Unix(), old, now); err != nil {
		t.Errorf("a signature with the old secret, a moment after the rotation: %v", err)
	}
	late := now.Add(domain.SecretOverlap + time.Minute)
	if err := got.VerifyIdentity("42", late.Unix(), domain.SignIdentity(w.IdentitySecret, "42", late.Unix()), late); err == nil {
		t.Error("the old secret is good for ever")
	}
	if err := s.EndPreviousSecret(t.Context(), s.org, w.ID); err != nil {
		t.Fatal(err)
	}
	if got = must[domain.Widget](t)(s.WidgetByKey(t.Context(), w.Key)); got.PreviousSecret != "" || got.VerifyIdentity("42", now.Unix(), old, now) == nil {
		t.Error("the old secret outlives its end")
	}
	other := newTenant(t)
	if err := other.EndPreviousSecret(t.Context(), other.org, w.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("another organisation ends it: %v", err)
	}

	thief := must[domain.Widget](t)(s.CreateWidget(t.Context(), s.org, s.DefaultWidget()))
	exec(t, s.ledger, `UPDATE widgets SET identity_secret = ? WHERE id = ?`, sealed, thief.ID)
	_, err = s.WidgetByKey(t.Context(), thief.Key)
	wantKind(t, err, domain.Internal)
}

func TestCreateWidgetFillsInDefaults(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	w, err := s.CreateWidget(t.Context(), s.org, account.WidgetInput{Name: "Bare"})
	if err != nil {
		t.Fatal(err)
	}
	if w.DailyCap != domain.DefaultDailyCap || w.RateMessages != domain.DefaultRateMessages || w.RateWindowSecs != domain.DefaultRateWindowSecs ||
		w.FallbackText != domain.DefaultFallbackText || w.Enabled || w.WebchatEnabled || w.AllowedOrigins == nil {
		t.Errorf("made %+v", w)
	}
	if a := s.DefaultWidget().Appearance; !reflect.DeepEqual(w.Appearance, a) {
		t.Errorf("it looks like %+v, want %+v", w.Appearance, a)
	}
	raw := scan[string](t, s.ledger, `SELECT appearance::text FROM widgets`)
	if !strings.Contains(raw, `"primary_color"`) {
		t.Errorf("the looks are stored as %s", raw)
	}
	in := account.WidgetInput{Name: "Quiet", Appearance: domain.Appearance{Title: "Chat"}}
	if w := must[domain.Widget](t)(s.CreateWidget(t.Context(), s.org, in)); w.Appearance.Greeting != "" {
		t.Errorf("a greeting nobody asked for: %q", w.Appearance.Greeting)
	}
}

func TestWidgetRules(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	other := newOrg(t, s.ledger, "other")
	theirs := must[domain.Agent](t)(s.CreateAgent(t.Context(), other, ada()))
	stored := must[domain.Widget](t)(s.CreateWidget(t.Context(), s.org, s.DefaultWidget()))
	many := func(n int) (origins []string) {
		for i := range n {
			origins = append(origins, fmt.Sprintf("https://s%d.example", i))
		}
		return origins
	}
	type input = account.WidgetInput
	tests := []struct {
		name   string
		spoil  func(*input)
		fields []string // nil: it is fine
	}{
		{"as it is", func(*input) {}, nil},
		{"no name", func(in *input) { in.Name = " " }, []string{"name"}},
		{"long name", func(in *input) { in.Name = strings.Repeat("n", 81) }, []string{"name"}},
		{"longest name", func(in *input) { in.Name = strings.Repeat("ñ", 80) }, nil},
		{"somebody else's agent", func(in *input) { in.AgentID = theirs.ID }, []string{"agent_id"}},
		{"no agent at all", func(in *input) { in.AgentID = "018f0000-0000-7000-8000-000000000000" }, []string{"agent_id"}},
		{"nonsense for an agent", func(in *input) { in.AgentID = "Ada" }, []string{"agent_id"}},
		{"any origin", func(in *input) { in.AllowedOrigins = []string{"*"} }, nil},
		{"origin with a path", func(in *input) { in.AllowedOrigins = []string{"https://a.example", "https://b.example/x"} }, []string{"allowed_origins"}},
		{"origin without a scheme", func(in *input) { in.AllowedOrigins = []string{"a.example"} }, []string{"allowed_origins"}},
		{"a hundred origins", func(in *input) { in.AllowedOrigins = many(100) }, nil},
		{"more origins", func(in *input) { in.AllowedOrigins = many(101) }, []string{"allowed_origins"}},
		{"negative cap", func(in *input) { in.DailyCap = -1 }, []string{"daily_message_cap"}},
		{"high cap", func(in *input) { in.DailyCap = 100_001 }, []string{"daily_message_cap"}},
		{"highest cap", func(in *input) { in.DailyCap = 100_000 }, nil},
		{"negative rate", func(in *input) { in.RateMessages, in.RateWindowSecs = -1, -1 }, []string{"rate.messages", "rate.window_seconds"}},
		{"high rate", func(in *input) { in.RateMessages, in.RateWindowSecs = 1001, 3601 }, []string{"rate.messages", "rate.window_seconds"}},
		{"highest rate", func(in *input) { in.RateMessages, in.RateWindowSecs = 1000, 3600 }, nil},
		{"long fallback", func(in *input) { in.FallbackText = strings.Repeat("f", 501) }, []string{"fallback_text"}},
		{"long title", func(in *input) { in.Appearance.Title = strings.Repeat("t", 61) }, []string{"appearance.title"}},
		{"title of two lines", func(in *input) { in.Appearance.Title = "a\nb" }, []string{"appearance.title"}},
		{"long greeting", func(in *input) { in.Appearance.Greeting = strings.Repeat("g", 501) }, []string{"appearance.greeting"}},
		{"NUL in the greeting", func(in *input) { in.Appearance.Greeting = "a\x00b" }, []string{"appearance.greeting"}},
		{"greeting of two lines", func(in *input) { in.Appearance.Greeting = "a\nb" }, nil},
		{"no greeting", func(in *input) { in.Appearance.Greeting = "" }, nil},
		{"colour by name", func(in *input) { in.Appearance.PrimaryColor, in.Appearance.TextColor = "red", "#fff" }, []string{"appearance.primary_color", "appearance.text_color"}},
		{"colour that breaks out", func(in *input) { in.Appearance.PrimaryColor = "#000000;x" }, []string{"appearance.primary_color"}},
		{"position", func(in *input) { in.Appearance.Position = "top" }, []string{"appearance.position"}},
		{"locale", func(in *input) { in.Appearance.Locale = "en_US" }, []string{"appearance.locale"}},
		{"long locale", func(in *input) { in.Appearance.Locale = "de" + strings.Repeat("-abcdefgh", 4) }, []string{"appearance.locale"}},
		{"good locale", func(in *input) { in.Appearance.Locale = "zh-Hant-TW" }, nil},
		{"mode", func(in *input) { in.Appearance.ContactInfoMode = "maybe" }, []string{"appearance.contact_info_mode"}},
		{"unknown detail", func(in *input) { in.Appearance.Collect = []string{"email", "shoe_size"} }, []string{"appearance.collect"}},
		{"asks for nothing", func(in *input) {
			in.Appearance.ContactInfoMode, in.Appearance.Collect = domain.ContactInfoRequired, []string{}
		}, []string{"appearance.collect"}},
		{"several at once", func(in *input) { in.Name, in.DailyCap, in.Appearance.Position = "", -1, "x" }, []string{"name", "daily_message_cap", "appearance.position"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := s.DefaultWidget()
			tt.spoil(&in)
			w, createErr := s.CreateWidget(t.Context(), s.org, in)
			_, updateErr := s.UpdateWidget(t.Context(), s.org, stored.ID, in)
			if tt.fields == nil {
				if createErr != nil || updateErr != nil {
					t.Errorf("refused: %v, %v", createErr, updateErr)
				}
				return
			}
			if wantProblems(t, createErr, tt.fields...); w.Key != "" {
				t.Errorf("a failed creation answers %+v", w)
			}
			wantProblems(t, updateErr, tt.fields...)
		})
	}
	_, err := s.UpdateWidget(t.Context(), s.org, stored.ID, account.WidgetInput{Name: "Zero"})
	wantProblems(t, err, "rate.messages", "rate.window_seconds", "fallback_text", "appearance.title", "appearance.primary_color",
		"appearance.text_color", "appearance.position", "appearance.contact_info_mode")
}

func TestWidgetsOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	w := must[domain.Widget](t)(s.CreateWidget(t.Context(), s.org, s.DefaultWidget()))
	other := newOrg(t, s.ledger, "other")
	_, err := s.Widget(t.Context(), other, w.ID)
	wantKind(t, err, domain.NotFound)
	_, err = s.UpdateWidget(t.Context(), other, w.ID, s.DefaultWidget())
	wantKind(t, err, domain.NotFound)
	_, err = s.UpdateWidget(t.Context(), other, w.ID, account.WidgetInput{})
	wantKind(t, err, domain.NotFound)
	_, err = s.SetWebchat(t.Context(), other, w.ID, false)
	wantKind(t, err, domain.NotFound)
	_, _, err = s.RotateIdentitySecret(t.Context(), other, w.ID)
	wantKind(t, err, domain.NotFound)
	wantKind(t, s.DeleteWidget(t.Context(), other, w.ID), domain.NotFound)
	if ws, err := s.Widgets(t.Context(), other); err != nil || ws == nil || len(ws) != 0 {
		t.Errorf("the other organisation sees %v, %v", ws, err)
	}
	if got := must[domain.Widget](t)(s.WidgetByKey(t.Context(), w.Key)); got.IdentitySecret != w.IdentitySecret || !got.WebchatEnabled {
		t.Errorf("the other organisation changed it to %+v", got)
	}
	for _, key := range []string{"", "wid_", strings.ToLower(w.Key) + "x", "wid_\x00"} {
		_, err := s.WidgetByKey(t.Context(), key)
		wantKind(t, err, domain.NotFound)
	}
}

func TestDeletedAgentLeavesItsWidget(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	agent := must[domain.Agent](t)(s.CreateAgent(t.Context(), s.org, ada()))
	in := s.DefaultWidget()
	in.AgentID = agent.ID
	w := must[domain.Widget](t)(s.CreateWidget(t.Context(), s.org, in))
	if err := s.DeleteAgent(t.Context(), s.org, agent.ID); err != nil {
		t.Fatal(err)
	}
	if got := must[domain.Widget](t)(s.Widget(t.Context(), s.org, w.ID)); got.AgentID != "" {
		t.Errorf("the widget still names %s", got.AgentID)
	}
}
