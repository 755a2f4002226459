package api

import (
	"net/http"
	"testing"
)

func TestWidgetRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme.client
	made := c.post(t, "/widgets", map[string]any{"name": "Shop", "agent_id": w.acme.Agent, "allowed_origins": []string{"https://Shop.example"},
		"rate": map[string]any{"messages": 5}, "appearance": map[string]any{"title": "Acme", "position": "bottom_left"}}).want(t, http.StatusCreated)
	made.check(t, map[string]any{"name": "Shop", "agent_id": w.acme.Agent, "enabled": true, "webchat_enabled": true, "allowed_origins": []string{"https://shop.example"},
		"daily_message_cap": 500, "rate": map[string]any{"messages": 5, "window_seconds": 60}, "require_identity": false,
		"appearance.title": "Acme", "appearance.position": "bottom_left", "appearance.contact_info_mode": "none"})
	if len(made.str("identity_secret")) < 32 || len(made.str("key")) != 26 {
		t.Errorf("secret or key: %s", made.raw)
	}
	path := "/widgets/" + made.str("id")
	c.get(t, path).want(t, http.StatusOK).check(t, map[string]any{"key": made.str("key"), "identity_secret": nil})

	steps := []struct {
		name string
		body map[string]any
		want map[string]any
	}{
		{"trigger off", map[string]any{"webchat_enabled": false}, map[string]any{"webchat_enabled": false, "enabled": true, "agent_id": w.acme.Agent}},
		{"part of the rate", map[string]any{"rate": map[string]any{"window_seconds": 10}}, map[string]any{"rate": map[string]any{"messages": 5, "window_seconds": 10}}},
		{"part of the looks", map[string]any{"appearance": map[string]any{"greeting": "Hey"}}, map[string]any{"appearance.greeting": "Hey", "appearance.title": "Acme"}},
		{"no cap", map[string]any{"daily_message_cap": 0}, map[string]any{"daily_message_cap": 0}},
		{"nobody may embed it", map[string]any{"allowed_origins": []string{}}, map[string]any{"allowed_origins": []string{}}},
		{"people only", map[string]any{"agent_id": nil}, map[string]any{"agent_id": nil}},
		{"an agent again", map[string]any{"agent_id": w.acme.Agent}, map[string]any{"agent_id": w.acme.Agent}},
		{"nothing", map[string]any{}, map[string]any{"agent_id": w.acme.Agent, "name": "Shop"}},
		{"identity", map[string]any{"require_identity": true}, map[string]any{"require_identity": true}},
		{"hours", map[string]any{"hours": map[string]any{"timezone": "Europe/Lisbon", "week": map[string]any{"mon": [][]string{{"09:00", "12:00"}, {"13:00", "17:00"}}}}},
			map[string]any{"hours.timezone": "Europe/Lisbon", "hours.week.mon": []any{[]any{"09:00", "12:00"}, []any{"13:00", "17:00"}}}},
		{"hours stay", map[string]any{"offline_form": true, "texts": map[string]any{"person": "Ask Anna"}},
			map[string]any{"hours.timezone": "Europe/Lisbon", "offline_form": true, "texts": map[string]any{"person": "Ask Anna"}}},
		{"no hours", map[string]any{"hours": nil, "texts": map[string]any{}}, map[string]any{"hours": nil, "texts": map[string]any{}, "offline_form": true}},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			c.patch(t, path, s.body).want(t, http.StatusOK).check(t, map[string]any{"identity_secret": nil})
			c.get(t, path).want(t, http.StatusOK).check(t, s.want)
		})
	}

	rotated := c.post(t, path+"/rotate-secret", nil).want(t, http.StatusOK)
	if s := rotated.str("identity_secret"); len(s) < 32 || s == made.str("identity_secret") || len(rotated.body) != 2 {
		t.Errorf("rotated: %s", rotated.raw)
	}
	c.get(t, path).want(t, http.StatusOK).check(t, map[string]any{"previous_secret_until": rotated.str("previous_secret_until")})
	w.rival.client.do(t, http.MethodDelete, Prefix+path+"/previous-secret", nil).want(t, http.StatusNotFound)
	c.do(t, http.MethodDelete, Prefix+path+"/previous-secret", nil).want(t, http.StatusNoContent)
	c.get(t, path).want(t, http.StatusOK).check(t, map[string]any{"previous_secret_until": nil})
	for field, body := range map[string]map[string]any{
		"hours.timezone": {"hours": map[string]any{"timezone": "Mars/Olympus", "week": map[string]any{"mon": [][]string{{"09:00", "17:00"}}}}},
		"hours.mon":      {"hours": map[string]any{"timezone": "UTC", "week": map[string]any{"mon": [][]string{{"17:00", "09:00"}}}}},
	} {
		c.patch(t, path, body).badField(t, field)
	}
	if n := len(c.get(t, "/widgets").want(t, http.StatusOK).items(t)); n != 2 {
		t.Errorf("%d widgets, want 2", n)
	}
	c.do(t, http.MethodDelete, Prefix+path, nil).want(t, http.StatusNoContent)
	c.get(t, path).problem(t, http.StatusNotFound, "not_found")
}

func TestWidgetDefaults(t *testing.T) {
	t.Parallel()
	c := newWorld(t).acme.client
	tests := []struct {
		name string
		body map[string]any
		want map[string]any
	}{
		{"only a name", map[string]any{"name": "x"}, map[string]any{"agent_id": nil, "enabled": true, "webchat_enabled": true, "daily_message_cap": 500,
			"rate": map[string]any{"messages": 20, "window_seconds": 60}, "allowed_origins": []string{}}},
		{"null agent", map[string]any{"name": "x", "agent_id": nil}, map[string]any{"agent_id": nil}},
		{"trigger off", map[string]any{"name": "x", "webchat_enabled": false}, map[string]any{"webchat_enabled": false}},
		{"no cap", map[string]any{"name": "x", "daily_message_cap": 0}, map[string]any{"daily_message_cap": 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			made := c.post(t, "/widgets", tt.body).want(t, http.StatusCreated).check(t, tt.want)
			c.get(t, "/widgets/"+made.str("id")).want(t, http.StatusOK).check(t, tt.want)
		})
	}
}

func TestBadWidgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		name  string
		body  map[string]any
		field string
	}{
		{"no name", map[string]any{}, "name"},
		{"agent no id", map[string]any{"name": "x", "agent_id": "ada"}, "agent_id"},
		{"agent unknown to Postgres's eye", map[string]any{"name": "x", "agent_id": "{0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11}"}, "agent_id"},
		{"a rival's agent", map[string]any{"name": "x", "agent_id": w.rival.Agent}, "agent_id"},
		{"origin with a path", map[string]any{"name": "x", "allowed_origins": []string{"https://a.example/b"}}, "allowed_origins"},
		{"origins no list", map[string]any{"name": "x", "allowed_origins": "https://a.example"}, "allowed_origins"},
		{"cap", map[string]any{"name": "x", "daily_message_cap": -1}, "daily_message_cap"},
		{"rate", map[string]any{"name": "x", "rate": map[string]any{"messages": 0}}, "rate.messages"},
		{"rate's window", map[string]any{"name": "x", "rate": map[string]any{"window_seconds": 100000}}, "rate.window_seconds"},
		{"colour", map[string]any{"name": "x", "appearance": map[string]any{"primary_color": "red"}}, "appearance.primary_color"},
		{"position", map[string]any{"name": "x", "appearance": map[string]any{"position": "top"}}, "appearance.position"},
	}
	made := w.acme.post(t, "/widgets", map[string]any{"name": "Shop"}).want(t, http.StatusCreated)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.acme.post(t, "/widgets", tt.body).badField(t, tt.field)
			if tt.name != "no name" {
				w.acme.patch(t, "/widgets/"+made.str("id"), tt.body).badField(t, tt.field)
			}
		})
	}
}
