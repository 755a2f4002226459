package widget

import (
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
)

// flow bounds how many lines, and other requests that store a row, one address may send and one widget may receive in a minute, whatever
// sessions they come in: a client that opens a new session for each line evades the limits of a conversation, but not these. Each node
// counts for itself. Lines from this machine's own addresses are not counted: behind a local proxy that is not trusted to name its
// clients, all visitors seem to come from there.
type flow struct {
	perAddress, perWidget int
	now                   func() time.Time

	mu     sync.Mutex
	minute time.Time
	counts map[guest]int
}

func newFlow(perAddress, perWidget int) *flow {
	return &flow{perAddress: perAddress, perWidget: perWidget, now: time.Now, counts: map[guest]int{}}
}

// take counts a line, or fails with Throttled until the next minute.
func (f *flow) take(address, widget string) error {
	if address == "" {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if minute := now.Truncate(time.Minute); minute != f.minute {
		f.minute = minute
		clear(f.counts)
	}
	from, to := guest{address: address}, guest{widget: widget}
	wait := f.minute.Add(time.Minute).Sub(now)
	switch {
	case f.counts[from] >= f.perAddress:
		return &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: wait,
			Msg: "that is a lot of messages from your network, please wait a moment"}
	case f.counts[to] >= f.perWidget:
		return &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: wait,
			Msg: "this chat is very busy just now, please wait a moment"}
	}
	f.counts[from]++
	f.counts[to]++
	return nil
}
