package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// frame is anything the server says, on any transport.
type frame struct {
	Type      string `json:"type"`
	Seq       int64  `json:"seq"`
	ID        string `json:"id"`
	ClientID  string `json:"client_id"`
	Duplicate bool   `json:"duplicate"`
	Author    struct {
		Kind string `json:"kind"`
	} `json:"author"`
	Content string `json:"content"`

	Code             string `json:"code"`
	Message          string `json:"message"`
	RetryAfterMS     int64  `json:"retry_after_ms"`
	ReconnectAfterMS int64  `json:"reconnect_after_ms"`
}

// message is what a visitor says.
type message struct {
	Type     string `json:"type,omitempty"` // a socket's frames have one; of a request the path says it
	ClientID string `json:"client_id"`
	Content  string `json:"content"`
}

// refusal is the server's no to a request, a frame, or a connection.
type refusal struct {
	Status     int // of HTTP; 0 over a socket
	Code       string
	Detail     string
	RetryAfter time.Duration // 0: the server named none
}

func (r *refusal) Error() string { return fmt.Sprintf("the server says %s: %s", r.Code, r.Detail) }

// passing reports whether the same request is worth making again.
func (r *refusal) passing() bool {
	return r.Code == "rate_limited" || r.Code == "unavailable" || r.Code == "internal" || r.Status >= 500
}

// door is a widget on one node, as a page of a site sees it.
type door struct {
	base   string // https://host/w/wid_…
	origin string
	client *http.Client
}

const requestWithin = 15 * time.Second // for any request but a poll or a stream

// request prepares a call. The body, unless nil, is sent as JSON.
func (d door) request(ctx context.Context, method, path, token string, body any) (*http.Request, error) {
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, send)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Origin", d.origin)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return req, nil
}

// call makes a request and decodes its answer into to. It fails with *refusal for an answer that is none.
func (d door) call(ctx context.Context, method, path, token string, body, to any) error {
	req, err := d.request(ctx, method, path, token, body)
	if err != nil {
		return err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return refused(resp)
	}
	return json.NewDecoder(resp.Body).Decode(to)
}

// refused reads why a request was refused.
func refused(resp *http.Response) *refusal {
	r := &refusal{Status: resp.StatusCode, Code: "http_" + strconv.Itoa(resp.StatusCode), Detail: resp.Status}
	var problem struct{ Code, Title, Detail string }
	if json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&problem) == nil && problem.Code != "" {
		r.Code, r.Detail = problem.Code, problem.Title
		if problem.Detail != "" {
			r.Detail = problem.Detail
		}
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		r.RetryAfter = time.Duration(s) * time.Second
	}
	return r
}

// enter opens a session and returns its token.
func (d door) enter(ctx context.Context) (token string, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	var welcome struct {
		Session struct{ Token string }
	}
	if err := d.call(ctx, http.MethodPost, "/session", "", map[string]any{"page": map[string]string{"url": d.origin, "title": "parley bench"}}, &welcome); err != nil {
		return "", err
	}
	if welcome.Session.Token == "" {
		return "", errors.New("the server opened a session without a token: is this a Parley?")
	}
	return welcome.Session.Token, nil
}

// post says a line by a request and returns its ack.
func (d door) post(ctx context.Context, token string, m message) (frame, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	var ack frame
	err := d.call(ctx, http.MethodPost, "/messages", token, m, &ack)
	return ack, err
}

// history reads the whole thread, oldest first, and the last_seq that the server names with the newest page.
func (d door) history(ctx context.Context, token string) (all []frame, lastSeq int64, err error) {
	var pages [][]frame
	for before := int64(0); ; {
		path := "/messages?limit=100"
		if before > 0 {
			path += "&before_seq=" + strconv.FormatInt(before, 10)
		}
		var page struct {
			Messages []frame `json:"messages"`
			LastSeq  int64   `json:"last_seq"`
		}
		within, cancel := context.WithTimeout(ctx, requestWithin)
		err := d.call(within, http.MethodGet, path, token, nil, &page)
		cancel()
		if err != nil {
			return nil, 0, err
		}
		if before == 0 {
			lastSeq = page.LastSeq
		}
		if len(page.Messages) == 0 {
			break
		}
		pages = append(pages, page.Messages)
		next := page.Messages[0].Seq
		if before > 0 && next >= before {
			return nil, 0, fmt.Errorf("the history before %d begins at %d", before, next)
		}
		if before = next; before <= 1 {
			break
		}
	}
	for i := len(pages) - 1; i >= 0; i-- {
		all = append(all, pages[i]...)
	}
	return all, lastSeq, nil
}

// socketURL is where the widget's socket is. ws and wss stand for http and https.
func (d door) socketURL() string { return "ws" + strings.TrimPrefix(d.base, "http") + "/socket" }

// refusal is what an error frame says.
func (f frame) refusal() *refusal {
	return &refusal{Code: f.Code, Detail: f.Message, RetryAfter: time.Duration(f.RetryAfterMS) * time.Millisecond}
}
