package portal

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

const (
	streamLife  = 15 * time.Minute       // then the browser comes back
	streamPause = 250 * time.Millisecond // between two hints: what happens meanwhile is one
	lookEvery   = 5 * time.Second        // at who is signed in no longer, or as somebody else
)

// listener is one open stream.
type listener struct {
	token string
	user  domain.User   // as they were when it began
	gone  chan struct{} // closed when they have nothing more to hear here
	once  sync.Once
}

func (l *listener) end() { l.once.Do(func() { close(l.gone) }) }

// listeners are the open streams of everybody who is signed in.
type listeners struct {
	mu   sync.Mutex
	open map[*listener]struct{}
}

func (ls *listeners) enter(token string, u domain.User) (l *listener, leave func()) {
	l = &listener{token: token, user: u, gone: make(chan struct{})}
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.open == nil {
		ls.open = map[*listener]struct{}{}
	}
	ls.open[l] = struct{}{}
	return l, func() {
		ls.mu.Lock()
		defer ls.mu.Unlock()
		delete(ls.open, l)
	}
}

// present are all, by their tokens.
func (ls *listeners) present() map[string][]*listener {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	by := map[string][]*listener{}
	for l := range ls.open {
		by[l.token] = append(by[l.token], l)
	}
	return by
}

// stream tells hints for as long as their reader is signed in, and streamLife at most. When that is over for them before the time it says
// once more that something has changed: their page asks for it, and is led to the sign-in or shows what is theirs now.
func (p *Portal) stream(w http.ResponseWriter, r *http.Request, changed string, run func(ctx context.Context, out *edge.Stream)) {
	l, leave := p.listeners.enter(sessionOf(r), memberOf(r).User)
	defer leave()
	p.streams.Serve(w, r, func(ctx context.Context, out *edge.Stream) {
		within, cancel := context.WithTimeout(ctx, streamLife)
		defer cancel()
		var waiting sync.WaitGroup
		defer waiting.Wait()
		defer cancel()
		waiting.Go(func() {
			select {
			case <-l.gone:
				cancel()
			case <-within.Done():
			}
		})
		run(within, out)
		select {
		case <-l.gone:
			out.Send(changed, "", nil)
		default:
		}
	})
}

// Run ends the streams of whoever has signed out, lost their account, or become somebody else in it, on whatever node that happened: for all
// streams together with one query now and then. It returns when ctx ends.
func (p *Portal) Run(ctx context.Context) error {
	return edge.Patrol(ctx, p.lookEvery, p.Log, "cannot see who is signed in no longer", p.look)
}

func (p *Portal) look(ctx context.Context) error {
	present := p.listeners.present()
	if len(present) == 0 {
		return nil
	}
	tokens := make([]string, 0, len(present))
	for token := range present {
		tokens = append(tokens, token)
	}
	users, err := p.Account.PeekUsers(ctx, tokens)
	if err != nil {
		return err
	}
	for token, ls := range present {
		now, still := users[token]
		for _, l := range ls {
			if !still || now.Role != l.user.Role || now.OrgID != l.user.OrgID {
				l.end()
			}
		}
	}
	return nil
}

// signedOut ends a session, and at once what it listens to on this node.
func (p *Portal) signedOut(ctx context.Context, token string) error {
	if err := p.Account.SignOut(ctx, token); err != nil {
		return err
	}
	for _, l := range p.listeners.present()[token] {
		l.end()
	}
	return nil
}
