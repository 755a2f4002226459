package ledger

import (
	"errors"

	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
)

// A conversation's id is its thread's, enciphered: one block, so either leads to the other, but only with PARLEY_SECRET. Agents,
// programs and the whole team know threads by their ids, and so may whoever reads their logs; only the visitor is told this one.

// ConversationID is the name under which a thread's visitor alone knows it. It is a UUID in form and stays the same.
func (l *Ledger) ConversationID(thread domain.ThreadID) (string, error) {
	id, err := uuid.Parse(string(thread))
	switch {
	case err != nil:
		return "", classify(err)
	case l.seal == nil:
		return "", classify(errors.New("no PARLEY_SECRET: cannot name a conversation"))
	}
	l.seal.alias.Encrypt(id[:], id[:])
	return id.String(), nil
}

// ThreadOfConversation is the thread that a conversation's id names, if there is one. It fails with NotFound for what is no such id.
func (l *Ledger) ThreadOfConversation(conversation string) (domain.ThreadID, error) {
	id, err := uuid.Parse(conversation)
	if err != nil || l.seal == nil {
		return "", domain.NotFoundf("there is no such conversation")
	}
	l.seal.alias.Decrypt(id[:], id[:])
	return domain.ThreadID(id.String()), nil
}
