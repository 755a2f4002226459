package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
)

// ReplyURL is the transport "reply_url": what is said in the threads of a generic channel goes to where the channel is by then. The
// body is {event: "message", message, thread, contact, channel}; deliveryHeader names the delivery, so that one that comes again can be told.
// Any 2xx takes it; 410 gives it up, and so does a channel that is gone.
type ReplyURL struct {
	Ledger    *ledger.Ledger
	Outbound  *agent.Outbound
	PublicURL string // scheme and host under which files are read
}

const (
	deliveryHeader = "X-Parley-Delivery"
	answerKept     = 2 << 10  // bytes of an answer that the log keeps
	answerRead     = 64 << 10 // bytes of an answer, so that its connection can be used again
)

// A channelMessage and what is in it are shaped as the REST API shows them.
type channelMessage struct {
	Event   string        `json:"event"`
	Message messageShown  `json:"message"`
	Thread  threadShown   `json:"thread"`
	Contact *contactShown `json:"contact"`
	Channel string        `json:"channel"`
}

type messageShown struct {
	Seq         int64               `json:"seq"`
	ID          domain.MessageID    `json:"id"`
	ThreadID    domain.ThreadID     `json:"thread_id"`
	Direction   domain.Direction    `json:"direction"`
	Author      domain.Author       `json:"author"`
	Content     string              `json:"content"`
	ContentType domain.ContentType  `json:"content_type"`
	Citations   []domain.Citation   `json:"citations,omitempty"`
	Attachments []domain.Attachment `json:"attachments,omitempty"`
	CreatedAt   string              `json:"created_at"`
}

type threadShown struct {
	ID            domain.ThreadID  `json:"id"`
	Channel       string           `json:"channel"`
	ContactID     domain.ContactID `json:"contact_id"`
	Handling      domain.Handling  `json:"handling"`
	AssigneeID    *domain.UserID   `json:"assignee_id"`
	LastSeq       int64            `json:"last_seq"`
	LastMessageAt string           `json:"last_message_at"`
	Labels        []string         `json:"labels"`
}

type contactShown struct {
	ID         domain.ContactID `json:"id"`
	Name       string           `json:"name"`
	Email      string           `json:"email"`
	Phone      string           `json:"phone"`
	ExternalID string           `json:"external_id"`
}

const stampLayout = "2006-01-02T15:04:05.000Z"

// Send posts one message.
func (r *ReplyURL) Send(ctx context.Context, d ledger.Delivery) error {
	c, err := r.Ledger.Channel(ctx, d.OrgID, domain.ChannelID(d.Target))
	if err != nil {
		if domain.KindOf(err) == domain.NotFound {
			return &Undeliverable{errors.New("the channel was deleted")}
		}
		return err
	}
	if c.ReplyURL == "" || !c.Enabled {
		return errors.New("the channel is switched off or has no reply URL")
	}
	body, err := r.body(ctx, c, d)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.ReplyURL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the reply URL is not usable")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Parley")
	req.Header.Set(deliveryHeader, string(d.ID))
	if c.Secret != "" {
		req.Header.Set(agent.SignatureHeader, agent.Signature(time.Now(), body, c.Secret))
	}
	resp, err := r.Outbound.Client().Do(req)
	if err != nil {
		return unheard(ctx, err, deliveryWithin)
	}
	defer func() { _ = resp.Body.Close() }()
	said, err := io.ReadAll(io.LimitReader(resp.Body, answerKept))
	d.Reply.Status, d.Reply.Body = resp.StatusCode, strings.ToValidUTF8(string(said), "")
	if err == nil {
		_, _ = io.CopyN(io.Discard, resp.Body, answerRead)
	}
	return taken(resp)
}

func (r *ReplyURL) body(ctx context.Context, c domain.Channel, d ledger.Delivery) ([]byte, error) {
	var of struct {
		MessageID domain.MessageID `json:"message_id"`
	}
	if err := json.Unmarshal(d.Payload, &of); err != nil {
		return nil, &Undeliverable{err}
	}
	t, err := r.Ledger.Thread(ctx, d.OrgID, d.ThreadID)
	if err != nil {
		return nil, err
	}
	m, err := r.Ledger.Message(ctx, d.OrgID, d.ThreadID, of.MessageID)
	if err != nil {
		return nil, err
	}
	out := channelMessage{Event: "message", Channel: c.Name,
		Message: messageShown{Seq: m.Seq, ID: m.ID, ThreadID: m.ThreadID, Direction: m.Direction, Author: m.Author, Content: m.Content, ContentType: m.ContentType,
			Citations: m.Citations, Attachments: domain.AttachmentsAt(r.PublicURL, m.Attachments), CreatedAt: m.CreatedAt.UTC().Format(stampLayout)},
		Thread: threadShown{ID: t.ID, Channel: t.Channel, ContactID: t.ContactID, Handling: t.Handling, LastSeq: t.LastSeq,
			LastMessageAt: t.LastMessageAt.UTC().Format(stampLayout), Labels: append([]string{}, t.Labels...)},
	}
	if t.AssigneeID != "" {
		out.Thread.AssigneeID = &t.AssigneeID
	}
	if t.ContactID != "" {
		who, err := r.Ledger.Contact(ctx, d.OrgID, t.ContactID)
		if err != nil {
			return nil, err
		}
		out.Contact = &contactShown{who.ID, who.Name, who.Email, who.Phone, who.ExternalID}
	}
	return json.Marshal(out)
}
