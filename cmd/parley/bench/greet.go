package bench

import (
	"context"
	"strconv"
	"time"
)

// Dispatch is what the server itself costs between a question and its answer, when the agent answers at once.
type Dispatch struct {
	Turns  int     `json:"turns"`
	Claim  Latency `json:"claim"`  // from the question to the beginning of its turn
	Answer Latency `json:"answer"` // from the question to its answer; both as the database's clock has it
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

// Greeter is a visitor who says hello, waits for the answer, and says hello again.
type Greeter struct {
	door  door
	token string
	said  int
	ears  *poll
}

// NewGreeter lets a visitor in at a widget. Leave must be called.
func NewGreeter(ctx context.Context, url, widget string) (*Greeter, error) {
	l, err := newLoad(Options{URLs: []string{url}, Widget: widget, Visitors: 1})
	if err != nil {
		return nil, err
	}
	g := &Greeter{door: l.doors[0]}
	if g.token, err = g.door.enter(ctx); err != nil {
		return nil, err
	}
	g.ears = g.door.dialPoll(g.token, 0).(*poll)
	return g, nil
}

// Leave lets go of the visitor's connections.
func (g *Greeter) Leave() {
	g.ears.cut()
	g.door.client.CloseIdleConnections()
}

// Greet says hello and returns once an agent has answered.
func (g *Greeter) Greet(ctx context.Context) error {
	g.said++
	ack, err := g.door.post(ctx, g.token, message{ClientID: "hello-" + strconv.Itoa(g.said), Content: "Hello"})
	if err != nil {
		return err
	}
	for {
		f, err := g.ears.next(ctx)
		switch {
		case err != nil:
			return err
		case f.Type == "error":
			return f.refusal()
		case f.Type != "message" || f.Seq <= ack.Seq:
		case f.Author.Kind == "agent":
			return nil
		case f.Author.Kind == "system":
			return &refusal{Code: "no answer", Detail: f.Content}
		}
	}
}
