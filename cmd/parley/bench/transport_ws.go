package bench

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/coder/websocket"
)

// socket is a WebSocket after its hello.
type socket struct{ conn *websocket.Conn }

const frameLimit = 1 << 20 // bytes of a server's frame

func (d door) dialSocket(ctx context.Context, token string, after int64) (connection, error) {
	dialing, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	conn, resp, err := websocket.Dial(dialing, d.socketURL(), &websocket.DialOptions{
		HTTPClient: d.client, HTTPHeader: map[string][]string{"Origin": {d.origin}},
		Subprotocols: []string{"parley.v1", "bearer." + token}, // as a browser has to
	})
	switch {
	case err != nil && resp != nil && resp.StatusCode >= 400:
		return nil, refused(resp)
	case err != nil:
		return nil, err
	case conn.Subprotocol() != "parley.v1":
		_ = conn.CloseNow()
		return nil, errors.New("the server does not speak parley.v1")
	}
	conn.SetReadLimit(frameLimit)
	s := &socket{conn}
	if err := s.write(dialing, map[string]any{"type": "hello", "after_seq": after}); err != nil {
		s.cut()
		return nil, err
	}
	return s, nil
}

func (s *socket) next(ctx context.Context) (f frame, err error) {
	_, b, err := s.conn.Read(ctx)
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	return f, err
}

func (s *socket) say(ctx context.Context, m message) (*frame, error) {
	m.Type = "message"
	return nil, s.write(ctx, m)
}

func (s *socket) write(ctx context.Context, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, b)
}

func (s *socket) cut() { _ = s.conn.CloseNow() }

// sayAside says a line over a socket of its own, beside whatever else is open, and waits for the answer.
func (d door) sayAside(ctx context.Context, token string, after int64, m message) (frame, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	s, err := d.dialSocket(ctx, token, after)
	if err != nil {
		return frame{}, err
	}
	defer s.cut()
	if _, err := s.say(ctx, m); err != nil {
		return frame{}, err
	}
	for {
		f, err := s.next(ctx)
		switch {
		case err != nil:
			return frame{}, err
		case f.ClientID != m.ClientID:
		case f.Type == "ack":
			return f, nil
		case f.Type == "error":
			return frame{}, f.refusal()
		}
	}
}
