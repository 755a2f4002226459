package bench

import (
	"cmp"
	"fmt"
)

// Fault is a kind of broken promise.
type Fault string

// What can go wrong with a line.
const (
	Lost           Fault = "lost"           // acknowledged and not there, or there and not told
	Doubled        Fault = "doubled"        // stored, told or answered twice
	Reordered      Fault = "reordered"      // stored or told in another order
	Changed        Fault = "changed"        // stored or told with other words, or by nobody
	Misacked       Fault = "misacked"       // acks of one line that contradict each other or the history
	Unacknowledged Fault = "unacknowledged" // said, and never acknowledged or refused
	Unanswered     Fault = "unanswered"     // acknowledged, and no answer has read it
)

// Faults lists them as the report does.
var Faults = []Fault{Lost, Doubled, Reordered, Changed, Misacked, Unacknowledged, Unanswered}

// Violation is one broken promise.
type Violation struct {
	Fault   Fault  `json:"fault"`
	Visitor int    `json:"visitor"`
	Detail  string `json:"detail"`
}

// expectation is what a check may ask for beyond what always holds.
type expectation struct {
	echo     bool // an agent answers by repeating what it was told
	finished bool // everybody had the time to say, hear and be answered all
}

// check holds a journal against what the protocol promises and returns what does not fit.
func check(j *journal, want expectation) []Violation {
	c := &checker{journal: j, at: map[int64]frame{}, mine: map[string]int{}}
	c.checkHistory()
	c.checkLines(want)
	c.checkHeard(want)
	if want.echo {
		c.checkAnswers(want)
	}
	return c.found
}

type checker struct {
	*journal
	at    map[int64]frame // history by seq
	mine  map[string]int  // how often the history has a client_id
	found []Violation
}

func (c *checker) report(f Fault, format string, args ...any) {
	c.found = append(c.found, Violation{f, c.visitor, fmt.Sprintf(format, args...)})
}

// checkHistory wants seqs 1..n without a hole, each line once, with its words, and in the order in which it was said.
func (c *checker) checkHistory() {
	var last int64
	said := 0
	for _, m := range c.history {
		switch {
		case m.Seq == last+1:
		case m.Seq > last+1:
			c.report(Lost, "the history goes from seq %d to %d", last, m.Seq)
		case c.at[m.Seq].ID != "":
			c.report(Doubled, "the history has seq %d twice", m.Seq)
		default:
			c.report(Reordered, "the history has seq %d after %d", m.Seq, last)
		}
		last = max(last, m.Seq)
		c.at[m.Seq] = m
		if m.Author.Kind != "visitor" {
			continue
		}
		l := c.byID[m.ClientID]
		if l == nil {
			c.report(Changed, "the history has a visitor's line at seq %d that nobody said: %q", m.Seq, m.Content)
			continue
		}
		if c.mine[m.ClientID]++; c.mine[m.ClientID] > 1 {
			c.report(Doubled, "the history has line %d (%s) again at seq %d", l.n, l.ClientID, m.Seq)
			continue
		}
		if m.Content != l.Content {
			c.report(Changed, "line %d was %q and is stored at seq %d as %q", l.n, l.Content, m.Seq, m.Content)
		}
		if l.refused { // the visitor went on without it
			continue
		}
		if l.n < said {
			c.report(Reordered, "the history has line %d at seq %d, after line %d", l.n, m.Seq, said)
		}
		said = max(said, l.n)
	}
	if c.lastSeq != last {
		c.report(Lost, "the history ends at seq %d, the server says %d", last, c.lastSeq)
	}
}

// checkLines wants each acknowledged line in the history, and its acks to tell the same of it.
func (c *checker) checkLines(want expectation) {
	for _, l := range c.lines {
		if len(l.acks) == 0 {
			if want.finished && !l.dropped {
				c.report(Unacknowledged, "line %d (%s) was said and never acknowledged", l.n, l.ClientID)
			}
			continue
		}
		if c.mine[l.ClientID] == 0 {
			c.report(Lost, "line %d (%s) was acknowledged at seq %d and is not in the history", l.n, l.ClientID, l.acks[0].seq)
		}
		c.checkAcks(l)
	}
}

func (c *checker) checkAcks(l *line) {
	first, fresh := l.acks[0], 0
	for _, a := range l.acks {
		if !a.duplicate {
			fresh++
		}
		switch stored, ok := c.at[a.seq]; {
		case a.id != first.id || a.seq != first.seq:
			c.report(Misacked, "line %d was acknowledged as %s at seq %d and as %s at seq %d", l.n, first.id, first.seq, a.id, a.seq)
		case ok && c.mine[l.ClientID] > 0 && (stored.ID != a.id || stored.ClientID != l.ClientID):
			c.report(Misacked, "line %d was acknowledged as %s at seq %d, where the history has %s", l.n, a.id, a.seq, stored.ID)
		case a.again && !a.duplicate:
			c.report(Misacked, "line %d was said again after its ack, and not acknowledged as a duplicate", l.n)
		}
	}
	if fresh > 1 {
		c.report(Misacked, "line %d was acknowledged as new %d times", l.n, fresh)
	}
}

// checkHeard wants the stream to have told each seq once and in order, whatever it was cut into, and nothing but the history.
func (c *checker) checkHeard(want expectation) {
	var last int64
	seen := map[int64]bool{}
	for _, f := range c.heard {
		switch {
		case seen[f.Seq]:
			c.report(Doubled, "the stream told seq %d twice", f.Seq)
		case f.Seq <= last:
			c.report(Reordered, "the stream told seq %d after %d", f.Seq, last)
		}
		seen[f.Seq], last = true, max(last, f.Seq)
		switch stored, ok := c.at[f.Seq]; {
		case !ok && f.Seq <= c.lastSeq: // reported as a hole of the history
		case !ok && want.finished:
			c.report(Changed, "the stream told seq %d, which the history does not have", f.Seq)
		case ok && (f.ID != stored.ID || f.Type == "message" && f.Content != stored.Content):
			c.report(Changed, "the stream told seq %d as %s %q, the history has %s %q", f.Seq, f.ID, f.Content, stored.ID, stored.Content)
		}
	}
	upTo := last // what comes after it may be on its way
	if want.finished {
		upTo = max(last, c.lastSeq)
	}
	for seq := int64(1); seq <= upTo; seq++ {
		if !seen[seq] {
			c.report(Lost, "the stream never told seq %d (%s)", seq, cmp.Or(c.at[seq].ID, "which the history does not have either"))
		}
	}
}

// checkAnswers wants exactly one answer for each stored line, after it.
func (c *checker) checkAnswers(want expectation) {
	answers := map[*line]int{}
	stored := map[*line]bool{}
	for _, m := range c.history {
		switch m.Author.Kind {
		case "visitor":
			if l := c.byID[m.ClientID]; l != nil {
				stored[l] = true
			}
		case "agent":
			for l := range c.readBy(m) {
				if answers[l]++; answers[l] > 1 {
					c.report(Doubled, "line %d is answered again at seq %d", l.n, m.Seq)
				}
				if !stored[l] {
					c.report(Reordered, "line %d is answered at seq %d, before it was said", l.n, m.Seq)
				}
			}
		}
	}
	for _, l := range c.lines {
		if want.finished && stored[l] && answers[l] == 0 {
			c.report(Unanswered, "line %d (%s) has no answer", l.n, l.ClientID)
		}
	}
}
