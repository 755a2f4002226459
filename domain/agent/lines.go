package agent

import (
	"errors"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
)

var errNothingPending = errors.New("no pending line in the turn's messages")

// pendingLines are the lines a turn is to answer, oldest first.
func pendingLines(r TurnRequest) []Line {
	var lines []Line
	for _, l := range r.Messages {
		if slices.Contains(r.Pending, l.Seq) {
			lines = append(lines, l)
		}
	}
	return lines
}

// joinLines is what several lines say together.
func joinLines(lines []Line) string {
	contents := make([]string, len(lines))
	for i, l := range lines {
		contents[i] = l.Text()
	}
	return strings.Join(contents, "\n")
}

// lastOurs is the newest line of an agent or a person; ok is false in a thread where neither has spoken.
func lastOurs(r TurnRequest) (line Line, ok bool) {
	for _, l := range slices.Backward(r.Messages) {
		if l.Author.Kind == domain.AuthorAgent || l.Author.Kind == domain.AuthorHuman {
			return l, true
		}
	}
	return Line{}, false
}
