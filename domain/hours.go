package domain

import (
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the server's system may have no time zones of its own
)

// Hours are when people of a widget's team are there, in their own time zone. A day without spans is a day off.
type Hours struct {
	Timezone string                 `json:"timezone"` // IANA, such as Europe/Berlin
	Week     map[string][][2]string `json:"week"`     // by Weekdays; spans from "09:00" to "17:00", the end not included, "24:00" at the latest
}

// Weekdays are the keys of a week, Monday first.
var Weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// MaxSpans bounds the spans of one day.
const MaxSpans = 4

// Open reports whether t is within the hours. Without hours nobody is promised to be there.
func (h *Hours) Open(t time.Time) bool {
	zone, ok := h.zone()
	if !ok {
		return false
	}
	t = t.In(zone)
	for _, s := range h.day(t) {
		if !t.Before(s[0]) && t.Before(s[1]) {
			return true
		}
	}
	return false
}

// OpensAt is when the hours next begin, if they are over or have not begun; zero within them, and if they never begin.
func (h *Hours) OpensAt(t time.Time) time.Time {
	zone, ok := h.zone()
	if !ok || h.Open(t) {
		return time.Time{}
	}
	t = t.In(zone)
	for ahead := range 8 {
		for _, s := range h.day(time.Date(t.Year(), t.Month(), t.Day()+ahead, 12, 0, 0, 0, zone)) {
			if s[0].After(t) {
				return s[0]
			}
		}
	}
	return time.Time{}
}

func (h *Hours) zone() (*time.Location, bool) {
	if h == nil {
		return nil, false
	}
	zone, err := time.LoadLocation(h.Timezone)
	return zone, err == nil
}

// day is the spans of the day that t is on, in t's zone. A clock that is set back or forward meanwhile makes them longer or shorter.
func (h *Hours) day(t time.Time) (spans [][2]time.Time) {
	at := func(clock string) time.Time {
		m, _ := minutes(clock)
		return time.Date(t.Year(), t.Month(), t.Day(), 0, m, 0, 0, t.Location())
	}
	for _, s := range h.Week[Weekdays[(int(t.Weekday())+6)%7]] {
		spans = append(spans, [2]time.Time{at(s[0]), at(s[1])})
	}
	return spans
}

// minutes reads a time of day as minutes since midnight.
func minutes(clock string) (int, bool) {
	hour, minute, ok := strings.Cut(clock, ":")
	h, err := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	if !ok || err != nil || err2 != nil || len(hour) != 2 || len(minute) != 2 || h < 0 || m < 0 || m > 59 || h*60+m > 24*60 {
		return 0, false
	}
	return h*60 + m, true
}

// Check returns the hours in their normal form, each day's spans in order, or the problem with a field: timezone or a weekday.
func (h Hours) Check() (Hours, map[string]string) {
	problems := map[string]string{}
	if _, err := time.LoadLocation(h.Timezone); err != nil || h.Timezone == "" || h.Timezone == "Local" {
		problems["timezone"] = "must be a time zone such as Europe/Berlin"
	}
	normal := Hours{Timezone: h.Timezone, Week: map[string][][2]string{}}
	for day, spans := range h.Week {
		if !slices.Contains(Weekdays, day) {
			problems["week"] = "must name days as mon, tue, wed, thu, fri, sat, sun"
			continue
		}
		spans = slices.Clone(spans)
		slices.SortFunc(spans, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
		end := -1
		for _, s := range spans {
			from, ok := minutes(s[0])
			to, ok2 := minutes(s[1])
			switch {
			case !ok || !ok2:
				problems[day] = "must be times such as 09:00-17:00"
			case to <= from:
				problems[day] = "must end after they begin; what goes past midnight belongs to the next day"
			case from < end:
				problems[day] = "must not overlap"
			}
			end = to
		}
		if len(spans) > MaxSpans {
			problems[day] = "must have at most 4 spans"
		}
		if len(spans) > 0 {
			normal.Week[day] = spans
		}
	}
	return normal, problems
}

// ParseSpans reads a day's hours as people write them, such as "9-12, 13:30–17:00"; ok is false for what cannot be read.
func ParseSpans(s string) (spans [][2]string, ok bool) {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' }) {
		part = strings.NewReplacer("–", "-", "—", "-", " ", "").Replace(part)
		if part == "" {
			continue
		}
		from, to, ok := strings.Cut(part, "-")
		if !ok {
			return nil, false
		}
		spans = append(spans, [2]string{clock(from), clock(to)})
	}
	return spans, true
}

func clock(s string) string {
	if !strings.Contains(s, ":") {
		s += ":00"
	}
	if len(s) == 4 {
		s = "0" + s
	}
	return s
}

// FormatSpans is how a day's hours are shown and can be read again.
func FormatSpans(spans [][2]string) string {
	parts := make([]string, len(spans))
	for i, s := range spans {
		parts[i] = s[0] + "–" + s[1]
	}
	return strings.Join(parts, ", ")
}
