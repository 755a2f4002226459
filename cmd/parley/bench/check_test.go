package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// flawless is the journal of a visitor to whom every promise was kept: three lines over a connection that broke once, two answers.
func flawless() *journal {
	j := &journal{visitor: 3, lastSeq: 5}
	var said []frame
	for n := range 3 {
		l := j.say(fmt.Sprint("c", n+1), time.Now())
		said = append(said, frame{Type: "message", ClientID: l.ClientID, Content: l.Content})
		said[n].Author.Kind = "visitor"
	}
	answer := func(lines ...frame) frame {
		f := frame{Type: "message", Content: "Echo: "}
		for _, l := range lines {
			f.Content += l.Content + "\n"
		}
		f.Author.Kind = "agent"
		return f
	}
	j.history = []frame{said[0], answer(said[0]), said[1], said[2], answer(said[1:]...)}
	for i := range j.history {
		j.history[i].Seq, j.history[i].ID = int64(i+1), fmt.Sprint("m", i+1)
	}
	ackOf := func(seq int) frame {
		m := j.history[seq-1]
		return frame{Type: "ack", Seq: m.Seq, ID: m.ID, ClientID: m.ClientID}
	}
	j.heard = []frame{ackOf(1), j.history[1], ackOf(3), j.history[3], j.history[4]}
	j.lines[0].acks = []ack{{id: "m1", seq: 1}, {id: "m1", seq: 1, duplicate: true, again: true}}
	j.lines[1].acks = []ack{{id: "m3", seq: 3, duplicate: true}, {id: "m3", seq: 3}} // one was sent twice at the same time
	j.lines[2].acks = []ack{{id: "m4", seq: 4, duplicate: true}}                     // the first ack was lost with the connection
	return j
}

// renumber gives the history seqs without a hole again, and tells the visitor so.
func renumber(j *journal) {
	j.heard = nil
	for i := range j.history {
		j.history[i].Seq, j.history[i].ID = int64(i+1), fmt.Sprint("m", i+1)
		for _, l := range j.lines {
			for a := range l.acks {
				if l.ClientID == j.history[i].ClientID {
					l.acks[a].seq, l.acks[a].id = j.history[i].Seq, j.history[i].ID
				}
			}
		}
	}
	j.heard, j.lastSeq = slices.Clone(j.history), int64(len(j.history))
}

func TestCheckFindsEveryFault(t *testing.T) {
	t.Parallel()
	everything := expectation{echo: true, finished: true}
	tests := []struct {
		name  string
		spoil func(*journal)
		want  expectation
		finds map[Fault]int
		says  string
	}{
		{"nothing", func(*journal) {}, everything, nil, ""},
		{"a stored line lost without a trace", func(j *journal) { j.history = slices.Delete(j.history, 2, 3); renumber(j) }, everything,
			map[Fault]int{Lost: 1, Reordered: 1}, "line 2 (c2) was acknowledged at seq 3 and is not in the history"}, // its answer came before it
		{"a hole in the history", func(j *journal) { j.history = slices.Delete(j.history, 1, 2) }, everything,
			map[Fault]int{Lost: 1, Unanswered: 1}, "goes from seq 1 to 3"},
		{"a history cut off", func(j *journal) { j.history = j.history[:4] }, everything, map[Fault]int{Lost: 1, Unanswered: 2}, "ends at seq 4"},
		{"a line stored twice", func(j *journal) { j.history = slices.Insert(j.history, 3, j.history[2]); renumber(j) }, everything,
			map[Fault]int{Doubled: 1}, "line 2 (c2) again at seq 4"},
		{"a seq given twice", func(j *journal) { j.history = append(j.history[:4:4], j.history[3:]...) }, everything, map[Fault]int{Doubled: 2}, "seq 4 twice"},
		{"lines stored in another order", func(j *journal) {
			j.history[2], j.history[3] = j.history[3], j.history[2]
			renumber(j)
		}, everything, map[Fault]int{Reordered: 1}, "line 2 at seq 4, after line 3"},
		{"a refused line overtaken", func(j *journal) {
			j.history[2], j.history[3] = j.history[3], j.history[2]
			renumber(j)
			j.lines[1].refused = true
		}, everything, nil, ""},
		{"a history out of order", func(j *journal) { j.history[2], j.history[3] = j.history[3], j.history[2] }, everything,
			map[Fault]int{Lost: 1, Reordered: 2}, "seq 3 after 4"},
		{"other words stored", func(j *journal) { j.history[0].Content += "!"; j.heard[0] = j.history[0] }, everything, map[Fault]int{Changed: 1}, "is stored at seq 1 as"},
		{"somebody else's line", func(j *journal) { j.history[0].ClientID = "x" }, everything, map[Fault]int{Changed: 1, Lost: 1, Reordered: 1}, "nobody said"},

		{"a line never told", func(j *journal) { j.heard = slices.Delete(j.heard, 1, 2) }, everything, map[Fault]int{Lost: 1}, "never told seq 2 (m2)"},
		{"the last line never told", func(j *journal) { j.heard = j.heard[:4] }, everything, map[Fault]int{Lost: 1}, "never told seq 5"},
		{"a line told twice", func(j *journal) { j.heard = slices.Insert(j.heard, 2, j.heard[1]) }, everything, map[Fault]int{Doubled: 1}, "told seq 2 twice"},
		{"a line told after its ack", func(j *journal) { j.heard = slices.Insert(j.heard, 1, j.history[0]) }, everything, map[Fault]int{Doubled: 1}, "told seq 1 twice"},
		{"lines told in another order", func(j *journal) { j.heard[1], j.heard[2] = j.heard[2], j.heard[1] }, everything, map[Fault]int{Reordered: 1}, "told seq 2 after 3"},
		{"other words told", func(j *journal) { j.heard[1].Content = "?" }, everything, map[Fault]int{Changed: 1}, "told seq 2 as m2"},
		{"more told than there is", func(j *journal) { j.heard = append(j.heard, frame{Seq: 6, ID: "m6"}) }, everything, map[Fault]int{Changed: 1}, "which the history does not have"},

		{"two new acks", func(j *journal) { j.lines[1].acks[0].duplicate = false }, everything, map[Fault]int{Misacked: 1}, "as new 2 times"},
		{"a new ack after an ack", func(j *journal) { j.lines[0].acks[1].duplicate, j.lines[0].acks[0].duplicate = false, true }, everything,
			map[Fault]int{Misacked: 1}, "not acknowledged as a duplicate"},
		{"acks that contradict each other", func(j *journal) { j.lines[0].acks[1].seq = 3 }, everything, map[Fault]int{Misacked: 1}, "and as m1 at seq 3"},
		{"an ack that contradicts the history", func(j *journal) { j.lines[2].acks[0].id = "m3" }, everything, map[Fault]int{Misacked: 1}, "where the history has m4"},
		{"no ack", func(j *journal) { j.lines[2].acks = nil }, everything, map[Fault]int{Unacknowledged: 1}, "line 3 (c3)"},
		{"no ack yet", func(j *journal) { j.lines[2].acks = nil }, expectation{echo: true}, nil, ""},
		{"refused for good", func(j *journal) { j.lines[2].acks, j.lines[2].dropped = nil, true }, everything, nil, ""},

		{"no answer", func(j *journal) { j.history[1].Content = "Pardon?"; j.heard[1] = j.history[1] }, everything, map[Fault]int{Unanswered: 1}, "line 1 (c1) has no answer"},
		{"no answer wanted", func(j *journal) { j.history[1].Content = "Pardon?"; j.heard[1] = j.history[1] }, expectation{finished: true}, nil, ""},
		{"half an answer", func(j *journal) {
			j.history[4].Content, _, _ = strings.Cut(j.history[4].Content, "\n")
			j.heard[4] = j.history[4]
		}, everything, map[Fault]int{Unanswered: 1}, "line 3 (c3) has no answer"},
		{"an answer twice", func(j *journal) {
			j.history = append(j.history, j.history[1])
			renumber(j)
		}, everything, map[Fault]int{Doubled: 1}, "line 1 is answered again at seq 6"},
		{"a line answered in two answers", func(j *journal) {
			j.history[4].Content += j.lines[0].Content
			j.heard[4] = j.history[4]
		}, everything, map[Fault]int{Doubled: 1}, "line 1 is answered again at seq 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j := flawless()
			tt.spoil(j)
			got := map[Fault]int{}
			var said strings.Builder
			for _, v := range check(j, tt.want) {
				got[v.Fault]++
				fmt.Fprintln(&said, v.Fault, v.Detail)
				if v.Visitor != 3 {
					t.Errorf("it blames visitor %d", v.Visitor)
				}
			}
			if !maps.Equal(got, tt.finds) || !strings.Contains(said.String(), tt.says) {
				t.Errorf("found %v, want %v and %q:\n%s", got, tt.finds, tt.says, &said)
			}
		})
	}
}
