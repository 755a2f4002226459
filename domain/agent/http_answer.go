package agent

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// What an http agent answers, as a pure codec.

type httpAnswer struct {
	Replies []Reply
	Handoff *Handoff
	Usage   Usage
}

type wireAnswer struct {
	Replies []wireReply  `json:"replies"`
	Handoff *wireHandoff `json:"handoff"`
	Usage   *Usage       `json:"usage"`
}

type wireReply struct {
	Content     *string            `json:"content"`
	ContentType any                `json:"content_type"`
	Citations   []*domain.Citation `json:"citations"`
}

type wireHandoff struct {
	Reason string `json:"reason"`
}

var errReplies = errors.New("agent: too many replies")

// decodeHTTPAnswer reads a whole JSON answer. It fails with errNotJSON, errNotAFrame, errReplies, or with what reading failed with.
// Replies without words are left out.
func decodeHTTPAnswer(body io.Reader) (httpAnswer, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return httpAnswer{}, err
	}
	if !json.Valid(raw) {
		return httpAnswer{}, errNotJSON
	}
	var w wireAnswer
	if !isObject(json.RawMessage(strings.TrimSpace(string(raw)))) || json.Unmarshal(raw, &w) != nil {
		return httpAnswer{}, errNotAFrame
	}
	if len(w.Replies) > mostReplies {
		return httpAnswer{}, errReplies
	}
	a := httpAnswer{Handoff: w.Handoff.read()}
	for _, r := range w.Replies {
		if r.Content == nil {
			return httpAnswer{}, errNotAFrame
		}
		if reply := r.read(); reply.Content != "" {
			a.Replies = append(a.Replies, reply)
		}
	}
	if w.Usage != nil {
		a.Usage = w.Usage.sane()
	}
	return a, nil
}

// httpEvent is one event of a streamed answer. The zero value means nothing: it is ignored.
type httpEvent struct {
	delta   string
	thought string
	reply   *Reply
	handoff *Handoff
	usage   *Usage
	done    bool
}

// decodeHTTPEvent fails with errNotJSON and errNotAFrame. Events of other names are of a later version.
func decodeHTTPEvent(e sseEvent) (in httpEvent, err error) {
	switch e.name {
	case "done":
		return httpEvent{done: true}, nil
	case "delta", "thinking", "reply", "handoff", "usage":
	default:
		return in, nil
	}
	if !json.Valid(e.data) {
		return in, errNotJSON
	}
	var wrong error
	switch e.name {
	case "delta", "thinking", "reply":
		var r wireReply
		if wrong = json.Unmarshal(e.data, &r); wrong != nil {
			break
		}
		if r.Content == nil {
			return in, errNotAFrame
		}
		switch e.name {
		case "delta":
			in.delta = domain.Storable(*r.Content)
			return in, nil
		case "thinking":
			in.thought = domain.Storable(*r.Content)
			return in, nil
		}
		if reply := r.read(); reply.Content != "" {
			in.reply = &reply
		}
	case "handoff":
		var h *wireHandoff
		wrong = json.Unmarshal(e.data, &h)
		in.handoff = h.read()
	case "usage":
		var u Usage
		wrong = json.Unmarshal(e.data, &u)
		u = u.sane()
		in.usage = &u
	}
	if wrong != nil {
		return httpEvent{}, errNotAFrame
	}
	return in, nil
}

func (r wireReply) read() Reply {
	reply := Reply{Content: strings.TrimSpace(domain.Storable(*r.Content))}
	if r.ContentType == string(domain.Markdown) {
		reply.ContentType = domain.Markdown
	}
	for _, c := range r.Citations {
		if c == nil || strings.TrimSpace(c.Title) == "" || len(reply.Citations) == mostReplies {
			continue
		}
		c.Title, c.Snippet, c.URL = clip(oneLine(c.Title), 200), clip(oneLine(c.Snippet), snippetChars), oneLine(c.URL)
		if !strings.HasPrefix(c.URL, "https://") && !strings.HasPrefix(c.URL, "http://") || len(c.URL) > 2048 {
			c.URL = ""
		}
		reply.Citations = append(reply.Citations, *c)
	}
	return reply.Harmless()
}

func (h *wireHandoff) read() *Handoff {
	if h == nil {
		return nil
	}
	return &Handoff{Reason: clip(oneLine(h.Reason), 300)}
}

// sane is a usage somebody may be charged for: nothing negative, nothing that is no number, nothing beyond reason.
func (u Usage) sane() Usage {
	const most = 100_000_000
	u.PromptTokens, u.CompletionTokens = min(max(0, u.PromptTokens), most), min(max(0, u.CompletionTokens), most)
	if !(u.CostUSD > 0) || math.IsInf(u.CostUSD, 0) {
		u.CostUSD = 0
	}
	u.CostUSD = min(u.CostUSD, domain.MaxBudgetUSD)
	return u
}
