package account

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// WidgetInput is what an owner says about a widget.
type WidgetInput struct {
	Name                string
	Enabled             bool
	AgentID             domain.AgentID // empty: only people answer
	WebchatEnabled      bool
	AllowedOrigins      []string
	DailyCap            int // 0 = no cap, when a widget is changed
	RateMessages        int
	RateWindowSecs      int
	RequireIdentity     bool
	FallbackText        string
	HandoffAfterSeconds int // 0 leaves it as it is
	WaitingText         string
	Appearance          domain.Appearance

	AttachmentsEnabled bool // visitors may send files

	Hours       *domain.Hours // nil: none
	OfflineForm bool
	Texts       map[string]string // by domain.WidgetTexts; empty ones are the widget's own
}

const (
	maxOrigins    = 100
	maxDailyCap   = 100_000
	maxRate       = 1000
	maxRateWindow = 3600 // seconds
	maxTitle      = 60   // characters
	maxGreeting   = 500
	maxFallback   = 500
)

// DefaultWidget is what a new widget starts from.
func (s *Service) DefaultWidget() WidgetInput {
	return WidgetInput{
		Name: "Website", Enabled: true, WebchatEnabled: true, AllowedOrigins: []string{},
		DailyCap: domain.DefaultDailyCap, RateMessages: domain.DefaultRateMessages, RateWindowSecs: domain.DefaultRateWindowSecs,
		HandoffAfterSeconds: domain.DefaultHandoffAfterSecs,
		FallbackText:        domain.DefaultFallbackText, AttachmentsEnabled: true,
		Appearance: domain.Appearance{
			Title: "Chat with us", Greeting: "Hello! How can we help you?", PrimaryColor: "#0f62fe", TextColor: "#ffffff",
			Position: domain.BottomRight, ContactInfoMode: domain.ContactInfoNone, Collect: []string{"name", "email"},
		},
	}
}

// withDefaults fills in what was left out of a new widget.
func (in WidgetInput) withDefaults(d WidgetInput) WidgetInput {
	in.DailyCap = cmp.Or(in.DailyCap, d.DailyCap)
	in.RateMessages = cmp.Or(in.RateMessages, d.RateMessages)
	in.RateWindowSecs = cmp.Or(in.RateWindowSecs, d.RateWindowSecs)
	in.FallbackText = cmp.Or(strings.TrimSpace(in.FallbackText), d.FallbackText)
	a, da := &in.Appearance, d.Appearance
	if a.Title == "" && a.Greeting == "" && a.PrimaryColor == "" && a.Position == "" { // nothing was said about its looks
		a.Greeting = da.Greeting
	}
	a.Title = cmp.Or(strings.TrimSpace(a.Title), da.Title)
	a.PrimaryColor, a.TextColor = cmp.Or(a.PrimaryColor, da.PrimaryColor), cmp.Or(a.TextColor, da.TextColor)
	a.Position, a.ContactInfoMode = cmp.Or(a.Position, da.Position), cmp.Or(a.ContactInfoMode, da.ContactInfoMode)
	if a.Collect == nil {
		a.Collect = da.Collect
	}
	return in
}

// check returns the input as it is stored, or Invalid with a problem for every bad field.
func (in WidgetInput) check() (WidgetInput, error) {
	p := problems{}
	in.Name = p.name("name", in.Name)
	if _, err := domain.ParseID[domain.AgentID](string(in.AgentID)); in.AgentID != "" && err != nil {
		p.add("agent_id", notOurAgent)
	}
	in.AllowedOrigins = p.origins("allowed_origins", in.AllowedOrigins)
	p.between("daily_message_cap", in.DailyCap, 0, maxDailyCap)
	p.between("rate.messages", in.RateMessages, 1, maxRate)
	p.between("rate.window_seconds", in.RateWindowSecs, 1, maxRateWindow)
	in.FallbackText = p.paragraphs("fallback_text", in.FallbackText, maxFallback, true)
	in.WaitingText = p.paragraphs("waiting_text", in.WaitingText, maxFallback, false)
	if in.HandoffAfterSeconds != 0 {
		p.between("handoff_after_seconds", in.HandoffAfterSeconds, 1, 86_400)
	}
	in.Appearance = p.appearance(in.Appearance)
	in.Hours = p.hours("hours", in.Hours)
	in.Texts = p.texts("texts", in.Texts)
	return in, p.err()
}

func (in WidgetInput) over(w *domain.Widget) {
	w.Name, w.Enabled, w.AgentID, w.WebchatEnabled, w.AllowedOrigins = in.Name, in.Enabled, in.AgentID, in.WebchatEnabled, in.AllowedOrigins
	w.DailyCap, w.RateMessages, w.RateWindowSecs = in.DailyCap, in.RateMessages, in.RateWindowSecs
	w.HandoffAfterSeconds, w.WaitingText = cmp.Or(in.HandoffAfterSeconds, w.HandoffAfterSeconds, domain.DefaultHandoffAfterSecs), in.WaitingText
	w.RequireIdentity, w.FallbackText, w.Appearance, w.UpdatedAt = in.RequireIdentity, in.FallbackText, in.Appearance, now()
	w.AttachmentsEnabled = in.AttachmentsEnabled
	w.Hours, w.OfflineForm, w.Texts = in.Hours, in.OfflineForm, in.Texts
}

// origins returns the list in its normal form, each site once. Blank entries are left out: they come from forms.
func (p problems) origins(field string, origins []string) []string {
	normal := []string{}
	for _, o := range origins {
		if strings.TrimSpace(o) == "" {
			continue
		}
		n, err := domain.ParseAllowedOrigin(o)
		if err != nil {
			p.add(field, "%s", fieldProblem(err, field))
		} else if !slices.Contains(normal, n) {
			normal = append(normal, n)
		}
	}
	if len(normal) > maxOrigins {
		p.add(field, "must be at most %d", maxOrigins)
	}
	return normal
}

var (
	colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)
	locale = regexp.MustCompile(`^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$`) // BCP 47, its grammar near enough
)

// collectable is what a widget may ask a visitor for, in the order it asks.
var collectable = []string{"name", "email", "phone"}

func (p problems) appearance(a domain.Appearance) domain.Appearance {
	a.Title = p.line("appearance.title", a.Title, maxTitle, true)
	a.Greeting = p.paragraphs("appearance.greeting", a.Greeting, maxGreeting, false)
	a.PrimaryColor = p.colour("appearance.primary_color", a.PrimaryColor)
	a.TextColor = p.colour("appearance.text_color", a.TextColor)
	p.oneOf("appearance.position", a.Position, domain.BottomRight, domain.BottomLeft)
	a.Locale = strings.TrimSpace(a.Locale)
	if !locale.MatchString(a.Locale) || len(a.Locale) > 35 {
		p.add("appearance.locale", "must be a language tag such as en or pt-BR, or nothing for the visitor's own")
	}
	p.oneOf("appearance.contact_info_mode", a.ContactInfoMode, domain.ContactInfoNone, domain.ContactInfoOptional, domain.ContactInfoRequired)
	asked := []string{}
	for _, c := range collectable {
		if slices.Contains(a.Collect, c) {
			asked = append(asked, c)
		}
	}
	for _, c := range a.Collect {
		p.oneOf("appearance.collect", c, collectable...)
	}
	if asks := a.ContactInfoMode == domain.ContactInfoOptional || a.ContactInfoMode == domain.ContactInfoRequired; asks && len(asked) == 0 {
		p.add("appearance.collect", "must name what to ask for: %s", strings.Join(collectable, ", "))
	}
	a.Collect = asked
	return a
}

func (p problems) colour(field, s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if !colour.MatchString(s) {
		p.add(field, "must be a colour such as #0f62fe")
	}
	return s
}

// hours checks when people are there. Each day's problem is its own field, hours.mon.
func (p problems) hours(field string, h *domain.Hours) *domain.Hours {
	if h == nil {
		return nil
	}
	normal, wrong := h.Check()
	for name, problem := range wrong {
		p.add(field+"."+name, "%s", problem)
	}
	return &normal
}

// texts keeps the owner's own wording and leaves out what is empty.
func (p problems) texts(field string, texts map[string]string) map[string]string {
	kept := map[string]string{}
	for name, text := range texts {
		if !slices.Contains(domain.WidgetTexts, name) {
			p.add(field, "must not have %.40q: the widget says nothing of that name", name)
			continue
		}
		if text = p.line(field+"."+name, text, domain.MaxWidgetText, false); text != "" {
			kept[name] = text
		}
	}
	return kept
}
