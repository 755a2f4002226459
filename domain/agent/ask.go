package agent

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Ask gives rt a turn. It takes a panic for a failed turn and logs it: it would otherwise end the process, with every other turn and
// every visitor's connection in it, and then the next process, to which the same turn falls.
func Ask(ctx context.Context, log *slog.Logger, rt Runtime, r TurnRequest, sink Sink) (res Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			log.ErrorContext(ctx, "panic", "turn", r.TurnID, "agent", r.Agent.ID, "value", v, "stack", string(debug.Stack()))
			res, err = Result{}, &Failure{Reason: "something went wrong on our side", Err: fmt.Errorf("panic: %v", v)}
		}
	}()
	return rt.Turn(ctx, r, sink)
}
