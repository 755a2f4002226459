package bench

import (
	"fmt"
	"iter"
	"regexp"
	"time"
)

// journal is all that one visitor has said and heard, for the check.
type journal struct {
	visitor int
	lines   []*line
	byID    map[string]*line // by what the visitor calls them
	heard   []frame          // messages, and the acks that stood for one, in the order they came, across all connections
	history []frame          // the thread as the server tells it in the end, oldest first
	lastSeq int64            // as the server named it with the history
}

// line is something a visitor said.
type line struct {
	message
	n        int       // counts the visitor's lines from 1
	due      time.Time // when the visitor wanted to say it
	acks     []ack     // in the order they came
	refused  bool      // at least once; it may have been overtaken since
	dropped  bool      // the server would not have it: it is not said again
	answered time.Time // when an answer that has read it was first heard; zero = never

	sentOn int       // number of the connection that it was last sent on; 0 = none
	acked  time.Time // when the first ack came; zero = never
}

const refusedLast = -1 // a line's sentOn when it is to be said again on whatever connection

// ack is one acknowledgement of a line.
type ack struct {
	id        string
	seq       int64
	duplicate bool
	again     bool // the line was said once more although an ack was there
}

// tag marks a line so that it is recognised in whatever an echo makes of it: no tag is part of another one.
func tag(visitor, n int) string { return fmt.Sprintf("[%d.%d]", visitor, n) }

var tags = regexp.MustCompile(`\[\d+\.\d+\]`)

// phrases are what visitors say; frames, escaping and rendering have to carry all of it.
var phrases = []string{
	"How long does shipping take?", "Grüße aus Zürich, ist jemand da?", "送料はいくらですか？", `<b>Is this "bold" & safe?</b>`,
	"Two lines:\nthis is the second.", "🚲 Which bag fits my bicycle? 👜", `C:\new\table \u0000 \n`, "It broke. What now?",
}

// say adds the visitor's next line.
func (j *journal) say(clientID string, due time.Time) *line {
	n := len(j.lines) + 1
	l := &line{n: n, due: due, message: message{ClientID: clientID, Content: tag(j.visitor, n) + " " + phrases[(j.visitor+n)%len(phrases)]}}
	j.lines = append(j.lines, l)
	if j.byID == nil {
		j.byID = map[string]*line{}
	}
	j.byID[clientID] = l
	return l
}

// readBy yields the lines of this visitor that an answer has read.
func (j *journal) readBy(answer frame) iter.Seq[*line] {
	return func(yield func(*line) bool) {
		for _, found := range tags.FindAllString(answer.Content, -1) {
			var visitor, n int
			_, err := fmt.Sscanf(found, "[%d.%d]", &visitor, &n)
			if err == nil && visitor == j.visitor && n >= 1 && n <= len(j.lines) && !yield(j.lines[n-1]) {
				return
			}
		}
	}
}
