// Package ui holds the primitives every page is made of: icons, fields, buttons, badges, notices. It must never know what
// Parley is about: no domain type comes in, and no URL but the one it was handed.
package ui

import (
	"slices"
	"strings"
)

// Tone is the meaning a colour carries. Each has a class of the same name in static/css.
type Tone string

const (
	Neutral Tone = "neutral"
	Accent  Tone = "accent" // people, and what we want pressed
	Violet  Tone = "violet" // agents
	Amber   Tone = "amber"  // waiting, attention
	Red     Tone = "red"    // failed, dangerous
	Green   Tone = "green"  // went well
)

// Notice is one sentence above a page, about what just happened. The zero value shows nothing.
type Notice struct {
	Tone Tone // Green, Amber or Red
	Text string
}

// Form is what a person typed and what is wrong with it, so that a form that failed comes back as it was.
type Form struct {
	Values   map[string]string // by field name; what to show in the fields
	Problems map[string]string // by field name; completes a sentence that begins with the label: "is missing"
	Problem  string            // about the form as a whole
	Focus    string            // name of the field that the cursor belongs into; empty = none
}

// FocusWrong puts the cursor into the first of the fields, named in the order of the page, that something is wrong with.
func (f Form) FocusWrong(names ...string) Form {
	for _, name := range names {
		if f.Problems[name] != "" {
			f.Focus = name
			return f
		}
	}
	return f
}

// FocusNext is FocusWrong for a form that one came to fill in: if nothing is wrong, the first empty field.
func (f Form) FocusNext(names ...string) Form {
	if f = f.FocusWrong(names...); f.Focus != "" {
		return f
	}
	for _, name := range names {
		if f.Values[name] == "" {
			f.Focus = name
			return f
		}
	}
	return f
}

// Value is what the field holds.
func (f Form) Value(name string) string { return f.Values[name] }

// On reports whether the checkbox or switch was set.
func (f Form) On(name string) bool { return f.Values[name] != "" }

// has reports whether a choice is among those of a field with several.
func (f Form) has(name, choice string) bool {
	return slices.Contains(strings.Split(f.Values[name], ","), choice)
}

// Failed reports whether anything is wrong.
func (f Form) Failed() bool { return f.Problem != "" || len(f.Problems) > 0 }

// Field describes one labelled control. Name, Label are required; the rest has a sensible zero.
type Field struct {
	Name         string
	Label        string
	Hint         string
	Type         string // of the input; empty = text
	Placeholder  string
	Autocomplete string
	List         string // id of a datalist with what it may be
	InputMode    string
	Min, Max     string
	Step         string // of numbers; empty = 1
	MaxLength    string
	Unit         string // shown behind the input
	Rows         string // of a textarea; empty = 3
	Required     bool
	Optional     bool // says so beside the label
	Mono         bool
	Options      []Option
}

// Option is one choice of a select or of a group of radio buttons.
type Option struct {
	Value string
	Label string
	Hint  string // for radio cards
}

func (f Field) id() string { return "f-" + f.Name }

// direction is which way the content runs: as its own letters do, or for what is not prose always from the left.
func (f Field) direction() string {
	if f.Mono || f.kind() != "text" {
		return "ltr"
	}
	return "auto"
}

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) rows() string {
	if f.Rows == "" {
		return "3"
	}
	return f.Rows
}

// describedBy names the elements that explain the field, for aria-describedby.
func (f Field) describedBy(form Form) string {
	var ids []string
	if form.Problems[f.Name] != "" {
		ids = append(ids, f.id()+"-problem")
	}
	if f.Hint != "" {
		ids = append(ids, f.id()+"-hint")
	}
	return strings.Join(ids, " ")
}

// Initials are up to two letters to stand for a name.
func Initials(name string) string {
	var out []rune
	for _, word := range strings.Fields(name) {
		r := []rune(word)[0]
		if r == '@' || r == '<' {
			continue
		}
		out = append(out, r)
		if len(out) == 2 {
			break
		}
	}
	if len(out) == 0 {
		return "?"
	}
	return strings.ToUpper(string(out))
}
