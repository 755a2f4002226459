package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/parley-chat/parley/domain"
)

const mostInstructions = 1 << 20 // bytes of a file with instructions

func readAll(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, mostInstructions))
	return strings.TrimSpace(string(b)), err
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func isAre(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return count(n, noun) + " are"
}

func (c *replayCmd) print(w io.Writer, played []domain.Replay, sum domain.ReplaySum) error {
	if !c.JSON {
		_, err := fmt.Fprintf(w, "%s, %s: %d same, %d changed (%d equivalent), %d failed, %d new. %s. $%.4f.\n", count(len(played), "thread"), count(sum.Answers, "answer"),
			sum.Same, sum.Changed, sum.Equivalent, sum.Failed, sum.New, count(sum.Regressions, "regression"), sum.CostUSD)
		return err
	}
	list := make([]map[string]any, len(played))
	for i, r := range played {
		turns := make([]map[string]any, len(r.Turns))
		for j, t := range r.Turns {
			turns[j] = map[string]any{
				"from_seq": t.FromSeq, "to_seq": t.ToSeq, "asked": t.Asked, "then": t.Then, "now": t.Now, "outcome": t.Outcome, "error": t.Error,
				"note": t.Note, "verdict": t.Verdict, "reason": t.Reason, "regressed": t.Regressed(), "ms": t.MS, "prompt_tokens": t.PromptTokens,
				"completion_tokens": t.CompletionTokens, "cost_usd": t.CostUSD, "recorded": t.Recorded, "live": t.Live, "withheld": t.Withheld,
			}
		}
		list[i] = map[string]any{"id": r.ID, "thread_id": r.ThreadID, "agent_id": r.AgentID, "agent": r.AgentName, "golden": r.GoldenID != "",
			"status": r.Status, "error": r.Error, "answers": turns}
	}
	return json.NewEncoder(w).Encode(map[string]any{"replays": list, "summary": sum})
}

func printReplay(w io.Writer, r domain.Replay) {
	fmt.Fprintf(w, "Thread %s, answered by %s\n", r.ThreadID, r.AgentName)
	for _, t := range r.Turns {
		how := string(t.Outcome)
		if t.Regressed() {
			how = strings.ToUpper(how)
		}
		fmt.Fprintf(w, "  #%d  %s  (%.0f ms", t.ToSeq, how, t.MS)
		if t.CostUSD > 0 {
			fmt.Fprintf(w, ", $%.4f", t.CostUSD)
		}
		fmt.Fprintln(w, ")")
		if t.Outcome == domain.AnswerSame {
			continue
		}
		indented(w, "    ? ", t.Asked)
		for _, line := range lineDifference(said(t.Then), said(t.Now)) {
			fmt.Fprintf(w, "    %s\n", line)
		}
		indented(w, "    expected: ", t.Note)
		indented(w, "    failed: ", t.Error)
		if t.Verdict != domain.VerdictNone {
			fmt.Fprintf(w, "    judge: %s, %s\n", t.Verdict, oneLineOf(t.Reason))
		}
	}
	if r.Error != "" {
		fmt.Fprintf(w, "  stopped: %s\n", oneLineOf(r.Error))
	}
}

// said is an answer as lines.
func said(a domain.Answer) []string {
	lines := strings.Split(printable(a.Text()), "\n")
	if a.Text() == "" {
		lines = nil
	}
	if a.Handoff != "" {
		lines = append(lines, "[asks for a person]")
	}
	return lines
}

func indented(w io.Writer, lead, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(printable(text), "\n") {
		fmt.Fprintf(w, "%s%s\n", lead, line)
	}
}

func oneLineOf(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// printable keeps a visitor's or a model's words from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, s)
}

// lineDifference is how some lines became others: each with "  ", "- " or "+ " before it.
func lineDifference(a, b []string) (out []string) {
	common := make([][]int, len(a)+1) // common[i][j] is how many lines a[i:] and b[j:] share in order
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, "  "+a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			out = append(out, "- "+a[i])
			i++
		default:
			out = append(out, "+ "+b[j])
			j++
		}
	}
	return out
}
