package relay

import "testing"

func TestReadsAreSharedOnlyAfterTheSameWakeUp(t *testing.T) {
	h := newHub()
	a, leave := h.follow("thread", nil)
	defer leave()
	b, leave := h.follow("thread", nil)
	defer leave()
	key := func(f *follower) string { return f.readKey("org", "thread", 7) }
	before := key(a)
	if key(b) != before {
		t.Error("two followers at the same place do not share their read")
	}
	for name, wake := range map[string]func(){
		"a hint":   func() { h.grown(growth{Org: "org", Thread: "thread", Seq: 8}) },
		"a resync": h.wakeAll,
	} {
		before := key(a)
		if wake(); key(a) == before || key(b) != key(a) {
			t.Errorf("after %s a follower would join a read that began before it", name)
		}
	}
	if other := b.readKey("org", "thread", 8); other == key(a) {
		t.Error("different cursors share a read")
	}
}
