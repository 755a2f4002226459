package domain

import (
	"encoding/json"
	"strings"
	"time"
)

// Tape is a thread as its agents met it: what a replay needs, and nothing that changes afterwards.
type Tape struct {
	Channel   string     `json:"channel"`
	WidgetID  WidgetID   `json:"widget_id,omitempty"`
	Bound     AgentID    `json:"bound,omitempty"` // the agent that was to answer when the tape was made
	Contact   Known      `json:"contact"`
	Page      Page       `json:"page"`
	Locale    string     `json:"locale,omitempty"`
	Timezone  string     `json:"timezone,omitempty"`
	Lines     []Message  `json:"lines"`
	Exchanges []Exchange `json:"exchanges"`
}

// Known is what agents knew of a contact.
type Known struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Exchange is some lines of a visitor and what was said to them.
type Exchange struct {
	FromSeq int64    `json:"from_seq"`
	ToSeq   int64    `json:"to_seq"`
	Turn    TurnID   `json:"turn_id,omitempty"` // empty: no agent answered them
	Agent   AgentID  `json:"agent_id,omitempty"`
	Then    Answer   `json:"then"`
	Lookups []Lookup `json:"lookups,omitempty"`
	Details []Detail `json:"details,omitempty"`
	Note    string   `json:"note,omitempty"` // what a good answer has, in a person's words
}

// Asked is what the visitor wrote in an exchange; of files alone their names.
func (t Tape) Asked(x Exchange) string {
	var lines []string
	for _, m := range t.Lines {
		if m.Direction != Inbound || m.Seq < x.FromSeq || m.Seq > x.ToSeq {
			continue
		}
		words := m.Content
		for _, a := range m.Attachments {
			words = strings.TrimSpace(words + " [" + a.Name + "]")
		}
		lines = append(lines, words)
	}
	return strings.Join(lines, "\n")
}

// Answer is what was said to some lines, or would be.
type Answer struct {
	Replies []string   `json:"replies,omitempty"`
	Handoff string     `json:"handoff,omitempty"` // why a person was asked for; empty: none was
	By      AuthorKind `json:"by,omitempty"`      // who said it, if it was no agent
	Draft   bool       `json:"draft,omitempty"`   // it was only suggested
}

// Text is all that was said.
func (a Answer) Text() string { return strings.TrimSpace(strings.Join(a.Replies, "\n\n")) }

// Same reports whether a visitor would see no difference: the same words, and a person asked for or not. Why a person is asked for
// is for the team; whether one is asked for beside a draft was never recorded.
func (a Answer) Same(b Answer) bool {
	return a.Text() == b.Text() && (a.Draft || b.Draft || (a.Handoff == "") == (b.Handoff == ""))
}

// Lookup is a search that a turn made in the knowledge, and what it found.
type Lookup struct {
	Query    string    `json:"query"`
	Passages []Passage `json:"passages"`
}

// Detail is what a turn wanted to keep about the contact, and whether it was kept.
type Detail struct {
	Known
	OK bool `json:"ok"`
}

// Override is what of an agent's config is another one in a replay. Where it talks to and with which key are never among it.
type Override struct {
	Instructions  *string  `json:"instructions,omitempty"` // of an openai agent: its system prompt
	Model         *string  `json:"model,omitempty"`
	Temperature   *float64 `json:"temperature,omitempty"`
	Greeting      *string  `json:"greeting,omitempty"`
	MinConfidence *float64 `json:"min_confidence,omitempty"`
}

// Over lays the override over an agent. It fails with Invalid for what its kind does not have.
func (o Override) Over(a Agent) (Agent, error) {
	has := map[AgentKind]string{AgentOpenAI: " instructions model temperature ", AgentBuiltin: " greeting min_confidence "}[a.Kind]
	config, problems := map[string]any{}, agentProblems{}
	give := func(field, key string, given bool, value any) {
		switch {
		case !given:
		case !strings.Contains(has, " "+field+" "):
			problems.add(field, "is nothing that an agent of kind "+string(a.Kind)+" has")
		default:
			config[key] = value
		}
	}
	give("instructions", "system_prompt", o.Instructions != nil, o.Instructions)
	give("model", "model", o.Model != nil, o.Model)
	give("temperature", "temperature", o.Temperature != nil, o.Temperature)
	give("greeting", "greeting", o.Greeting != nil, o.Greeting)
	give("min_confidence", "min_confidence", o.MinConfidence != nil, o.MinConfidence)
	if err := problems.err(); err != nil || len(config) == 0 {
		return a, err
	}
	raw, err := json.Marshal(config)
	if err != nil { // a number that JSON cannot hold
		return a, InvalidField("config", "could not be read")
	}
	return a.Configure(a.Kind, raw)
}

// Golden is a thread whose answers are to stay as good as they are.
type Golden struct {
	ID        GoldenID
	OrgID     OrgID
	ThreadID  ThreadID
	Tape      Tape
	MarkedBy  string
	CreatedAt time.Time
}

// Expectation is what a person expects of the answer to the lines up to a seq.
type Expectation struct {
	Seq  int64  `json:"seq"`
	Note string `json:"note"`
}

// MaxNoteChars bounds a note.
const MaxNoteChars = 500
