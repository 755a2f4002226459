package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/parley-chat/parley/cmd/parley/bench"
)

type benchCmd struct {
	URL    []string `help:"A running server; several are nodes of one. By default bench starts one itself, on the configured database." placeholder:"URL"`
	Widget string   `help:"The widget's key, with --url." placeholder:"KEY"`
	Origin string   `help:"Origin of the page that embeds the widget, with --url; by default the server's own."`

	Visitors  int           `default:"50" help:"How many visitors talk at the same time."`
	Rate      int           `default:"200" help:"Messages a second, of all visitors together; 0 is as fast as acks allow."`
	Duration  time.Duration `default:"10s" help:"How long they talk."`
	Messages  int           `help:"How many messages they say in all, instead of a duration."`
	Transport string        `enum:"ws,sse,poll,mix" default:"ws" help:"How they connect: ws, sse, poll or mix."`
	Chaos     bool          `help:"Cut connections at random, say lines twice over the same and another transport, and resume."`
	Agent     string        `enum:"echo,none,auto" default:"auto" help:"Who answers: echo (an agent that repeats each line at once; with --url it says that the widget has such a one) or none. auto is echo, and with --url none."`
	Nodes     int           `default:"1" help:"How many nodes to start on one database; visitors change the node with every reconnect."`
	JSON      bool          `help:"Print JSON."`
}

// Validate is kong's.
func (c *benchCmd) Validate() error {
	switch {
	case len(c.URL) > 0 && c.Widget == "":
		return errors.New("--url needs --widget, the key of a widget there")
	case len(c.URL) == 0 && (c.Widget != "" || c.Origin != ""):
		return errors.New("--widget and --origin go with --url")
	case len(c.URL) > 0 && c.Nodes != 1:
		return errors.New("--nodes is how many to start here; name running ones by several --url")
	case c.Visitors < 1 || c.Nodes < 1 || c.Rate < 0 || c.Messages < 0 || c.Duration <= 0:
		return errors.New("--visitors, --nodes and --duration must be above 0, --rate and --messages not below")
	}
	for _, raw := range c.URL {
		if u, err := url.Parse(raw); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("--url must look like https://chat.example.com, not %q", raw)
		}
	}
	return nil
}

// Run makes the load and prints the report. It fails when the server has broken a promise, after the report has said which.
func (c *benchCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	o := bench.Options{
		URLs: c.URL, Widget: c.Widget, Origin: c.Origin, Visitors: c.Visitors, Rate: c.Rate, Messages: c.Messages, Duration: c.Duration,
		Transport: bench.Transport(c.Transport), Chaos: c.Chaos, Echo: c.Agent == "echo" || c.Agent == "auto" && len(c.URL) == 0,
		Progress: func(said, acked int) { fmt.Fprintf(std.Err, "%d said, %d acknowledged\n", said, acked) },
	}
	if len(c.URL) > 0 {
		return c.measure(ctx, std, o, nil)
	}
	cfg, err := readConfig(quietly(env), std.Err)
	if err != nil {
		return err
	}
	cfg.outboundPublic = false // the echo agent is on this machine
	return cfg.withBenchNodes(ctx, c.Nodes, o.Echo, func(urls []string, widget string, dispatch measureDispatch) error {
		o.URLs, o.Widget = urls, widget
		return c.measure(ctx, std, o, dispatch)
	})
}

// quietly is an environment in which servers log only what went wrong, unless it says otherwise.
func quietly(env getenv) getenv {
	return func(name string) string {
		if v := env(name); v != "" || name != "PARLEY_LOG" {
			return v
		}
		return "warn"
	}
}

func (c *benchCmd) measure(ctx context.Context, std *stdio, o bench.Options, dispatch measureDispatch) error {
	r, err := bench.Run(ctx, o)
	if err != nil {
		return err
	}
	if dispatch != nil && !r.Interrupted {
		if r.Dispatch, err = dispatch(ctx); err != nil {
			return err
		}
	}
	if c.JSON {
		err = json.NewEncoder(std.Out).Encode(r)
	} else {
		r.Print(std.Out)
	}
	if n := r.Broken(); n > 0 {
		return fmt.Errorf("%d promises were broken, see above", n)
	}
	return err
}
