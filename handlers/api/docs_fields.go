package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/handlers/edge"
)

// fields lists a schema's properties, those of objects within it under dotted names: rate.messages, items[].id.
func fields(schemas huma.Registry, prefix string, s *huma.Schema) []docField {
	s = resolved(schemas, s)
	var fs []docField
	for _, name := range inOrder(s) {
		p := s.Properties[name]
		f := field(schemas, prefix+name, p, slices.Contains(s.Required, name))
		fs = append(fs, f)
		inner, at := resolved(schemas, p), prefix+name+"."
		if inner.Type == huma.TypeArray {
			inner, at = resolved(schemas, inner.Items), prefix+name+"[]."
		}
		fs = append(fs, fields(schemas, at, inner)...)
	}
	return fs
}

// inOrder names the required properties first, each group by name, with the id at the head.
func inOrder(s *huma.Schema) []string {
	rank := func(name string) int {
		switch {
		case name == "id":
			return 0
		case slices.Contains(s.Required, name):
			return 1
		}
		return 2
	}
	return slices.SortedFunc(maps.Keys(s.Properties), func(a, b string) int {
		if c := rank(a) - rank(b); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
}

// answerFields is fields for what is read: there it matters what may be missing, not what is needed.
func answerFields(schemas huma.Registry, s *huma.Schema) []docField {
	fs := fields(schemas, "", s)
	for i := range fs {
		if !fs[i].Required {
			fs[i].Where = "may be missing"
		}
		fs[i].Required = false
	}
	return fs
}

func field(schemas huma.Registry, name string, s *huma.Schema, required bool) docField {
	target := resolved(schemas, s)
	f := docField{Name: name, Type: target.Type, Required: required, Description: s.Description}
	if f.Description == "" {
		f.Description = target.Description
	}
	limits := target
	if target.Type == huma.TypeArray {
		limits = resolved(schemas, target.Items)
		f.Type = "list of " + limits.Type + "s"
	}
	if target.Format == "uuid" || target.Format == "date-time" {
		f.Type = map[string]string{"uuid": "id", "date-time": "time"}[target.Format]
	}
	if target.Nullable {
		f.Type += " or null"
	}
	f.Limits = bounds(s, limits)
	return f
}

// bounds says in words what a value must keep to and what an absent one is taken for.
func bounds(s, limits *huma.Schema) string {
	var parts []string
	if len(limits.Enum) > 0 {
		var all []string
		for _, v := range limits.Enum {
			all = append(all, fmt.Sprint(v))
		}
		parts = append(parts, "one of "+strings.Join(all, ", "))
	}
	switch low, high := limits.Minimum, limits.Maximum; {
	case low != nil && high != nil:
		parts = append(parts, fmt.Sprintf("%v to %v", *low, *high))
	case low != nil:
		parts = append(parts, fmt.Sprintf("%v or more", *low))
	}
	if limits.MaxLength != nil {
		parts = append(parts, fmt.Sprintf("at most %d characters", *limits.MaxLength))
	}
	if s.Default != nil {
		parts = append(parts, "default "+indented(s.Default))
	}
	return strings.Join(parts, "; ")
}

func resolved(schemas huma.Registry, s *huma.Schema) *huma.Schema {
	for s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	return s
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func exampleCode(m *huma.MediaType) string {
	p, _ := m.Example.(edge.Problem)
	return string(p.Code)
}
