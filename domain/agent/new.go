package agent

import (
	"fmt"
	"log/slog"

	"github.com/parley-chat/parley/domain"
)

// Deps is what runtimes need from outside. It is shared by all of them.
type Deps struct {
	Knowledge Knowledge // nil = there is none to search
	Contacts  Contacts  // nil = what they say about themselves is not kept
	Purse     Purse     // nil = no budget but the agent's own
	// Lend is asked before a tool of somebody else's server is run; an error calls that off, and the model is told that all is well.
	Lend     func(tool string) error // nil = they run
	Lists    *ToolLists              // nil = servers are asked for their tools in every turn
	Outbound *Outbound               // nil = a strict guard that refuses private addresses
	Log      *slog.Logger            // nil = silent
}

// runtimes has the constructor of every kind in [domain.AgentKinds]. A new kind is one file and one entry.
var runtimes = map[domain.AgentKind]func(domain.Agent, Deps) (Runtime, error){
	domain.AgentBuiltin:   newBuiltin,
	domain.AgentOpenAI:    newOpenAI,
	domain.AgentWebSocket: newWebSocket,
	domain.AgentHTTP:      newHTTP,
}

// New makes the runtime of an agent. It does no I/O, so it may be called for every turn. It fails with a permanent
// *Failure if this version does not run the agent's kind or its config is not valid.
func New(a domain.Agent, d Deps) (Runtime, error) {
	if d.Outbound == nil {
		d.Outbound = &strict
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	construct, ok := runtimes[a.Kind]
	if !ok {
		return nil, &Failure{Reason: fmt.Sprintf("this version does not run agents of kind %.40q", a.Kind), Permanent: true}
	}
	if d.Knowledge != nil {
		d.Knowledge = noting{d.Knowledge}
	}
	rt, err := construct(a, d)
	if err != nil {
		return nil, &Failure{Reason: "its configuration is not valid", Permanent: true, Fault: domain.FaultProvider, Err: err}
	}
	return rt, nil
}
