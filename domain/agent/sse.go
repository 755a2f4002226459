package agent

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
)

// sseEvent is one event of a text/event-stream answer.
type sseEvent struct {
	name string // empty = message
	data []byte // of several data lines joined by newlines; valid until the next event
}

const sseLimit = 1 << 20 // bytes of one event

var errEventTooBig = errors.New("agent: an event of the stream is too big")

// readSSE yields the events of a stream as the HTML standard parses it, without ids and retry times. An event that the stream
// ends in the middle of is not one. The last pair has the error that ended the stream, if it was not just its end.
func readSSE(r io.Reader) iter.Seq2[sseEvent, error] {
	return func(yield func(sseEvent, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(make([]byte, 0, 4096), sseLimit)
		lines.Split(sseLine)
		var e sseEvent
		var some bool // the event has a data line
		for lines.Scan() {
			line := lines.Bytes()
			if len(line) == 0 {
				if some && !yield(e, nil) {
					return
				}
				e, some = sseEvent{data: e.data[:0]}, false
				continue
			}
			field, value, _ := bytes.Cut(line, []byte(":"))
			value = bytes.TrimPrefix(value, []byte(" "))
			switch string(field) {
			case "event":
				e.name = string(value)
			case "data":
				if some {
					e.data = append(e.data, '\n')
				}
				e.data, some = append(e.data, value...), true
			}
			if len(e.data) > sseLimit {
				yield(sseEvent{}, errEventTooBig)
				return
			}
		}
		if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
			yield(sseEvent{}, errEventTooBig)
		} else if err != nil {
			yield(sseEvent{}, err)
		}
	}
}

// sseLine splits at LF, CR LF or CR. A line without an end is none.
func sseLine(data []byte, atEOF bool) (advance int, token []byte, err error) {
	at := bytes.IndexAny(data, "\r\n")
	switch {
	case at < 0 && atEOF:
		return len(data), nil, nil
	case at < 0:
		return 0, nil, nil
	case data[at] == '\n':
		return at + 1, data[:at], nil
	case at+1 < len(data) && data[at+1] == '\n':
		return at + 2, data[:at], nil
	case at+1 < len(data) || atEOF:
		return at + 1, data[:at], nil
	}
	return 0, nil, nil // the LF that may belong to the CR has not come yet
}
