package widget_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

var pixels = func() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8))) // cannot fail
	return b.Bytes()
}()

// form is multipart/form-data with one file, and the type of it.
func form(part, name string, file []byte) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	p, _ := w.CreateFormFile(part, name) // a buffer takes everything
	_, _ = p.Write(file)
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func (v *visitor) send(name string, file []byte, header ...string) answer {
	v.t.Helper()
	body, kind := form("file", name, file)
	return v.ask(http.MethodPost, "./attachments", body, append([]string{"Authorization", "Bearer " + v.token, "Content-Type", kind}, header...)...)
}

// sent is a file that the server has taken.
func (v *visitor) sent(name string, file []byte) domain.Attachment {
	v.t.Helper()
	a := v.send(name, file)
	var out domain.Attachment
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != http.StatusCreated || out.ID == "" || out.Size == 0 {
		v.t.Fatalf("%d %s", a.status, a.body)
	}
	return out
}

func messageWith(clientID, content string, ids ...domain.AttachmentID) string {
	b, _ := json.Marshal(map[string]any{"type": "message", "client_id": clientID, "content": content, "attachments": ids}) // cannot fail
	return string(b)
}

// A file goes with a message by socket and by request, and comes in the same frame by socket, stream, poll and history.
func TestAttachmentsOverEveryTransport(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	first, second := v.sent("../one.png", pixels), v.sent("two.pdf", []byte("%PDF-1.7"))
	by := v.hello(0)
	by.say(json.RawMessage(messageWith("c1", " ", first.ID)))
	if ack := by.expect("ack"); ack.Seq != 1 || ack.Duplicate {
		t.Fatalf("%+v", ack)
	}
	by.say(json.RawMessage(messageWith("c1", "", first.ID)))
	if ack := by.expect("ack"); ack.Seq != 1 || !ack.Duplicate {
		t.Fatalf("again: %+v", ack)
	}
	if a := v.post("./messages", messageWith("c2", "and this", second.ID)); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for i, body := range []string{messageWith("c3", "hi", first.ID), messageWith("c3", "hi", second.ID, second.ID), messageWith("c3", "hi", "no id"), messageWith("c3", "hi", "a", "b", "c", "d", "e", "f")} {
		if a := v.post("./messages", body); a.status != http.StatusUnprocessableEntity || a.Code != "attachment_rejected" || a.Detail == "" {
			t.Errorf("refusal %d: %d %s", i, a.status, a.body)
		}
	}
	if a := v.post("./messages", messageWith("c3", " ")); a.Code != "empty_content" {
		t.Errorf("blank without files: %s", a.body)
	}

	other := v.hello(0)
	var frames []string
	for range 2 {
		frames = append(frames, other.raw())
	}
	for i, want := range []domain.Attachment{first, second} {
		var got struct {
			Attachments []domain.Attachment
			ClientID    string `json:"client_id"`
		}
		if err := json.Unmarshal([]byte(frames[i]), &got); err != nil || len(got.Attachments) != 1 || got.Attachments[0] != want || got.ClientID != fmt.Sprint("c", i+1) {
			t.Errorf("%s, want %+v (%v)", frames[i], want, err)
		}
	}
	if got := v.streamed(2); strings.Join(got, "\n") != strings.Join(frames, "\n") {
		t.Errorf("stream %s\nsocket %s", got, frames)
	}
	joined := strings.Join(frames, ",")
	if a := v.get("./poll?after_seq=0&wait=0"); a.body != `{"frames":[`+joined+"]}\n" {
		t.Errorf("poll %s\nsocket %s", a.body, joined)
	}
	if a := v.get("./messages"); a.body != `{"messages":[`+joined+`],"last_seq":2}`+"\n" {
		t.Errorf("history %s\nsocket %s", a.body, joined)
	}
}

// raw is the next message frame as it came.
func (l *line) raw() string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	for {
		_, b, err := l.conn.Read(ctx)
		if err != nil {
			l.t.Fatal(err)
		}
		if strings.HasPrefix(string(b), `{"type":"message"`) {
			return string(b)
		}
	}
}

// streamed is the first n message frames of the visitor's stream.
func (v *visitor) streamed(n int) (frames []string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/w/"+v.Key+"/events", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Origin", origin)
	req.Header.Set("Authorization", "Bearer "+v.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	for in := bufio.NewScanner(res.Body); len(frames) < n && in.Scan(); {
		if f, ok := strings.CutPrefix(in.Text(), "data: "); ok && strings.HasPrefix(f, `{"type":"message"`) {
			frames = append(frames, f)
		}
	}
	return frames
}

func TestUploads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{Uploads: 100})
	v, stranger := w.visitor(), w.visitor()
	plain, kind := form("other", "a.png", pixels)
	as := []string{"Authorization", "Bearer " + v.token}
	tests := []struct {
		name   string
		answer func() answer
		status int
		code   string
	}{
		{"nobody's", func() answer { return v.send("a.png", pixels, "Authorization", "") }, 401, "unauthorized"},
		{"another page's", func() answer {
			ledgertest.Set(t, w.ledger, "widgets", w.Widget, "allowed_origins", "{https://else.example}")
			defer ledgertest.Set(t, w.ledger, "widgets", w.Widget, "allowed_origins", "{*}")
			return v.send("a.png", pixels)
		}, 403, "origin_not_allowed"},
		{"no form", func() answer { return v.ask(http.MethodPost, "./attachments", "{}", as...) }, 400, "bad_json"},
		{"another part", func() answer {
			return v.ask(http.MethodPost, "./attachments", plain, append(as, "Content-Type", kind)...)
		}, 422, "attachment_rejected"},
		{"empty", func() answer { return v.send("a.png", nil) }, 422, "attachment_rejected"},
		{"a page", func() answer { return v.send("a.png", []byte("<!doctype html><script>alert(1)</script>")) }, 422, "attachment_rejected"},
		{"svg", func() answer { return v.send("a.svg", []byte("<svg onload=alert(1)>")) }, 422, "attachment_rejected"},
		{"10 MB and a byte", func() answer { return v.send("a.txt", bytes.Repeat([]byte("a"), 10<<20+1)) }, 422, "attachment_rejected"},
		{"far more", func() answer { return v.send("a.txt", bytes.Repeat([]byte("a"), 30<<20)) }, 422, "attachment_rejected"},
		{"10 MB", func() answer { return v.send("a.txt", bytes.Repeat([]byte("a"), 10<<20)) }, 201, ""},
		{"another session's file", func() answer {
			return v.post("./messages", messageWith("c1", "hi", stranger.sent("a.png", pixels).ID))
		}, 422, "attachment_rejected"},
		{"switched off", func() answer {
			ledgertest.Set(t, w.ledger, "widgets", w.Widget, "attachments_enabled", false)
			return v.send("a.png", pixels)
		}, 422, "attachment_rejected"},
	}
	for _, tt := range tests {
		if a := tt.answer(); a.status != tt.status || a.Code != tt.code || tt.code != "" && a.Detail == "" {
			t.Errorf("%s: %d %s", tt.name, a.status, a.body)
		}
	}
	if ms := v.get("./messages"); ms.LastSeq != 0 {
		t.Errorf("a refused message was stored: %s", ms.body)
	}
}

func TestConfigSaysWhatMayBeSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	config := func() (c struct {
		Attachments *struct {
			MaxBytes int `json:"max_bytes"`
			Accept   []string
		}
	}) {
		if err := json.Unmarshal([]byte(w.ask(http.MethodGet, "./config", "").body), &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := config(); c.Attachments == nil || c.Attachments.MaxBytes != 10485760 || len(c.Attachments.Accept) < 10 || c.Attachments.Accept[0] != "image/png" {
		t.Errorf("%+v", c.Attachments)
	}
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "attachments_enabled", false)
	if c := config(); c.Attachments != nil {
		t.Errorf("switched off: %+v", c.Attachments)
	}
}

func TestUploadsOfAnAddressAreBounded(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{Uploads: 2}).visitor()
	for i, want := range []int{201, 201, 429} {
		if a := v.send("a.png", pixels); a.status != want || want == 429 && (a.Code != "rate_limited" || a.header.Get("Retry-After") == "") {
			t.Errorf("upload %d: %d %s", i, a.status, a.body)
		}
	}
	if a := v.send("a.png", pixels, "X-From-Here", "yes"); a.status != 201 {
		t.Errorf("from this machine: %d %s", a.status, a.body)
	}
}

func TestFilesAreServedSafely(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	picture := v.sent("Größe \u202E.png", pixels)
	text := v.sent("notes.csv", []byte("=cmd|' /C calc'!A0;<script>\n"+strings.Repeat("0123456789", 60_000)))
	for _, tt := range []struct {
		file        domain.Attachment
		mime, shown string
	}{
		{picture, "image/png", "inline; filename*=utf-8''Gr%C3%B6%C3%9Fe.png"},
		{text, "text/csv", "attachment; filename=notes.csv"},
	} {
		path := strings.TrimPrefix(tt.file.URL, v.url)
		if path == tt.file.URL || strings.Contains(path, "\u202E") {
			t.Fatalf("the address is %s", tt.file.URL)
		}
		a := v.ask(http.MethodGet, path, "", "Origin", "")
		for name, want := range map[string]string{
			"Content-Type": tt.mime, "Content-Disposition": tt.shown, "X-Content-Type-Options": "nosniff", "Set-Cookie": "",
			"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*", "Cache-Control": "private, max-age=31536000, immutable", "ETag": `"` + string(tt.file.ID) + `"`,
			"Content-Length": fmt.Sprint(tt.file.Size), "Accept-Ranges": "bytes",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s of %s is %q, want %q", name, tt.file.Name, got, want)
			}
		}
		csp := a.header.Get("Content-Security-Policy")
		if a.status != 200 || int64(len(a.body)) != tt.file.Size || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "sandbox") {
			t.Errorf("%d, %d bytes, policy %q", a.status, len(a.body), csp)
		}
		if h := v.ask(http.MethodHead, path, ""); h.status != 200 || h.body != "" || h.header.Get("Content-Length") != fmt.Sprint(tt.file.Size) {
			t.Errorf("HEAD: %d %v", h.status, h.header)
		}
		if part := v.ask(http.MethodGet, path, "", "Range", "bytes=10-19"); part.status != 206 || part.body != a.body[10:20] {
			t.Errorf("a part: %d %q", part.status, part.body)
		}
		if known := v.ask(http.MethodGet, path, "", "If-None-Match", `"`+string(tt.file.ID)+`"`); known.status != 304 {
			t.Errorf("known already: %d", known.status)
		}
	}
	if a := v.ask(http.MethodGet, "/files/nobodys/a.png", ""); a.status != 404 || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a token nobody has: %d %v", a.status, a.header)
	}
}

// The log never says where a file is read, even when reading it fails.
func TestFileTokensAreNotLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	file := v.sent("a.png", pixels)
	w.ledger.Close()
	res, err := http.Get(file.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	token := strings.Split(file.URL, "/")[4]
	eventually(t, "a word in the log about the failure", func() bool { return strings.Contains(w.logged.String(), "request failed") })
	if res.StatusCode < 500 || len(token) != 43 || strings.Contains(w.logged.String(), token) {
		t.Errorf("%d, the log says %s", res.StatusCode, w.logged)
	}
}
