package ledger

import (
	"bytes"
	"encoding/json"
)

// jsonOf encodes a value for a jsonb column; nothing becomes {}. What the house hands in can always be encoded.
func jsonOf(v any) string {
	if raw, ok := v.(json.RawMessage); v == nil || ok && len(raw) == 0 {
		return "{}"
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(withoutNUL(b))
}

// withoutNUL drops \u0000 from encoded JSON, the one escape that jsonb refuses.
func withoutNUL(b []byte) []byte {
	nul := []byte(`\u0000`)
	if !bytes.Contains(b, nul) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			out = append(out, b[i])
			continue
		}
		if bytes.HasPrefix(b[i:], nul) {
			i += len(nul) - 1
			continue
		}
		out = append(out, b[i], b[i+1]) // an escape is at least two bytes; an escaped backslash starts none
		i++
	}
	return out
}
