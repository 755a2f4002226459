package widget

import (
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// untold is what of an answer its pieces have not told: all of it when the agent wrote it in one go. There are clients that show nothing
// but the pieces, so together they are the answer. Pieces that were lost, or that the answer does not begin with, are left as they are:
// the end replaces them for whoever reads it.
func untold(q *question, a ledger.AnswerState, said []domain.Message) string {
	if !q.stream {
		return ""
	}
	whole := make([]string, len(said))
	for i, m := range said {
		whole[i] = m.Content
	}
	told := q.told
	if q.turn != a.Turn { // of an attempt that came to nothing
		told = ""
	}
	rest, ok := strings.CutPrefix(strings.Join(whole, "\n\n"), told)
	if !ok {
		return ""
	}
	return rest
}
