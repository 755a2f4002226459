package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.acme.client
	const path = "/organisation/budget"
	c.get(t, path).want(t, http.StatusOK).check(t, map[string]any{"daily_budget_usd": nil, "session_budget_usd": nil, "spent_today_usd": 0})
	for _, s := range []struct {
		body map[string]any
		want map[string]any
	}{
		{map[string]any{"daily_budget_usd": 20, "session_budget_usd": 0.25}, map[string]any{"daily_budget_usd": 20, "session_budget_usd": 0.25}},
		{map[string]any{"session_budget_usd": nil}, map[string]any{"daily_budget_usd": 20, "session_budget_usd": nil}},
		{map[string]any{}, map[string]any{"daily_budget_usd": 20, "session_budget_usd": nil}},
		{map[string]any{"daily_budget_usd": 0}, map[string]any{"daily_budget_usd": 0}},
	} {
		c.patch(t, path, s.body).want(t, http.StatusOK).check(t, s.want)
		c.get(t, path).want(t, http.StatusOK).check(t, s.want)
	}
	c.patch(t, path, map[string]any{"daily_budget_usd": -1}).badField(t, "daily_budget_usd")
	c.patch(t, path, map[string]any{"session_budget_usd": 2e6}).badField(t, "session_budget_usd")
	c.patch(t, path, map[string]any{"daily_budget_usd": "much"}).badField(t, "daily_budget_usd")
	w.rival.get(t, path).want(t, http.StatusOK).check(t, map[string]any{"daily_budget_usd": nil})
}

func TestModelAndHTTPAgentsRoundTrip(t *testing.T) {
	t.Parallel()
	c := newWorld(t).acme.client
	made := c.post(t, "/agents", map[string]any{"name": "Mo", "kind": "openai", "config": map[string]any{
		"base_url": "http://127.0.0.1:9/v1/", "model": "tiny", "api_key": "sk-hush-hush", "temperature": 0.2, "input_cost_per_mtok": 0.15}}).want(t, http.StatusCreated)
	made.check(t, map[string]any{"kind": "openai", "config.base_url": "http://127.0.0.1:9/v1", "config.model": "tiny", "config.api_key": "********",
		"config.temperature": 0.2, "config.max_output_tokens": 1024, "config.max_steps": 6, "config.timeout_seconds": 60, "config.input_cost_per_mtok": 0.15})
	path := "/agents/" + made.str("id")
	for name, s := range map[string]struct{ config, want map[string]any }{
		"kept":           {map[string]any{"model": "big"}, map[string]any{"config.api_key": "********", "config.model": "big"}},
		"shown and back": {map[string]any{"api_key": "********"}, map[string]any{"config.api_key": "********"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.patch(t, path, map[string]any{"config": s.config}).want(t, http.StatusOK).check(t, s.want)
		})
	}
	c.patch(t, path, map[string]any{"config": map[string]any{"api_key": nil}}).want(t, http.StatusOK).check(t, map[string]any{"config.api_key": nil, "config.model": "big"})

	hooked := c.post(t, "/agents", map[string]any{"name": "Hook", "kind": "http", "config": map[string]any{"url": "http://127.0.0.1:9/x", "secret": "hush-hush"}}).want(t, http.StatusCreated)
	hooked.check(t, map[string]any{"config.url": "http://127.0.0.1:9/x", "config.secret": "********", "config.timeout_seconds": 30})
	if all := string(c.get(t, "/agents").want(t, http.StatusOK).raw) + string(made.raw) + string(hooked.raw); strings.Contains(all, "hush") {
		t.Error("a secret is shown")
	}
	for field, config := range map[string]map[string]any{
		"config.model":             {"base_url": "http://a/v1"},
		"config.base_url":          {"base_url": "ws://a/v1", "model": "m"},
		"config.temperature":       {"base_url": "http://a/v1", "model": "m", "temperature": 3},
		"config.max_steps":         {"base_url": "http://a/v1", "model": "m", "max_steps": 0},
		"config.max_output_tokens": {"base_url": "http://a/v1", "model": "m", "max_output_tokens": "many"},
		"config.api_key":           {"base_url": "http://a/v1", "model": "m", "api_key": "two\nlines"},
	} {
		c.post(t, "/agents", map[string]any{"name": "x", "kind": "openai", "config": config}).badField(t, field)
	}
	c.post(t, "/agents", map[string]any{"name": "x", "kind": "http", "config": map[string]any{"secret": "s"}}).badField(t, "config.url")
}
