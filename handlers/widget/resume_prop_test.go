package widget_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// G2, G3 and G4 over the real surface of two nodes: whoever writes where and how often, and whatever a client reads by whichever way
// and in whatever pieces, each client gets every line exactly once and in order, and what it got is what the ledger has.
func TestEveryWayTellsExactlyTheSequence(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	first := ledgertest.Open(t, dsn)
	fixture := ledgertest.Seed(t, first)
	nodes := []*world{node(t, first, fixture, widget.Limits{}), node(t, ledgertest.Open(t, dsn), fixture, widget.Limits{})}
	rapid.Check(t, func(rt *rapid.T) {
		c := &conversation{t: t, nodes: nodes, v: nodes[0].visitor(), clients: make([]client, 3)}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			c.step(rt)
		}
		for i := range c.clients {
			c.hear(rt, &c.clients[i], c.length)
		}
		c.agree(rt)
	})
}

// conversation is a visitor's thread and the clients, such as tabs, in which they follow it.
type conversation struct {
	t       *testing.T
	nodes   []*world
	v       *visitor
	said    []string // client ids of the visitor's lines
	length  int64
	clients []client
}

// client remembers what it was told; its cursor is how much that is.
type client struct{ told []frame }

func (c *conversation) on(rt *rapid.T) *visitor {
	return &visitor{rapid.SampledFrom(c.nodes).Draw(rt, "node"), c.v.token, c.v.id}
}

// step lets somebody write while some of the clients read, each up to a line that will be there by then.
func (c *conversation) step(rt *rapid.T) {
	var all sync.WaitGroup
	defer all.Wait()
	thread, other := c.v.thread().ID, c.on(rt)
	for range rapid.IntRange(1, 2).Draw(rt, "writers") {
		on, lines := c.on(rt), rapid.IntRange(1, 8).Draw(rt, "lines")
		c.length += int64(lines)
		switch rapid.SampledFrom([]string{"post", "socket", "team"}).Draw(rt, "voice") {
		case "post": // two requests a line, on two nodes at once
			ids := c.ids(lines)
			all.Go(func() { c.post(on, ids...) })
			all.Go(func() { c.post(other, ids...) })
		case "socket":
			ids := c.ids(lines)
			all.Go(func() { c.write(on, ids...) })
		case "team":
			name := fmt.Sprint("team ", c.length)
			all.Go(func() { c.reply(on, thread, name, lines) })
		}
	}
	for i := range c.clients {
		behind := c.length - int64(len(c.clients[i].told))
		c.hear(rt, &c.clients[i], int64(len(c.clients[i].told))+rapid.Int64Range(0, behind).Draw(rt, "hear"))
	}
}

func (c *conversation) ids(n int) (ids []string) {
	for range n {
		c.said = append(c.said, fmt.Sprint("c", len(c.said)+1))
	}
	return slices.Clone(c.said[len(c.said)-n:])
}

func (c *conversation) reply(on *visitor, thread domain.ThreadID, name string, n int) {
	for i := range n {
		if _, _, err := on.chat.Reply(context.Background(), on.User, thread, fmt.Sprint(name, ".", i), fmt.Sprint(name, ".", i)); err != nil {
			c.t.Error(err)
		}
	}
}

func (c *conversation) post(on *visitor, ids ...string) {
	for _, id := range ids {
		if a := on.post("./messages", `{"client_id":"`+id+`","content":"`+id+`"}`); a.status != 200 && a.status != 201 || a.ClientID != id {
			c.t.Errorf("%d %s", a.status, a.body)
		}
	}
}

// write says lines over a socket, each twice, and waits for all acks.
func (c *conversation) write(on *visitor, ids ...string) {
	l := on.hello(1 << 40) // wants no history
	defer func() { _ = l.conn.CloseNow() }()
	for _, id := range ids {
		l.write(id, id)
		l.write(id, "again")
	}
	acks := map[string][2]int{} // of each line, those that were new and those that were not
	for n := 0; n < 2*len(ids); {
		if f := l.next(); f.Type == "ack" {
			of := acks[f.ClientID]
			of[map[bool]int{false: 0, true: 1}[f.Duplicate]]++
			acks[f.ClientID] = of
			n++
		}
	}
	for _, id := range ids {
		if acks[id] != [2]int{1, 1} {
			c.t.Errorf("line %s was acknowledged %v times as new and again", id, acks[id])
		}
	}
}

// hear reads up to a seq, in pieces: each over a connection of its own that begins at the client's cursor and is then cut.
func (c *conversation) hear(rt *rapid.T, to *client, upTo int64) {
	for int64(len(to.told)) < upTo {
		on, after := c.on(rt), int64(len(to.told))
		piece := rapid.Int64Range(1, upTo-after).Draw(rt, "piece")
		var next func() (frame, bool)
		var cut func()
		switch rapid.SampledFrom([]string{"socket", "stream", "resumed stream", "poll", "history"}).Draw(rt, "way") {
		case "socket":
			l := on.dial()
			l.say(map[string]any{"type": "hello", "after_seq": after})
			next, cut = func() (frame, bool) { return l.next(), true }, func() { _ = l.conn.CloseNow() }
		case "stream":
			s := on.listen(fmt.Sprint("/events?after_seq=", after))
			next, cut = s.frame, s.stop
		case "resumed stream":
			s := on.listen("/events?after_seq=0", "Last-Event-ID", strconv.FormatInt(after, 10))
			next, cut = s.frame, s.stop
		case "poll":
			next, cut = slice(on.get(fmt.Sprint("./poll?wait=20&after_seq=", after)).Frames), func() {}
		case "history":
			piece = min(piece, 100)
			var page answer
			eventually(c.t, "a page that is full", func() bool {
				page = on.get(fmt.Sprintf("./messages?limit=%d&before_seq=%d", piece, after+piece+1))
				return page.LastSeq >= after+piece
			})
			next, cut = slice(page.Messages), func() {}
		}
		for left := piece; left > 0; {
			f, more := next()
			if !more {
				break
			}
			if f.Type != "message" {
				continue
			}
			if left--; f.Seq != int64(len(to.told))+1 {
				rt.Fatalf("told %d after %d", f.Seq, len(to.told))
			}
			to.told = append(to.told, f)
		}
		cut()
	}
}

func (s *stream) frame() (frame, bool) {
	e, more := s.next()
	return e.frame, more
}

func slice(fs []frame) func() (frame, bool) {
	return func() (f frame, more bool) {
		if len(fs) == 0 {
			return f, false
		}
		f, fs = fs[0], fs[1:]
		return f, true
	}
}

// agree holds what each client was told against the ledger.
func (c *conversation) agree(rt *rapid.T) {
	ms, err := c.nodes[0].ledger.MessagesAfter(context.Background(), c.nodes[0].Org, c.v.thread().ID, 0, 10_000)
	if err != nil {
		rt.Fatal(err)
	}
	var has []string
	said := map[string]int{}
	for _, m := range ms {
		has = append(has, fmt.Sprint(m.Seq, m.ID, m.Content))
		if m.Author.Kind == "visitor" {
			said[m.ClientID]++
		}
	}
	for i, to := range c.clients {
		var told []string
		for _, f := range to.told {
			told = append(told, fmt.Sprint(f.Seq, f.ID, f.Content))
		}
		if !slices.Equal(told, has) {
			rt.Errorf("client %d was told\n%q, the ledger has\n%q", i, told, has)
		}
	}
	for _, id := range c.said {
		if said[id] != 1 {
			rt.Errorf("line %s is there %d times", id, said[id])
		}
	}
}
