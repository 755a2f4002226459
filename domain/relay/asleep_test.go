package relay

import (
	"context"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// TestNobodyFallsAsleepOverWhatHasCome lets something come when a goroutine has found nothing more to tell, and has not yet left: whoever
// brings it takes it for awake and rouses nobody, so it must go on itself.
func TestNobodyFallsAsleepOverWhatHasCome(t *testing.T) {
	t.Parallel()
	const thread domain.ThreadID = "t"
	for name, come := range map[string]func(h *hub, end context.CancelFunc){
		"a hint": func(h *hub, _ context.CancelFunc) { h.hint(Hint{Thread: thread}) },
		"a line": func(h *hub, _ context.CancelFunc) { h.grown(growth{Thread: thread}) },
		"an end": func(_ *hub, end context.CancelFunc) { end() },
		"nobody": func(*hub, context.CancelFunc) {},
	} {
		h := newHub()
		ctx, end := context.WithCancel(t.Context())
		a := &attendance{ctx: ctx, tell: func(Update) bool { t.Errorf("%s: told", name); return true }}
		a.awake.Store(true)
		a.f, a.leave = h.follow(thread, a.rouse)
		a.unbind = func() bool { return true }
		if !a.catchUp() {
			t.Fatalf("%s: over before it began", name)
		}
		come(h, end)
		if asleep := a.asleep(); asleep != (name == "nobody") || a.awake.Load() == asleep {
			t.Errorf("%s: asleep %v, awake %v", name, asleep, a.awake.Load())
		}
		end()
	}
}
