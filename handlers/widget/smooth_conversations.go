package widget

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/dialect"
)

func (c *smoothTalk) conversations(ctx context.Context, cmd dialect.ListConversations) (dialect.Event, error) {
	out := dialect.Conversations{RequestID: cmd.RequestID}
	if c.known == nil {
		return out, nil
	}
	f, err := c.listed(cmd)
	if err != nil {
		return nil, err
	}
	ts, err := c.s.chat.Conversations(ctx, c.known, f)
	if err == nil && len(ts) > cmd.Limit {
		ts = ts[:cmd.Limit]
		if out.Next, err = c.after(ts[cmd.Limit-1]); err != nil {
			return nil, err
		}
	}
	for _, t := range ts {
		id, err := c.s.chat.ConversationID(t.ID)
		if err != nil {
			return nil, err
		}
		out.List = append(out.List, dialect.Conversation{ID: id, Title: cmp.Or(t.Title, t.First), UpdatedAt: t.LastMessageAt, Messages: t.LastSeq})
	}
	return out, err
}

// listed is which conversations a client wants, and one more, by which it is known whether there are more.
func (c *smoothTalk) listed(cmd dialect.ListConversations) (f ledger.BegunFilter, err error) {
	f = ledger.BegunFilter{Query: cmd.Query, Limit: cmd.Limit + 1}
	if cmd.Cursor == "" {
		return f, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cmd.Cursor)
	at, id, _ := strings.Cut(string(raw), "|")
	if err == nil {
		f.Before, err = time.Parse(time.RFC3339Nano, at)
	}
	if err == nil {
		f.BeforeID, err = c.s.chat.ThreadOf(id)
	}
	if err != nil {
		return f, domain.InvalidField("'cursor'", "is not one that a list has given")
	}
	return f, nil
}

// after is the cursor of the page after a conversation.
func (c *smoothTalk) after(t ledger.Begun) (string, error) {
	id, err := c.s.chat.ConversationID(t.ID)
	return base64.RawURLEncoding.EncodeToString([]byte(t.LastMessageAt.UTC().Format(time.RFC3339Nano) + "|" + id)), err
}

func (c *smoothTalk) rename(ctx context.Context, cmd dialect.RenameConversation) (dialect.Event, error) {
	err := error(domain.NotFoundf("there is no such conversation"))
	if c.known != nil {
		err = c.s.chat.Rename(ctx, c.known, cmd.ConversationID, cmd.Title)
	}
	if err != nil && domain.KindOf(err) == domain.NotFound {
		err = refused(dialect.SmoothConversationNotFound, fmt.Sprintf("conversation '%s' not found", cmd.ConversationID))
	}
	return dialect.Renamed{RequestID: cmd.RequestID, Conversation: cmd.ConversationID, Title: cmd.Title}, err
}
