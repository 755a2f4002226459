package domain

import (
	"encoding/json"
	"maps"
	"unicode/utf8"
)

// StripStep is the detail of a turn's step as an organisation keeps it: prompt and response of a model stay only with RecordFull;
// with RecordMetadata their lengths take their place. The detail itself is left as it is.
func StripStep(kind TimelineKind, detail map[string]any, keep RecordContent) map[string]any {
	_, asked := detail["prompt"]
	_, said := detail["response"]
	if keep == RecordFull || kind != ModelCall || !asked && !said {
		return detail
	}
	out := maps.Clone(detail)
	for _, key := range []string{"prompt", "response"} {
		words, ok := out[key]
		delete(out, key)
		if ok && keep == RecordMetadata {
			out[key+"_chars"] = charsIn(plainly(words))
		}
	}
	return out
}

// plainly is a value as JSON has it, whatever types it was made of.
func plainly(v any) (plain any) {
	raw, err := json.Marshal(v)
	if err != nil || json.Unmarshal(raw, &plain) != nil {
		return nil
	}
	return plain
}

// charsIn counts the characters of all texts in a value as JSON has them.
func charsIn(v any) int {
	n := 0
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v)
	case []any:
		for _, one := range v {
			n += charsIn(one)
		}
	case map[string]any:
		for _, one := range v {
			n += charsIn(one)
		}
	}
	return n
}
