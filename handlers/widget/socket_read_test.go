package widget

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/handlers/dialect"
)

// cutTalk notes the lines that it is given and lets the socket be over with the second.
type cutTalk struct {
	over  context.CancelFunc
	taken []string
}

func (c *cutTalk) begin(context.Context) error       { return nil }
func (c *cutTalk) refuse(err *dialect.Refused) error { return err }
func (c *cutTalk) take(_ context.Context, cmd dialect.Command) error {
	if c.taken = append(c.taken, cmd.(dialect.Message).ClientID); len(c.taken) == 2 {
		c.over()
	}
	return nil
}

// Lines that had arrived when their socket ended are said again on the next one, all of them: if one of them was still taken here and
// one before it was not, it would overtake that.
func TestNoLineIsTakenOnceTheSocketIsOver(t *testing.T) {
	t.Parallel()
	for range 40 { // it was by chance that one was
		taken := make(chan []string, 1)
		arrived := make(chan struct{})
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.CloseNow()
			conn.SetReadLimit(-1)
			<-arrived
			ctx, over := context.WithCancel(r.Context())
			defer over()
			talk := &cutTalk{over: over}
			c := &socket{ctx: ctx, d: dialect.Parley{}, talk: talk, conn: conn, frames: newBucket(100), turn: make(chan struct{}, 1), ending: make(chan struct{})}
			_ = c.read()
			taken <- talk.taken
		}))
		conn, _, err := websocket.Dial(t.Context(), srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 8 {
			if err := conn.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"type":"message","client_id":"c%d","content":"hi"}`, n+1)); err != nil {
				t.Fatal(err)
			}
		}
		close(arrived)
		select {
		case got := <-taken:
			if !slices.Equal(got, []string{"c1", "c2"}) {
				t.Fatalf("took %q of eight lines, the socket was over with the second", got)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the reader goes on")
		}
		_ = conn.CloseNow()
		srv.Close()
	}
}
