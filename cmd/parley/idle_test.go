package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// overheard is a DSN of the same database by way of somebody who counts the transactions that it ends, pings among them.
func overheard(t *testing.T, dsn string) (through string, ended *atomic.Int64) {
	t.Helper()
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ended = &atomic.Int64{}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				network, address := pgconn.NetworkAddress(cfg.Host, cfg.Port)
				server, err := net.Dial(network, address)
				if err != nil {
					return
				}
				go func() {
					defer server.Close()
					_, _ = io.Copy(server, client)
				}()
				_, _ = io.Copy(client, io.TeeReader(server, &readiness{ended: ended}))
			}()
		}
	}()
	addr := listener.Addr().(*net.TCPAddr)
	return fmt.Sprintf("host=%s port=%d user='%s' password='%s' dbname='%s' sslmode=disable", addr.IP, addr.Port, cfg.User, cfg.Password, cfg.Database), ended
}

// readiness reads what a Postgres server says: messages of a letter, a length and so much less four. It counts how often it is ready for
// the next question and in no transaction.
type readiness struct {
	ended *atomic.Int64
	head  []byte
	left  int
}

func (r *readiness) Write(p []byte) (int, error) {
	for _, b := range p {
		if len(r.head) < 5 {
			r.head = append(r.head, b)
			if len(r.head) == 5 {
				r.left = int(r.head[1])<<24 | int(r.head[2])<<16 | int(r.head[3])<<8 | int(r.head[4]) - 4
			}
		} else {
			r.left--
			if r.head[0] == 'Z' && b == 'I' {
				r.ended.Add(1)
			}
		}
		if len(r.head) == 5 && r.left == 0 {
			r.head = r.head[:0]
		}
	}
	return len(p), nil
}

// TestIdleNodeLeavesTheDatabaseAlone counts what is asked of Postgres while visitors are connected and nobody says anything. However many
// they are, it is about one transaction a second: a sweep every two, and now and then a look for what fell due unheard.
func TestIdleNodeLeavesTheDatabaseAlone(t *testing.T) {
	t.Parallel()
	e := environment(t)
	var ended *atomic.Int64
	e["DATABASE_URL"], ended = overheard(t, e["DATABASE_URL"])
	s := serve(t, e, "--demo")
	key := s.demoKey(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	for range 10 {
		v := s.visit(t, key)
		c, _, err := websocket.Dial(ctx, strings.Replace(s.url, "http", "ws", 1)+v.base+"/socket", &websocket.DialOptions{Subprotocols: []string{"parley.v1", "bearer." + v.token}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.CloseNow() }()
		if err := wsjson.Write(ctx, c, map[string]any{"type": "hello", "after_seq": 0}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Read(ctx); err != nil {
			t.Fatal(err)
		}
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url+v.base+"/events?token="+v.token, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		defer resp.Body.Close()
		if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	const window, most, least = 20 * time.Second, 40, 4 // fewer, and not even the sweep would be there
	for end := time.Now().Add(patience); ; {            // at first statements are prepared, and receipts stored
		before, begun := ended.Load(), time.Now()
		time.Sleep(window) // what is measured is that nothing happens
		n, took := ended.Load()-before, time.Since(begun)
		t.Logf("%d transactions in %v", n, took)
		if n >= least && n <= most {
			return
		}
		if time.Now().After(end) {
			t.Fatal("that is no idle node's")
		}
	}
}
