package agent

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

// Wherever a stream is cut into pieces, the same answer and the same thoughts come out.
func TestThoughtsAreNotSaid(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{ // "answer|thoughts"
		"Hello":                                 "Hello|",
		"<think>hm, a secret</think>\n\nHello":  "Hello|hm, a secret",
		"\n<think>\na < b\n</think>Hello":       "Hello|\na < b\n",
		"<think></think>Hello":                  "Hello|",
		"<think>never ends":                     "|never ends",
		"<thi":                                  "<thi|",
		"<thinking> is a word":                  "<thinking> is a word|",
		"  Hello":                               "  Hello|",
		"Write <think>this</think>":             "Write <think>this</think>|",
		"<think>a</think>b <think>c</think>":    "b <think>c</think>|a",
		"<think>a</thinkb</think> c":            "c|a</thinkb",
		"<think>one</think> two </think> three": "two </think> three|one",
		"<think>" + strings.Repeat("x", 9) + "ééééé</think>é": "é|" + strings.Repeat("x", 9) + "ééééé",
	} {
		for size := 1; size <= len(said); size++ {
			var th thoughts
			var answer, thinks strings.Builder
			take := func(a, b string) {
				answer.WriteString(a)
				thinks.WriteString(b)
			}
			for at := 0; at < len(said); at += size {
				take(th.pass(said[at:min(at+size, len(said))]))
			}
			take(th.rest())
			if got := answer.String() + "|" + thinks.String(); got != want {
				t.Errorf("%q in pieces of %d: %q, want %q", said, size, got, want)
			}
		}
	}
}

// Thoughts are shown while they come, and no character of them is cut in two.
func TestThoughtsAreShownWhole(t *testing.T) {
	t.Parallel()
	var th thoughts
	_, first := th.pass("<think>" + strings.Repeat("é", 20))
	if first == "" || !utf8.ValidString(first) {
		t.Errorf("shown %q", first)
	}
	_, rest := th.pass("é</think>yes")
	if first+rest != strings.Repeat("é", 21) {
		t.Errorf("shown %q and %q", first, rest)
	}
}

func TestModelThinks(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]act{
		"reasoning_content": chunks(thinks("reasoning_content", "a sec"), thinks("reasoning_content", "ret"), text("Hello"), finished, over),
		"reasoning":         chunks(thinks("reasoning", "a secret"), text("Hello"), finished, over),
		"both":              chunks(`{"choices":[{"delta":{"reasoning":"a secret","reasoning_content":"a secret"}}]}`, text("Hello"), finished, over),
		"marks":             chunks(text("<think>a secret</think>"), text("Hello"), finished, over),
		"no stream": refuse(200, `{"choices":[{"message":{"reasoning":"a secret","content":"Hello"},"finish_reason":"stop"}]}`,
			"Content-Type", "application/json"),
		"odd": chunks(`{"choices":[{"delta":{"reasoning":{"text":"no"},"reasoning_content":7}}]}`, thinks("reasoning", "a secret"), text("Hello"), finished, over),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, does)
			sink := &deltas{}
			got, err := askModel(t, modelAgent(m.URL), Deps{}, 0, chat("?: hi"), sink)
			if err != nil || got.Reply == nil || got.Reply.Content != "Hello" {
				t.Fatalf("%+v, %v", got.Reply, err)
			}
			if sink.thought != "a secret" || strings.Contains(sink.text, "secret") {
				t.Errorf("thought %q, said %q", sink.thought, sink.text)
			}
			if d := stepsOf(&sink.tape, domain.ModelCall)[0]; strings.Contains(fmt.Sprint(d), "secret") {
				t.Errorf("thoughts are on record: %v", d)
			}
		})
	}
}

func thinks(name, words string) string {
	return fmt.Sprintf(`{"choices":[{"delta":{%q:%q}}]}`, name, words)
}
