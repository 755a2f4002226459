package agent

import (
	"strings"
	"testing"
)

// Wherever a stream is cut into pieces, the same answer comes out.
func TestThoughtsAreNotSaid(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"Hello":                                          "Hello",
		"<think>hm, a secret</think>\n\nHello":           "Hello",
		"\n<think>\na < b\n</think>Hello":                "Hello",
		"<think></think>Hello":                           "Hello",
		"<think>never ends":                              "",
		"<thi":                                           "<thi",
		"<thinking> is a word":                           "<thinking> is a word",
		"  Hello":                                        "  Hello",
		"Write <think>this</think>":                      "Write <think>this</think>",
		"<think>a</think>b <think>c</think>":             "b <think>c</think>",
		"<think>a</thinkb</think> c":                     "c",
		"<think>one</think> two </think> three":          "two </think> three",
		"<think>" + strings.Repeat("x", 9) + "</think>é": "é",
	} {
		for size := 1; size <= len(said); size++ {
			var th thoughts
			var out strings.Builder
			for at := 0; at < len(said); at += size {
				out.WriteString(th.pass(said[at:min(at+size, len(said))]))
			}
			out.WriteString(th.rest())
			if out.String() != want {
				t.Errorf("%q in pieces of %d: %q, want %q", said, size, out.String(), want)
			}
		}
	}
}
