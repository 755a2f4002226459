package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
)

// stream hears server-sent events and speaks by requests.
type stream struct {
	speaker
	body io.Closer
	in   *bufio.Reader
	stop context.CancelFunc
}

// speaker says lines by POST.
type speaker struct {
	door  door
	token string
}

func (s speaker) say(ctx context.Context, m message) (*frame, error) {
	ack, err := s.door.post(ctx, s.token, m)
	if err != nil {
		return nil, err
	}
	return &ack, nil
}

// dialStream names the cursor as a page does that begins, or as a browser does that comes back.
func (d door) dialStream(ctx context.Context, token string, after int64) (connection, error) {
	ctx, stop := context.WithCancel(ctx)
	cursor, path := strconv.FormatInt(after, 10), "/events"
	comesBack := rand.IntN(2) == 0
	if !comesBack {
		path += "?after_seq=" + cursor
	}
	req, err := d.request(ctx, http.MethodGet, path, token, nil)
	if err != nil {
		stop()
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if comesBack {
		req.Header.Set("Last-Event-ID", cursor)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		stop()
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer stop()
		defer resp.Body.Close()
		return nil, refused(resp)
	}
	return &stream{speaker: speaker{d, token}, body: resp.Body, in: bufio.NewReader(resp.Body), stop: stop}, nil
}

// next reads one event. Of a message the event's id is the seq: it is what a browser would come back with.
func (s *stream) next(context.Context) (frame, error) {
	var id string
	var data []byte
	for {
		line, err := s.in.ReadBytes('\n')
		if err != nil {
			return frame{}, err
		}
		line = bytes.TrimRight(line, "\r\n")
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0 && data != nil:
			return event(id, data)
		case string(name) == "id":
			id = string(value)
		case string(name) == "data" && data != nil:
			return frame{}, errors.New("the server broke a frame into several data lines")
		case string(name) == "data":
			data = value
		}
	}
}

func event(id string, data []byte) (f frame, err error) {
	if err := json.Unmarshal(data, &f); err != nil || f.Type != "message" {
		return f, err
	}
	if f.Seq, err = strconv.ParseInt(id, 10, 64); err != nil {
		return f, fmt.Errorf("the server sent a message under the id %q", id)
	}
	return f, nil
}

func (s *stream) cut() {
	s.stop()
	_ = s.body.Close()
}
