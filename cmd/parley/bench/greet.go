package bench

import (
	"context"
	"strconv"
	"time"
)

// Dispatch is what the server itself costs between a question and its answer, when the agent answers at once.
type Dispatch struct {
	Turns  int     `json:"turns"`
	Claim  Latency `json:"claim"`  // from the question to the beginning of its turn, as the database's clock has it
	Answer Latency `json:"answer"` // from the commit of the question to that of its answer
	Commit Latency `json:"commit"` // a raw durable commit of the same database, measured in between
}

// NewDispatch sums up what was measured. It sorts what it is given.
func NewDispatch(claims, answers, commits []time.Duration) *Dispatch {
	return &Dispatch{Turns: len(answers), Claim: latencyOf(claims), Answer: latencyOf(answers), Commit: latencyOf(commits)}
}

// Ratio is the median answer in raw commits: unlike milliseconds it says something on a busy machine too. 0 = not measured.
func (d Dispatch) Ratio() float64 {
	if d.Commit.P50 == 0 {
		return 0
	}
	return d.Answer.P50 / d.Commit.P50
}

// Greeter is a visitor who says hello over a socket, waits for the answer, and says hello again. Another transport's requests
// would be work of the server beside the one that is measured.
type Greeter struct {
	door   door
	said   int
	socket connection
}

// NewGreeter lets a visitor in at a widget. Leave must be called.
func NewGreeter(ctx context.Context, url, widget string) (*Greeter, error) {
	l, err := newLoad(Options{URLs: []string{url}, Widget: widget, Visitors: 1})
	if err != nil {
		return nil, err
	}
	g := &Greeter{door: l.doors[0]}
	token, err := g.door.enter(ctx)
	if err != nil {
		return nil, err
	}
	g.socket, err = g.door.dialSocket(ctx, token, 0)
	return g, err
}

// Leave lets go of the visitor's connections.
func (g *Greeter) Leave() {
	g.socket.cut()
	g.door.client.CloseIdleConnections()
}

// Greet says hello and returns once an agent has answered.
func (g *Greeter) Greet(ctx context.Context) error {
	g.said++
	if _, err := g.socket.say(ctx, message{ClientID: "hello-" + strconv.Itoa(g.said), Content: "Hello"}); err != nil {
		return err
	}
	for {
		f, err := g.socket.next(ctx)
		switch {
		case err != nil:
			return err
		case f.Type == "error":
			return f.refusal()
		case f.Type != "message":
		case f.Author.Kind == "agent":
			return nil
		case f.Author.Kind == "system":
			return &refusal{Code: "no answer", Detail: f.Content}
		}
	}
}
