package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// answers lets the tenant's agent answer what its visitor has written.
func (w *world) answers(t *testing.T, of tenant, content string) {
	t.Helper()
	claims, err := w.ledger.Claim(t.Context(), 10, time.Minute, ledger.Pauses{})
	if err != nil || len(claims) != 1 {
		t.Fatal(claims, err)
	}
	_, err = w.ledger.Append(t.Context(), ledger.Append{OrgID: of.Org, ThreadID: of.Thread,
		Change: ledger.TurnEnd{TurnRef: claims[0].TurnRef, Said: &ledger.Said{N: 1, Content: content, ContentType: domain.Text}}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReplays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	thread := "/threads/" + string(w.acme.Thread)
	w.acme.post(t, thread+"/replays", "{}").badField(t, "thread")
	w.says(t, w.acme, "1", "Hello?")
	w.acme.do(t, http.MethodPut, Prefix+thread+"/golden", "{}").badField(t, "thread")
	w.answers(t, w.acme, "Words of its own.")
	for body, field := range map[string]string{
		`{"agent_id":"x"}`: "agent_id", `{"agent_id":"` + string(w.rival.Agent) + `"}`: "agent_id", `{"judge_agent_id":"` + string(w.rival.Agent) + `"}`: "judge_agent_id",
		`{"instructions":"Be brief."}`: "instructions", `{"min_confidence":7}`: "min_confidence",
		`{"drift":"yes"}`: "drift",
	} {
		w.acme.post(t, thread+"/replays", body).badField(t, field)
	}
	// where the agent is asked, and with which key, is not for an order to say
	w.acme.post(t, thread+"/replays", `{"base_url":"https://evil.example","url":"https://evil.example"}`).check(t, map[string]any{"overridden": map[string]any{}})
	made := w.acme.post(t, thread+"/replays", "{}", "Idempotency-Key", "1").want(t, http.StatusCreated)
	made.check(t, map[string]any{"status": "queued", "total": 1, "agent_name": "Ada", "golden": false, "answers": []any{}, "summary.answers": 0, "finished_at": nil})
	again := w.acme.post(t, thread+"/replays", "{}", "Idempotency-Key", "1").want(t, http.StatusCreated)
	if made.str("id") != again.str("id") {
		t.Error("the same order made two replays")
	}
	made.check(t, map[string]any{"thread_id": w.acme.Thread, "agent_id": w.acme.Agent})
	asked := domain.Replay{ID: domain.ReplayID(made.str("id")), OrgID: w.acme.Org}
	r, err := w.replays.Make(t.Context(), asked)
	if err != nil || r.Status != domain.ReplayDone {
		t.Fatalf("%+v, %v", r, err)
	}
	got := w.acme.get(t, "/replays/"+made.str("id")).want(t, http.StatusOK)
	got.check(t, map[string]any{"status": "done", "summary.regressions": 1, "summary.changed": 1})
	answer, _ := got.at("answers").([]any)[0].(map[string]any)
	if answer["outcome"] != "changed" || answer["regressed"] != true || answer["asked"] != "Hello?" || answer["to_seq"] != 1.0 {
		t.Errorf("%s", got.raw)
	}
	then, _ := answer["then"].(map[string]any)
	if replies, _ := then["replies"].([]any); len(replies) != 1 || replies[0] != "Words of its own." {
		t.Errorf("%s", got.raw)
	}
	w.acme.do(t, http.MethodPut, Prefix+thread+"/golden", `{"notes":[{"seq":9,"note":"x"}]}`).badField(t, "notes")
	golden := w.acme.do(t, http.MethodPut, Prefix+thread+"/golden", `{"notes":[{"seq":1,"note":"Says hello."}]}`).want(t, http.StatusOK)
	if first, _ := golden.at("answers").([]any)[0].(map[string]any); first["note"] != "Says hello." || first["to_seq"] != 1.0 {
		t.Errorf("%s", golden.raw)
	}
	w.acme.do(t, http.MethodDelete, Prefix+thread+"/golden", nil).want(t, http.StatusNoContent)
	w.acme.do(t, http.MethodDelete, Prefix+thread+"/golden", nil).problem(t, http.StatusNotFound, "not_found")
}
