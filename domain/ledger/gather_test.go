package ledger

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-chat/parley/domain"
)

// doubled answers with twice the number, slowly, and keeps what was asked together. Thirteen cannot be asked with others.
type doubled struct {
	mu    sync.Mutex
	asked [][]int
}

func (d *doubled) ask(ctx context.Context, qs []int) ([]int, error) {
	d.mu.Lock()
	d.asked = append(d.asked, slices.Clone(qs))
	d.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if slices.Contains(qs, 13) {
		return nil, domain.Conflictf("thirteen")
	}
	return column(qs, func(q int) int { return 2 * q }), nil
}

func TestGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &doubled{}
		g := gather[int, int]{most: 5, ask: d.ask}
		var all sync.WaitGroup
		for q := range 9 { // the first alone, then five, then three
			all.Go(func() {
				if a, err := g.get(t.Context(), q); a != 2*q || err != nil {
					t.Errorf("%d: %d, %v", q, a, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if got := column(d.asked, func(qs []int) int { return len(qs) }); !slices.Equal(got, []int{1, 5, 3}) {
			t.Errorf("asked together: %v", d.asked)
		}
	})
}

func TestGatherPoison(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &doubled{}
		g := gather[int, int]{most: 100, ask: d.ask}
		var all sync.WaitGroup
		for _, q := range []int{1, 12, 13, 14} {
			all.Go(func() {
				if a, err := g.get(t.Context(), q); (err != nil) != (q == 13) || err == nil && a != 2*q {
					t.Errorf("%d: %d, %v", q, a, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
	})
}

// Whoever gives up waiting leaves the others their answers.
func TestGatherGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &doubled{}
		g := gather[int, int]{most: 1, ask: d.ask}
		var all sync.WaitGroup
		for q := range 6 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			if q%2 == 1 {
				ctx, cancel = context.WithTimeout(t.Context(), time.Duration(q)*400*time.Millisecond)
			}
			all.Go(func() {
				defer cancel()
				a, err := g.get(ctx, q)
				if late := domain.KindOf(err) == domain.Unavailable && errors.Is(err, context.DeadlineExceeded); late != (q%2 == 1) || !late && a != 2*q {
					t.Errorf("%d: %d, %v", q, a, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if a, err := g.get(t.Context(), 21); a != 42 || err != nil {
			t.Errorf("afterwards: %d, %v", a, err)
		}
	})
}
