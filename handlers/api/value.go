package api

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
)

// Time is a moment in UTC with milliseconds.
type Time time.Time

const timeLayout = "2006-01-02T15:04:05.000Z"

func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + time.Time(t).UTC().Format(timeLayout) + `"`), nil
}

// Schema describes a Time to huma.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-11-21T09:15:02.417Z"}}
}

// timeOrNull is nil for the zero time.
func timeOrNull(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	shown := Time(t)
	return &shown
}

// orNull is nil for an empty text.
func orNull[T ~string](v T) *string {
	if v == "" {
		return nil
	}
	s := string(v)
	return &s
}

// Choice is an id in a request body that tells null (none) from absent (as it was).
type Choice struct {
	Given bool
	ID    string // empty: null
}

// UnmarshalJSON is called for null as well, but not for an absent key.
func (c *Choice) UnmarshalJSON(b []byte) error {
	*c = Choice{Given: true}
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	return json.Unmarshal(b, &c.ID)
}

// Schema describes a Choice to huma.
func (Choice) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "uuid", Nullable: true, Examples: []any{"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"}}
}

// HoursChoice is hours or null; in a request body it tells null (none) from absent (as they were).
type HoursChoice struct {
	Given bool
	Hours *Hours
}

// UnmarshalJSON is called for null as well, but not for an absent key.
func (c *HoursChoice) UnmarshalJSON(b []byte) error {
	*c = HoursChoice{Given: true}
	return json.Unmarshal(b, &c.Hours)
}

// MarshalJSON shows hours, or null.
func (c HoursChoice) MarshalJSON() ([]byte, error) { return json.Marshal(c.Hours) }

// Schema describes a HoursChoice to huma.
func (HoursChoice) Schema(huma.Registry) *huma.Schema {
	spans := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}}
	return &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: false, Required: []string{"timezone", "week"},
		Properties: map[string]*huma.Schema{
			"timezone": {Type: huma.TypeString, Examples: []any{"Europe/Berlin"}},
			"week":     {Type: huma.TypeObject, AdditionalProperties: spans},
		},
		Examples: []any{map[string]any{"timezone": "Europe/Berlin", "week": map[string]any{"mon": [][]string{{"09:00", "17:00"}}}}}}
}

// Clearable is a text in a request body that tells null or empty (not known) from absent (as it was).
type Clearable struct {
	Given bool
	Text  string
}

// UnmarshalJSON is called for null as well, but not for an absent key.
func (c *Clearable) UnmarshalJSON(b []byte) error {
	*c = Clearable{Given: true}
	if bytes.Equal(b, []byte("null")) {
		return nil
	}
	return json.Unmarshal(b, &c.Text)
}

// Schema describes a Clearable to huma.
func (Clearable) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

func (c Clearable) lay(into *string) {
	if c.Given {
		*into = c.Text
	}
}

// parseField reads an id given in a field. It fails with Invalid, where a path would fail with NotFound.
func parseField[T ~string](field, s string) (T, error) {
	if s == "" {
		return "", nil
	}
	id, err := domain.ParseID[T](s)
	if err != nil {
		return "", domain.InvalidField(field, "is not an id")
	}
	return id, nil
}

// lay puts a given value over what was there; an absent one or null leaves it.
func lay[T any](into, value *T) {
	if value != nil {
		*into = *value
	}
}
