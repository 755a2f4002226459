package portal_test

import (
	"encoding/json"
	"testing"

	"github.com/parley-chat/parley/domain/chat"
)

// An event may come without a word of who it is from. What it says is read and answered like anything else.
func TestThreadOfNobodyKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	r, err := w.chat.Record(t.Context(), b.user.OrgID, chat.Event{Channel: "sms", ExternalID: "1", Content: "Is anybody there?", Payload: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	thread := "/threads/" + string(r.ThreadID)
	want(t, b.page("/inbox"), "Is anybody there?")
	for _, path := range []string{thread, thread + "/timeline", thread + "/messages"} {
		want(t, b.page(path), "Is anybody there?")
	}
}
