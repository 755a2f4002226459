package dispatch

import (
	"testing"
	"time"
)

func TestAlarmKeepsTheSoonest(t *testing.T) {
	a := newAlarm()
	noon := time.Now().Add(time.Hour)
	for i := range 1000 {
		a.set(noon.Add(time.Duration(500-i) * time.Millisecond))
	}
	a.set(noon.Add(time.Hour))
	<-a.rings
	if got := a.take(); !got.Equal(noon.Add(-499 * time.Millisecond)) {
		t.Errorf("took %v, want the soonest", got.Sub(noon))
	}
	a.set(noon)
	a.set(time.Time{})
	<-a.rings
	if got := a.take(); got.After(time.Now()) {
		t.Errorf("a zero time gave %v, want now", got)
	}
	select {
	case <-a.rings:
		t.Error("it rings twice")
	default:
	}
}
