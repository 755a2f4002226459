package widget

import (
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

// The ledger tells of a line before it answers whoever said it: the line still comes as its ack, and what follows it comes later.
func TestLineToldBeforeItsAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		after int64
		ack   dialect.Ack
		err   error
		want  []string // as they reach the client
	}{
		{"stored", 0, dialect.Ack{Seq: 1}, nil, []string{"ack 1", "line 2"}},
		{"a duplicate of another connection's", 0, dialect.Ack{Seq: 1, Duplicate: true}, nil, []string{"ack 1", "line 1", "line 2"}},
		{"stored, but nobody could say so", 0, dialect.Ack{}, &domain.Error{Kind: domain.Unavailable}, []string{"line 1", "line 2"}},
		{"to a client that claims to have more", 7, dialect.Ack{Seq: 1}, nil, []string{"ack 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSpoken("s1", tt.after)
				var mu sync.Mutex
				var got []string
				push := func(e dialect.Event) {
					mu.Lock()
					defer mu.Unlock()
					switch e := e.(type) {
					case dialect.Ack:
						got = append(got, "ack "+string(rune('0'+e.Seq)))
					case dialect.Line:
						got = append(got, "line "+string(rune('0'+e.Seq)))
					}
				}
				go func() {
					err := s.say("c1", func() (dialect.Ack, error) {
						time.Sleep(time.Second) // of the bubble
						return tt.ack, tt.err
					}, func(e dialect.Event) {
						time.Sleep(time.Second) // the queue is full
						push(e)
					})
					if err != tt.err {
						t.Error(err)
					}
				}()
				synctest.Wait()
				for _, m := range []domain.Message{{Seq: 1, SessionID: "s1", ClientID: "c1"}, {Seq: 2, SessionID: "s2", ClientID: "c1"}} {
					if e := s.event(t.Context(), &m); e != nil {
						push(e)
					}
					s.passed(m.Seq)
				}
				time.Sleep(time.Minute)
				if !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}
