package views

import (
	"fmt"
	"strconv"
	"time"
)

// number writes n for a person.
func number(n int) string { return strconv.Itoa(n) }

// roughly writes n where there is room for three letters.
func roughly(n int) string {
	if n < 1000 {
		return number(n)
	}
	return number(n/1000) + "k"
}

// machineTime is t for a datetime attribute.
func machineTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// clock is the time of day t has for the viewer.
func clock(now, t time.Time) string { return t.In(now.Location()).Format("15:04") }

// exactly is t in full, with its zone, for titles.
func exactly(now, t time.Time) string {
	return t.In(now.Location()).Format("Monday, 2 January 2006, 15:04:05 MST")
}

// ago is how long t is past, in as few letters as a list has room for. Older than a week it is the date.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d < 7*24*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
	return date(now, t)
}

// date is the day of t, with the year only where it is another one.
func date(now, t time.Time) string {
	t = t.In(now.Location())
	if t.Year() == now.Year() {
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// dayName heads a day's messages.
func dayName(now, t time.Time) string {
	switch daysBetween(t.In(now.Location()), now) {
	case 0:
		return "Today"
	case 1:
		return "Yesterday"
	}
	t = t.In(now.Location())
	if t.Year() == now.Year() {
		return t.Format("Monday, 2 January")
	}
	return t.Format("Monday, 2 January 2006")
}

// dayAndTime is a time within a sentence that need not be exact to the second.
func dayAndTime(now, t time.Time) string {
	return t.In(now.Location()).Format("Monday, 2 January, 15:04 MST")
}

// daysBetween counts the midnights from a to b.
func daysBetween(a, b time.Time) int {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(day(b).Sub(day(a)).Hours() / 24)
}

// offset is how long after the start something happened, for the flight recorder.
func offset(d time.Duration) string {
	switch {
	case d < 0:
		return "0 ms"
	case d < time.Second:
		return fmt.Sprintf("+%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("+%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("+%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("+%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

// millis writes a measured time the way one says it.
func millis(ms float64) string {
	if ms < 1000 {
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

// agoLong is ago within a sentence.
func agoLong(now, t time.Time) string {
	switch s := ago(now, t); {
	case s == "now":
		return "just now"
	case now.Sub(t) < 7*24*time.Hour:
		return s + " ago"
	default:
		return "on " + s
	}
}
