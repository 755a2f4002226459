package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Report is what came of a run.
type Report struct {
	Visitors    int     `json:"visitors"`
	Said        int     `json:"said"`
	Acked       int     `json:"acked"`
	Seconds     float64 `json:"seconds"`    // from the first line to the last ack
	Throughput  float64 `json:"throughput"` // acks a second
	Ack         Latency `json:"ack"`        // from when the visitor wanted to say a line to its ack, reconnects included
	Reply       Latency `json:"reply"`      // to the first answer that has read it
	Replies     int     `json:"replies"`    // lines whose answer was heard
	Connections int     `json:"connections"`
	Reconnects  int     `json:"reconnects"`
	Cuts        int     `json:"cuts"`    // made on purpose
	Repeats     int     `json:"repeats"` // lines said again on purpose, or because their ack was lost with a connection

	Limited     int     `json:"limited"` // how often a limit of the server slowed the run down
	LimitedMost float64 `json:"limited_most_seconds"`

	Faults      map[Fault]int  `json:"faults"`      // each kind of broken promise, with 0 where there is none
	Violations  []Violation    `json:"violations"`  // the first of them
	Errors      map[string]int `json:"errors"`      // what the server refused or cut off, by code
	Interrupted bool           `json:"interrupted"` // so it says nothing about what was still on its way
	Echo        bool           `json:"echo"`        // answers were checked

	Dispatch *Dispatch `json:"dispatch,omitempty"` // measured after the load, without it; absent where bench is not the server too
}

const violationsShown = 10

func (t *tally) report(o Options, found []Violation, interrupted bool) Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Report{
		Visitors: o.Visitors, Said: t.lines, Acked: t.acked, Seconds: t.ended.Sub(t.begun).Seconds(),
		Ack: latencyOf(t.acks), Reply: latencyOf(t.replies), Replies: len(t.replies),
		Connections: t.connections, Reconnects: t.reconnects, Cuts: t.cuts, Repeats: t.repeats,
		Limited: t.limited, LimitedMost: t.longestSilence.Seconds(),
		Faults: map[Fault]int{}, Violations: append([]Violation{}, found[:min(len(found), violationsShown)]...), Errors: maps.Clone(t.faults),
		Interrupted: interrupted, Echo: o.Echo,
	}
	if r.Seconds > 0 {
		r.Throughput = float64(r.Acked) / r.Seconds
	}
	for _, f := range Faults {
		r.Faults[f] = 0
	}
	for _, v := range found {
		r.Faults[v.Fault]++
	}
	return r
}

// Broken counts the broken promises.
func (r Report) Broken() (n int) {
	for _, count := range r.Faults {
		n += count
	}
	return n
}

// Print writes the report for a person.
func (r Report) Print(w io.Writer) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	if r.Interrupted {
		fmt.Fprintln(w, "  Interrupted: this is what there was so far.")
	}
	row("messages", "%d said by %d visitors, %d acknowledged in %.1f s: %.0f a second", r.Said, r.Visitors, r.Acked, r.Seconds, r.Throughput)
	row("ack", "%v", r.Ack)
	if r.Replies > 0 {
		row("reply", "%v", r.Reply)
	}
	if d := r.Dispatch; d != nil {
		row("dispatch", "%v: %.1f raw commits (p50 %.1f ms); without other load, an agent that answers at once", d.Answer, d.Ratio(), d.Commit.P50)
		row("claim", "%v", d.Claim)
	}
	row("connections", "%d, of them %d reconnects after %d cuts; %d lines said again", r.Connections, r.Reconnects, r.Cuts, r.Repeats)
	if r.Limited > 0 {
		row("limits", "the server's limits slowed this down %d times, for up to %.0f s: the numbers above are theirs", r.Limited, r.LimitedMost)
	}
	if len(r.Errors) > 0 {
		row("server", "%s", complaints(r.Errors))
	}
	var faults []string
	for _, f := range Faults {
		if f != Unanswered || r.Echo {
			faults = append(faults, fmt.Sprintf("%d %s", r.Faults[f], f))
		}
	}
	row("check", "%s", strings.Join(faults, ", "))
	for _, v := range r.Violations {
		row(string(v.Fault), "visitor %d: %s", v.Visitor, v.Detail)
	}
	if more := r.Broken() - len(r.Violations); more > 0 {
		row("", "and %d more", more)
	}
}

// complaints lists what the server refused or cut off.
func (t *tally) complaints() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return complaints(t.faults)
}

func complaints(counts map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s × %d", name, counts[name]))
	}
	return strings.Join(all, ", ")
}

func (l Latency) String() string {
	return fmt.Sprintf("p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, max %.1f ms", l.P50, l.P95, l.P99, l.Max)
}
