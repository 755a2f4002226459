package widget

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The fake's tiers below the socket.

func (f *fake) events(w http.ResponseWriter, r *http.Request) {
	var mute bool
	f.with(func() { mute = f.noStream })
	if mute {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	after, _ := strconv.Atoi(r.URL.Query().Get("after_seq"))
	l := f.open(after, cancel)
	defer f.drop(l)
	fmt.Fprint(w, "retry: 1000\n\n: hello\n\n")
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-l.frames:
			data, _ := json.Marshal(o)
			if o["type"] == "message" {
				fmt.Fprintf(w, "id: %d\n", o["seq"])
			}
			fmt.Fprintf(w, "data: %s\n\n", data)
			w.(http.Flusher).Flush()
		}
	}
}

func (f *fake) poll(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after, _ := strconv.Atoi(q.Get("after_seq"))
	wait, _ := strconv.Atoi(q.Get("wait"))
	late := time.After(time.Duration(wait) * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	frames := []object{}
	for {
		f.with(func() {
			for _, m := range f.messages {
				if m["seq"].(int) > after {
					frames = append(frames, m)
				}
			}
		})
		if len(frames) > 0 {
			break
		}
		select {
		case <-tick.C:
			continue
		case <-r.Context().Done():
			return
		case <-late:
		}
		break
	}
	f.answer(w, http.StatusOK, object{"frames": frames})
}

func (f *fake) history(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	before, _ := strconv.Atoi(q.Get("before_seq"))
	limit, _ := strconv.Atoi(q.Get("limit"))
	var page []object
	f.with(func() { page = f.messages[max(0, before-1-limit) : before-1] })
	f.answer(w, http.StatusOK, object{"messages": page, "last_seq": len(f.messages)})
}

func (f *fake) postMessage(w http.ResponseWriter, r *http.Request) {
	frame := decode(r)
	f.hear(frame, "message")
	var reply object
	f.with(func() { reply = f.store(frame) })
	if reply["type"] == "error" {
		w.Header().Set("Retry-After", "1")
		f.answer(w, http.StatusTooManyRequests, object{"code": reply["code"], "detail": reply["message"]})
		return
	}
	f.answer(w, http.StatusCreated, reply)
}
