package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// jsonFormat reads whole numbers however they are written: for JSON Schema, and for the languages that know but one kind of number, 10.0
// and 1e1 are the integer 10, where encoding/json takes only the digits.
func jsonFormat() huma.Format {
	f := huma.DefaultJSONFormat
	f.Unmarshal = func(b []byte, v any) error {
		err := json.Unmarshal(b, v)
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok || !strings.HasPrefix(t.Value, "number ") {
			return err
		}
		plain, ok := withPlainIntegers(b)
		if !ok {
			return err
		}
		return json.Unmarshal(plain, v)
	}
	return f
}

// withPlainIntegers is a JSON text with its whole numbers as digits; not ok if there is none to write otherwise.
func withPlainIntegers(b []byte) (plain []byte, ok bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	v = plainIntegers(v, &ok)
	plain, err := json.Marshal(v)
	return plain, ok && err == nil
}

func plainIntegers(v any, changed *bool) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = plainIntegers(inner, changed)
		}
	case []any:
		for i, inner := range v {
			v[i] = plainIntegers(inner, changed)
		}
	case json.Number:
		const exact = 1 << 53 // beyond it a float is no certain integer
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") && f == float64(int64(f)) && f > -exact && f < exact {
			*changed = true
			return json.Number(strconv.FormatInt(int64(f), 10))
		}
	}
	return v
}
