// Package chat is what people do in a thread. Visitors arrive, say something, ask for a person, identify themselves; the team
// replies, takes over, hands back, closes, and reads the inbox and the flight recorder. It must never give an agent its turn: it
// records what was said, and the ledger's dispatches do the rest.
package chat

import (
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
)

// Service does it all. It is safe for concurrent use and keeps nothing in memory but the last second's receipts, which Run stores, and
// who of the team writes just now.
type Service struct {
	ledger *ledger.Ledger
	relay  *relay.Relay
	log    *slog.Logger

	// Places finds out where visitors are; nil: nobody does. Set it before the service is used.
	Places *Places

	receipts receipts
	pens     pens
	reports  reports
}

// New makes the service.
func New(l *ledger.Ledger, r *relay.Relay, log *slog.Logger) *Service {
	s := &Service{ledger: l, relay: r, log: log, receipts: receipts{runs: map[receiptKey]*run{}}, pens: newPens(), reports: newReports()}
	r.OnHint(s.pens.heard)
	return s
}

const maxClientID = 64 // code points

// storable reports whether an id that a client chose can be stored unchanged. If it could not, two different ids could become the same
// one: encoding/json puts U+FFFD in the place of whatever is not UTF-8.
func storable(id string) bool { return utf8.ValidString(id) && !strings.ContainsAny(id, "\x00\uFFFD") }

// checkLine trims a line and refuses what nobody could answer. Only with files may it be blank.
func checkLine(clientID, content string, files ...domain.AttachmentID) (string, error) {
	content = strings.TrimSpace(domain.Storable(content))
	switch n := utf8.RuneCountInString(content); {
	case clientID == "" || utf8.RuneCountInString(clientID) > maxClientID || !storable(clientID):
		return "", domain.InvalidField("client_id", "must have 1 to 64 characters, all of them Unicode")
	case len(files) > domain.MaxAttachments:
		return "", domain.RejectAttachment("that is more than %d files: please send the others with another message", domain.MaxAttachments)
	case n == 0 && len(files) == 0:
		return "", &domain.Error{Kind: domain.Invalid, Code: domain.CodeEmptyContent, Msg: "write something first",
			Fields: map[string]string{"content": "must not be empty"}}
	case n > domain.MaxMessageChars:
		return "", &domain.Error{Kind: domain.Invalid, Code: domain.CodeTooLong, Msg: "that is too long, please shorten it to 4000 characters",
			Fields: map[string]string{"content": "must have at most 4000 characters"}}
	}
	return content, nil
}
