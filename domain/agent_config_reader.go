package domain

import (
	"encoding/json"
	"maps"
)

// configReader reads one config object key by key, so that every bad key is named and unknown ones do no harm.
type configReader struct {
	values   map[string]json.RawMessage // never nil
	problems agentProblems
}

func readConfig(raw json.RawMessage, p agentProblems) *configReader {
	r := &configReader{problems: p}
	if len(raw) > 0 && json.Unmarshal(raw, &r.values) != nil {
		p.add("config", "must be an object")
	}
	if r.values == nil { // absent or null
		r.values = map[string]json.RawMessage{}
	}
	return r
}

// readKey decodes a key into a value that holds its default, which an absent key or null leaves alone.
func readKey[T any](r *configReader, key string, into *T, want string) {
	raw, ok := r.values[key]
	if !ok || string(raw) == "null" {
		return
	}
	value := *into
	if json.Unmarshal(raw, &value) != nil {
		r.problems.add("config."+key, want)
		return
	}
	*into = value
}

// over is a reader of what is stored with the given keys laid over it.
func (r *configReader) over(stored json.RawMessage) *configReader {
	values := readConfig(stored, agentProblems{}).values
	maps.Copy(values, r.values)
	return &configReader{values: values, problems: r.problems}
}

// public is the config without its secrets, with its defaults filled in and unknown keys dropped.
func (r *configReader) public(rules configRules) json.RawMessage {
	raw, err := json.Marshal(rules.read(r))
	if err != nil { // a number JSON cannot hold; the reader refuses those
		r.problems.add("config", "could not be read")
	}
	return raw
}

// secretsOf are the stored secrets with the given ones laid over them, as Agent.Secrets holds both.
func (r *configReader) secretsOf(rules configRules, stored map[string]string) map[string]string {
	switch {
	case len(rules.secrets) > 0:
		return r.secretsOver(rules.secrets, stored)
	case rules.headers:
		if _, replaced := r.values["headers"]; replaced || stored == nil {
			return keepMasked(r.headers(), stored)
		}
	}
	return stored
}

// keepMasked fills in the stored value wherever the fresh one says to keep it.
func keepMasked(fresh, stored map[string]string) map[string]string {
	for key, value := range fresh {
		if old, ok := stored[key]; ok && (value == "" || value == Masked) {
			fresh[key] = old
		}
	}
	return fresh
}
