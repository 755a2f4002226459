package domain

import (
	"encoding/json"
	"testing"
)

func TestStripStep(t *testing.T) {
	t.Parallel()
	type line struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	asked := map[string]any{"model": "m", "ms": 3, "prompt": []line{{"u", "Hëllo"}}, "response": "Yes"}
	for _, tt := range []struct {
		kind   TimelineKind
		detail map[string]any
		keep   RecordContent
		want   string
	}{
		{ModelCall, asked, RecordFull, `{"model":"m","ms":3,"prompt":[{"role":"u","content":"Hëllo"}],"response":"Yes"}`},
		{ModelCall, asked, RecordMetadata, `{"model":"m","ms":3,"prompt_chars":6,"response_chars":3}`},
		{ModelCall, asked, RecordOff, `{"model":"m","ms":3}`},
		{ModelCall, asked, "", `{"model":"m","ms":3}`}, // nobody has said: nothing is kept
		{ModelCall, map[string]any{"ms": 1}, RecordOff, `{"ms":1}`},
		{ModelCall, map[string]any{"response": "Yes"}, RecordMetadata, `{"response_chars":3}`},
		{ToolCall, map[string]any{"prompt": "x"}, RecordOff, `{"prompt":"x"}`},
		{ModelCall, nil, RecordOff, `null`},
	} {
		if got, _ := json.Marshal(StripStep(tt.kind, tt.detail, tt.keep)); string(got) != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.kind, tt.keep, got, tt.want)
		}
	}
	if asked["response"] != "Yes" {
		t.Error("the step itself was changed")
	}
}
