package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// Tagged is an answer about one thing, with the tag of the state it shows.
type Tagged[T any] struct {
	ETag string `header:"ETag" doc:"Names this state. Give it as If-Match with a change that is to be made only if nothing else has changed." example:"\"mF0aPpY1v3tq9cWJb2sE8g\""`
	Body T
}

func tagged[T any](shown T) *Tagged[T] { return &Tagged[T]{tagOf(shown), shown} }

// tagOf names what an answer shows: another tag means that something in it has changed.
func tagOf(shown any) string {
	b, err := json.Marshal(shown)
	if err != nil {
		panic(err) // what the house shows can be encoded
	}
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// tagBeside is the tag of an answer that shows more than a change is about: If-Match looks only at what is to be changed, the part
// before the point.
func tagBeside(changes, shown any) string {
	return strings.TrimSuffix(tagOf(changes), `"`) + "." + strings.TrimPrefix(tagOf(shown), `"`)
}

// Match makes a change depend on what the caller has seen.
type Match struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the state that the change is meant for; if it is another by now, the answer is 412 and nothing changes." example:"*"`
}

// check fails with Outdated unless what there is now is what the caller has seen, or they do not mind.
func (m Match) check(shown any) error {
	if strings.TrimSpace(m.IfMatch) == "" {
		return nil
	}
	now := tagOf(shown)
	for tag := range strings.SplitSeq(m.IfMatch, ",") {
		if before, beside, of := strings.Cut(tag, "."); of && strings.HasSuffix(beside, `"`) { // see tagBeside
			tag = before + `"`
		}
		if tag = strings.TrimSpace(tag); tag == "*" || tag == now {
			return nil
		}
	}
	return outdated
}

var outdated = &domain.Error{Kind: domain.Outdated, Msg: "it has changed since you read it: read it again, then decide"}
