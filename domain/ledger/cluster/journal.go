//go:build unix

package cluster

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

// journal passes on, line by line, what Postgres and its supervisor say, and remembers why Postgres would not go on.
type journal struct {
	mu     sync.Mutex
	out    io.Writer // nil = nobody listens
	line   []byte    // begun, not yet complete
	last   string    // the last line
	ground string    // the last line that names a reason to give up
}

// Write takes output in pieces of any size; it never fails, for Postgres must not stop because nobody can be told.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		j.line = append(j.line, line...)
		if whole {
			j.pass()
		}
		rest = after
	}
	return len(p), nil
}

// pass hands on the line that is now complete.
func (j *journal) pass() {
	j.last = string(j.line)
	for _, mark := range []string{"FATAL:", "PANIC:", "error:"} {
		if _, ground, ok := strings.Cut(j.last, mark); ok {
			j.ground = strings.TrimSpace(ground)
		}
	}
	if j.out != nil {
		_, _ = j.out.Write(append(j.line, '\n'))
	}
	j.line = j.line[:0]
}

// say adds a line of the supervisor's own.
func (j *journal) say(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.out != nil {
		_, _ = fmt.Fprintf(j.out, format+"\n", args...)
	}
}

// forget makes reason speak only of what comes now.
func (j *journal) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last, j.ground = "", ""
}

// reason is the last line that explains an end.
func (j *journal) reason() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.ground != "":
		return j.ground
	case j.last != "":
		return strings.TrimSpace(j.last)
	default:
		return "it did not say why"
	}
}
