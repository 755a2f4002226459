package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
)

// Chatwoot is the transport "chatwoot": what is said in the thread of a conversation is posted there, under the account's token, drafts
// as private notes; and it is opened when its thread waits for a person. What
// may have arrived although nobody heard so is looked for before it is posted again, because Chatwoot itself would take it twice.
type Chatwoot struct {
	Ledger    *ledger.Ledger
	Outbound  *agent.Outbound
	PublicURL string        // scheme and host under which files are read
	Within    time.Duration // for one request; 0 = 15 s
}

const (
	chatwootWithin = 15 * time.Second
	chatwootTry    = 10 * time.Second // for whoever waits for the outcome
	chatwootRead   = 4 << 20          // bytes of an answer
	chatwootSkew   = 10 * time.Minute // by which the two clocks may differ when a message is looked for
)

// conversation is one of an account, with the way there.
type conversation struct {
	*Chatwoot
	channel domain.Channel
	config  domain.Chatwoot
	id      string

	handling domain.Handling // of its thread
}

// Send posts one message or note, or sets the status. What Chatwoot refuses for good (a 4xx but 408, 425 and 429, or a redirect) is not
// tried again by itself.
func (c *Chatwoot) Send(ctx context.Context, d ledger.Delivery) error {
	if d.ExternalID != "" { // Chatwoot has told of it itself
		return nil
	}
	var what ledger.ChatwootPost
	if err := json.Unmarshal(d.Payload, &what); err != nil {
		return &Undeliverable{errors.New("the payload does not say what to post")}
	}
	to, err := c.conversation(ctx, d.OrgID, d.ThreadID)
	switch {
	case err != nil:
		return err
	case !to.channel.Enabled:
		return errors.New("the account is switched off")
	case what.Status != "":
		return to.status(ctx, d, what.Status)
	}
	p, err := to.post(ctx, d, what)
	if err != nil {
		return err
	}
	if d.Unsure {
		if d.Reply.ExternalID, err = to.find(ctx, d, p); err != nil || d.Reply.ExternalID != "" {
			return err
		}
	}
	var posted struct {
		ID domain.ForeignID `json:"id"`
	}
	err = to.call(ctx, d.Reply, http.MethodPost, "/messages", map[string]any{"content": p.content, "message_type": "outgoing", "private": p.private,
		"content_type": "text", "content_attributes": map[string]any{}}, &posted)
	d.Reply.ExternalID = string(posted.ID)
	return err
}

// post is a message as it stands in Chatwoot.
type post struct {
	content string
	words   string // of content, by which it is known again
	private bool   // only the people there see it
	at      time.Time
}

// post reads what is to be posted.
func (to conversation) post(ctx context.Context, d ledger.Delivery, what ledger.ChatwootPost) (post, error) {
	if what.Note != nil {
		if what.Note.Content == "" {
			return post{}, &Undeliverable{errors.New("the draft was posted before, and its words are not kept")}
		}
		note := chatwootNote(*what.Note)
		return post{note, note, true, d.CreatedAt}, nil
	}
	m, err := to.Ledger.Message(ctx, d.OrgID, d.ThreadID, what.MessageID)
	if err != nil {
		return post{}, errors.New("the message could not be read from the database")
	}
	return post{chatwootContent(m, to.PublicURL), m.Content, false, m.CreatedAt}, nil
}

// status sets the conversation's status, unless nobody is to look after it any more. Where Chatwoot knows no such conversation there is
// none to look after either.
func (to conversation) status(ctx context.Context, d ledger.Delivery, status string) error {
	if to.handling != domain.HandlingWaiting && to.handling != domain.HandlingHuman {
		return nil
	}
	err := to.call(ctx, d.Reply, http.MethodPost, "/toggle_status", map[string]any{"status": status}, nil)
	if d.Reply.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// chatwootNote is a draft for the people there, with what it rests on.
func chatwootNote(n ledger.ChatwootNote) string {
	parts := []string{fmt.Sprintf("**%s suggests:**\n\n%s", cmp.Or(n.Agent, "The agent"), strings.TrimSpace(n.Content))}
	var sources []string
	for _, c := range n.Citations {
		if c.URL != "" {
			sources = append(sources, fmt.Sprintf("- [%s](%s)", cmp.Or(c.Title, c.URL), c.URL))
		} else if c.Title != "" {
			sources = append(sources, "- "+c.Title)
		}
	}
	if len(sources) > 0 {
		parts = append(parts, "Sources:\n"+strings.Join(sources, "\n"))
	}
	return strings.Join(parts, "\n\n")
}

// chatwootContent is a message as text: Chatwoot reads Markdown as it is, and files by their addresses.
func chatwootContent(m domain.Message, origin string) string {
	parts := []string{m.Content}
	for _, a := range domain.AttachmentsAt(origin, m.Attachments) {
		parts = append(parts, a.URL)
	}
	return strings.TrimSpace(strings.Join(parts, "\n"))
}

func (c *Chatwoot) conversation(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (conversation, error) {
	t, channel, err := c.Ledger.ChatwootConversation(ctx, org, thread)
	if err != nil {
		return conversation{}, errors.New("the conversation could not be read from the database")
	}
	id, ok := domain.ChatwootConversation(t.CorrelationKey)
	switch {
	case !ok:
		return conversation{}, &Undeliverable{errors.New("this conversation has not come from Chatwoot, so there is none there to write in")}
	case channel.ID == "":
		return conversation{}, &Undeliverable{errors.New("the account was deleted")}
	}
	return conversation{c, channel, channel.Chatwoot(), id, t.Handling}, nil
}

// find looks for a post among the newest of the conversation; empty: it is not there.
func (to conversation) find(ctx context.Context, d ledger.Delivery, sent post) (external string, err error) {
	var page struct {
		Payload []struct {
			ID          domain.ForeignID `json:"id"`
			Content     string           `json:"content"`
			MessageType any              `json:"message_type"` // outgoing or 1
			CreatedAt   any              `json:"created_at"`   // unix seconds
			Private     bool             `json:"private"`
		} `json:"payload"`
	}
	reply := &ledger.DeliveryReply{}
	if err := to.call(ctx, reply, http.MethodGet, "/messages", nil, &page); err != nil {
		if reply.Status/100 == 4 && reply.Status != http.StatusTooManyRequests { // it does not tell: better twice than never
			return "", nil
		}
		return "", err
	}
	var like []string
	for _, p := range slices.Backward(page.Payload) {
		at, known := p.CreatedAt.(float64)
		late := known && time.Unix(int64(at), 0).Before(sent.at.Add(-chatwootSkew))
		if p.Private == sent.private && p.ID != "" && (p.MessageType == "outgoing" || p.MessageType == 1.0) && !late && ledger.SameWords(sent.words, p.Content) {
			like = append(like, string(p.ID))
		}
	}
	if len(like) == 0 {
		return "", nil
	}
	others, err := to.Ledger.PostedAs(ctx, d.OrgID, d.ThreadID, like)
	if err != nil {
		return "", errors.New("what was posted before could not be read from the database")
	}
	for _, id := range like {
		if !others[id] {
			return id, nil
		}
	}
	return "", nil
}

// typing switches the sign on or off that somebody writes.
func (to conversation) typing(ctx context.Context, on bool) error {
	status := map[bool]string{true: "on", false: "off"}[on]
	return to.call(ctx, &ledger.DeliveryReply{}, http.MethodPost, "/toggle_typing_status", map[string]any{"typing_status": status, "is_private": false}, nil)
}

func (to conversation) call(ctx context.Context, reply *ledger.DeliveryReply, method, tail string, body, into any) error {
	return to.Chatwoot.call(ctx, to.channel, reply, method, "/conversations/"+url.PathEscape(to.id)+tail, body, into)
}

// call asks an account something. into may be nil; an answer of another shape than that counts as one that says nothing.
func (c *Chatwoot) call(ctx context.Context, channel domain.Channel, reply *ledger.DeliveryReply, method, path string, body, into any) error {
	within := cmp.Or(c.Within, chatwootWithin)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return &Undeliverable{errors.New("the message cannot be encoded")}
		}
		send = bytes.NewReader(b)
	}
	at := channel.Chatwoot()
	r, err := http.NewRequestWithContext(ctx, method, at.BaseURL+"/api/v1/accounts/"+url.PathEscape(at.AccountID)+path, send)
	if err != nil {
		return &Undeliverable{errors.New("its address is not usable")}
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {"Parley"}, "api_access_token": {channel.Token}}
	resp, err := c.Outbound.Client().Do(r)
	if err != nil {
		return unheard(ctx, err, within)
	}
	defer resp.Body.Close()
	reply.Status = resp.StatusCode
	said, err := io.ReadAll(io.LimitReader(resp.Body, chatwootRead))
	if err := posted(resp); err != nil {
		reply.Body = strings.ToValidUTF8(string(said[:min(len(said), answerKept)]), "")
		return err
	}
	if err == nil && into != nil {
		_ = json.Unmarshal(said, into)
	}
	return nil
}

// posted is nil for an answer that says so.
func posted(resp *http.Response) error {
	why := fmt.Errorf("it answered with status %d", resp.StatusCode)
	switch s := resp.StatusCode; {
	case s/100 == 2:
		return nil
	case s/100 == 3:
		return &Undeliverable{fmt.Errorf("%w: redirects are not followed, check the address", why)}
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return &Undeliverable{fmt.Errorf("%w: check the access token", why)}
	case s == http.StatusNotFound:
		return &Undeliverable{fmt.Errorf("%w: there is no such account or conversation", why)}
	case s/100 == 4 && s != http.StatusRequestTimeout && s != http.StatusTooEarly && s != http.StatusTooManyRequests:
		return &Undeliverable{why}
	}
	if wait := agent.RetryAfter(resp.Header); wait > 0 {
		return &Later{why, wait}
	}
	return why
}

// Try asks a Chatwoot for its inboxes, to see whether it is there and takes the token.
func (c *Chatwoot) Try(ctx context.Context, channel domain.Channel) domain.ChannelTest {
	var page struct {
		Payload []struct {
			ID   domain.ForeignID `json:"id"`
			Name string           `json:"name"`
		} `json:"payload"`
	}
	out := domain.ChannelTest{Inboxes: []domain.ChannelInbox{}}
	ctx, cancel := context.WithTimeout(ctx, chatwootTry)
	defer cancel()
	began := time.Now()
	err := c.call(ctx, channel, &ledger.DeliveryReply{}, http.MethodGet, "/inboxes", nil, &page)
	out.MS = float64(time.Since(began).Microseconds()) / 1000
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.OK = true
	for _, p := range page.Payload {
		out.Inboxes = append(out.Inboxes, domain.ChannelInbox{ID: string(p.ID), Name: p.Name})
	}
	return out
}

// originOf is what a turn's conversation is called in its Chatwoot.
func originOf(b ledger.Briefing) *agent.Origin {
	o := &agent.Origin{ConversationID: b.Conversation, MessageIDs: map[domain.MessageID]string{}}
	for _, m := range b.Messages { // what the last line told counts
		f, ok := b.Foreign[m.ID]
		if !ok {
			continue
		}
		o.MessageIDs[m.ID] = f.ExternalID
		var told struct {
			Conversation struct {
				InboxID    domain.ForeignID `json:"inbox_id"`
				Channel    string           `json:"channel"`
				Attributes json.RawMessage  `json:"additional_attributes"`
			} `json:"conversation"`
			Sender struct {
				ID domain.ForeignID `json:"id"`
			} `json:"sender"`
		}
		if json.Unmarshal(f.Payload, &told) != nil {
			continue
		}
		o.InboxID, o.SenderID, o.Channel, o.Attributes = string(told.Conversation.InboxID), string(told.Sender.ID), told.Conversation.Channel, told.Conversation.Attributes
	}
	return o
}
