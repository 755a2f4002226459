package domain

import (
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	h := &Hours{Timezone: "Europe/Berlin", Week: map[string][][2]string{
		"mon": {{"09:00", "12:00"}, {"13:00", "17:00"}}, "fri": {{"22:00", "24:00"}}, "sun": {{"01:00", "04:00"}},
	}}
	for _, tt := range []struct {
		name, now string
		open      bool
		opens     string // RFC 3339; empty: within
	}{
		{"at the first minute", "2026-11-30T08:00:00Z", true, ""},
		{"a moment before", "2026-11-30T07:59:59Z", false, "2026-11-30T08:00:00Z"},
		{"at lunch", "2026-11-30T11:00:00Z", false, "2026-11-30T12:00:00Z"},
		{"after work until Friday", "2026-11-30T16:00:00Z", false, "2026-12-04T21:00:00Z"},
		{"just before midnight", "2026-12-04T22:59:59Z", true, ""},
		{"at midnight", "2026-12-04T23:00:00Z", false, "2026-12-06T00:00:00Z"},
		{"summer has another offset", "2026-07-06T07:00:00Z", true, ""},
		{"the night the clock is set forward", "2026-03-29T00:30:00Z", true, ""}, // 01:30; 02:00 to 03:00 do not exist
		{"and the end of it", "2026-03-29T02:00:00Z", false, "2026-03-30T07:00:00Z"},
		{"the night it is set back", "2026-10-25T01:30:00Z", true, ""}, // 02:30 for the second time
		{"only this day again in a week", "2026-12-06T05:00:00Z", false, "2026-12-07T08:00:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339, tt.now)
		var want time.Time
		if tt.opens != "" {
			want, _ = time.Parse(time.RFC3339, tt.opens)
		}
		if open, at := h.Open(now), h.OpensAt(now); open != tt.open || !at.Equal(want) {
			t.Errorf("%s: open %v, opens at %v", tt.name, open, at.UTC())
		}
	}
	var none *Hours
	if none.Open(time.Now()) || !none.OpensAt(time.Now()).IsZero() {
		t.Error("no hours promise somebody")
	}
	if off := (&Hours{Timezone: "UTC"}); off.Open(time.Now()) || !off.OpensAt(time.Now()).IsZero() {
		t.Error("a week off opens")
	}
}

func TestHoursAreChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		zone, day string
		spans     [][2]string
		field     string // that is wrong; empty: none
	}{
		"good":         {"UTC", "mon", [][2]string{{"13:00", "17:00"}, {"09:00", "12:00"}}, ""},
		"no zone":      {"", "mon", nil, "timezone"},
		"the server's": {"Local", "mon", nil, "timezone"},
		"nowhere":      {"Mars/Base", "mon", nil, "timezone"},
		"a path":       {"../../etc/passwd", "mon", nil, "timezone"},
		"no day":       {"UTC", "monday", nil, "week"},
		"backwards":    {"UTC", "mon", [][2]string{{"17:00", "09:00"}}, "mon"},
		"empty":        {"UTC", "mon", [][2]string{{"09:00", "09:00"}}, "mon"},
		"overlap":      {"UTC", "mon", [][2]string{{"09:00", "12:00"}, {"11:00", "13:00"}}, "mon"},
		"beyond a day": {"UTC", "mon", [][2]string{{"09:00", "24:01"}}, "mon"},
		"not a time":   {"UTC", "mon", [][2]string{{"nine", "five"}}, "mon"},
		"minus":        {"UTC", "mon", [][2]string{{"-1:00", "05:00"}}, "mon"},
		"far too many": {"UTC", "mon", [][2]string{{"01:00", "02:00"}, {"03:00", "04:00"}, {"05:00", "06:00"}, {"07:00", "08:00"}, {"09:00", "10:00"}}, "mon"},
	} {
		h, problems := Hours{Timezone: tt.zone, Week: map[string][][2]string{tt.day: tt.spans}}.Check()
		if tt.field == "" && (len(problems) > 0 || h.Week["mon"][0][0] != "09:00") || tt.field != "" && problems[tt.field] == "" {
			t.Errorf("%s: %v %v", name, h, problems)
		}
	}
	spans, ok := ParseSpans("9-12, 13:30 – 17:00")
	if !ok || FormatSpans(spans) != "09:00–12:00, 13:30–17:00" {
		t.Errorf("read as %v", spans)
	}
	if _, ok := ParseSpans("from nine"); ok {
		t.Error("words pass for hours")
	}
}
