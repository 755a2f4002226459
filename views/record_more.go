package views

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

// passage is one place that a search has found.
type passage struct {
	Title      string  `json:"title"`
	URL        string  `json:"url"`
	Snippet    string  `json:"snippet"`
	Confidence float64 `json:"confidence"`
}

// percent is a confidence as people say it.
func (p passage) percent() string { return percent(p.Confidence) }

func percent(c float64) string { return fmt.Sprintf("%.0f %%", c*100) }

// labelled is a text with what it is.
type labelled struct{ label, text string }

// more takes out of a detail what is worth showing by itself.
func (h *happening) more(i domain.TimelineItem) {
	f := detail(i)
	h.took, h.answers = f.number("ms"), i.Kind == domain.ReplyStored && f["fallback"] != true
	if i.Kind == domain.ModelCall {
		h.tokens, h.cost = f.number("prompt_tokens")+f.number("completion_tokens"), f.number("cost_usd")
	}
	switch i.Kind {
	case domain.ToolResult:
		h.found = passages(i)
	case domain.ModelCall:
		h.words = spokenWords(f)
	case domain.SuggestionEdited:
		h.diff = difference(f.text("draft"), f.text("sent"))
	}
}

func passages(i domain.TimelineItem) []passage {
	var d struct {
		Passages []passage `json:"passages"`
	}
	_ = json.Unmarshal(i.Detail, &d) // a detail of another shape has none
	return d.Passages
}

// spokenWords are a model's instructions and its answer, where the organisation keeps them.
func spokenWords(f fields) []labelled {
	var out []labelled
	switch prompt := f["prompt"].(type) {
	case string:
		out = append(out, labelled{"What the model was told", prompt})
	case []any:
		for _, one := range prompt {
			m, _ := one.(map[string]any)
			role, _ := m["role"].(string)
			if text := asText(m["content"]); text != "" {
				out = append(out, labelled{promptRole(role), text})
			}
		}
	case nil:
	default:
		out = append(out, labelled{"What the model was told", asText(prompt)})
	}
	if text := asText(f["response"]); text != "" {
		out = append(out, labelled{"What the model said", text})
	}
	return out
}

func asText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(raw)
}

// promptRole says in the words of people who speaks in a prompt.
func promptRole(role string) string {
	switch role {
	case "system", "developer":
		return "Instructions"
	case "user":
		return "The visitor"
	case "assistant":
		return "The model, before"
	case "tool":
		return "A tool’s answer"
	}
	return "What the model was told"
}

// weigh puts what took time into proportion with what took longest.
func weigh(hs []happening) {
	longest := 0.0
	for _, h := range hs {
		longest = max(longest, h.took)
	}
	for i := range hs {
		if longest > 0 && hs[i].took > 0 {
			hs[i].share = max(2, 100*hs[i].took/longest)
		}
	}
}

// sumUp says at the head of each exchange what it came to: who answered, how soon, and for how much.
func (r Record) sumUp(hs []happening) {
	for at := 0; at < len(hs); at++ {
		if !hs[at].opens {
			continue
		}
		end := at + 1
		for end < len(hs) && !hs[end].opens {
			end++
		}
		hs[at].sum = summary(hs[at].at, hs[at:end])
	}
}

func summary(start time.Time, hs []happening) string {
	var parts []string
	tokens, cost := 0.0, 0.0
	for _, h := range hs {
		if h.answers && len(parts) == 0 {
			parts = append(parts, "Answered after "+strings.TrimPrefix(offset(h.at.Sub(start)), "+"))
		}
		tokens, cost = tokens+h.tokens, cost+h.cost
	}
	if tokens > 0 {
		parts = append(parts, fmt.Sprintf("%.0f tokens", tokens))
	}
	if cost > 0 {
		parts = append(parts, fmt.Sprintf("$%.4f", cost))
	}
	return strings.Join(parts, " · ")
}
