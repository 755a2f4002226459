// Command parley is the one binary: the server, its migrations, and the small tools around it. It is the composition root and the
// only reader of the environment; it must never hold logic that another package could own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/parley-chat/parley/domain"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second Ctrl-C is not ours any more: it ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// stdio is where a command reads and writes. Out carries results, Err everything else.
type stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// getenv reads one environment variable; empty means unset.
type getenv func(name string) string

type cli struct {
	Serve     serveCmd     `cmd:"" help:"Run the server."`
	Migrate   migrateCmd   `cmd:"" help:"Bring the database's schema up or down, or show where it is."`
	Owner     ownerCmd     `cmd:"" help:"Manage owners."`
	APIKey    apiKeyCmd    `cmd:"" name:"apikey" help:"Manage API keys."`
	Knowledge knowledgeCmd `cmd:"" help:"Manage knowledge articles."`
	MockAgent mockAgentCmd `cmd:"" help:"Run an agent to try the websocket, http and openai kinds with."`
	Replay    replayCmd    `cmd:"" help:"Answer recorded conversations again and tell what has changed. Nobody hears the answers."`
	Bench     benchCmd     `cmd:"" help:"Put load on a server and check that nothing is lost, doubled or reordered."`
	Doctor    doctorCmd    `cmd:"" help:"Check that everything parley needs is there."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

// exit is how kong's --help leaves.
type exit int

// run is the program: it runs one command and returns the exit code. A failure is one line on stderr.
func run(ctx context.Context, args []string, env func(string) string, in io.Reader, out, errOut io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exit)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("parley"),
		kong.Description("A self-hosted live chat in which AI agents and people answer your visitors together."),
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.Bind(&stdio{in, out, errOut}, getenv(env)),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		panic(err) // the struct above is wrong
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errOut, "parley: %s (see parley --help)\n", oneLine(err))
		return 2
	}
	if err := chosen.Run(); err != nil {
		fmt.Fprintf(errOut, "parley: %s\n", oneLine(err))
		if c, ok := errors.AsType[coded](err); ok {
			return c.code
		}
		return 1
	}
	return 0
}

// coded is an error of a command whose exit code says more than that there was one.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// oneLine is an error as one line; what may be shown comes before its cause.
func oneLine(err error) string {
	msg := err.Error()
	if e, ok := errors.AsType[*domain.Error](err); ok && e.Kind != domain.Internal && e.Kind != domain.Unavailable {
		msg = e.Msg
	}
	return strings.Join(strings.Fields(msg), " ")
}
