package edge

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// told is an event as a browser's EventSource dispatches it.
type told struct{ event, id, data string }

// dispatched reads a stream as the HTML standard says ("interpreting an event stream"). It shares nothing with the writer.
func dispatched(stream string) (all []told) {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(stream, "\uFEFF")), "\n")
	var data []string
	now := told{}
	for _, line := range lines[:len(lines)-1] { // what has no line end is not told
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if data != nil {
				now.data = strings.Join(data, "\n")
				all = append(all, now)
			}
			data, now.event = nil, ""
		case field == "data":
			data = append(data, value)
		case field == "event":
			now.event = value
		case field == "id" && !strings.Contains(value, "\x00"):
			now.id = value
		}
	}
	return all
}

// FuzzStream looks for data that a reader gets otherwise than it was sent: torn into several events, lost, or with another's id.
// Line ends of whatever kind are newlines to readers. Chunks of the input, cut at every 0xFF, are the events.
func FuzzStream(f *testing.F) {
	for _, seed := range []string{
		`{"type":"message","content":"hi"}`, "", "\n", "\r", "a\r\nid: 9\r\rdata: evil", "a\n\nevent: evil\ndata: x\n\n", ": no comment", ":)", " two  spaces ",
		"\xff\xff", "one\xfftwo\n\xff\r", "\uFEFFbom", "the end", "retry: 1\x00", "data", "\u2028\u0085\x0b",
	} {
		f.Add([]byte(seed))
	}
	s := NewStreams()
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, input []byte) {
		var want []told
		last := ""
		for i, data := range bytes.Split(input, []byte{0xff}) {
			event := []string{"", "grown"}[i%2]
			if i%3 == 0 { // an event without an id leaves the browser's as it is
				last = strconv.Itoa(i)
			}
			text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
			if text == "" {
				text = " "
			}
			want = append(want, told{event, last, text})
		}
		w := httptest.NewRecorder()
		s.Serve(w, httptest.NewRequest(http.MethodGet, "/", nil), func(ctx context.Context, out *Stream) {
			for i, data := range bytes.Split(input, []byte{0xff}) {
				id := ""
				if i%3 == 0 {
					id = strconv.Itoa(i)
				}
				out.SendPaced(ctx, []string{"", "grown"}[i%2], id, data)
			}
		})
		if got := dispatched(w.Body.String()); !slices.Equal(got, want) {
			t.Fatalf("sent %q, read %q from\n%s", want, got, w.Body)
		}
	})
}
