package api

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// upload sends a file in a form of its own boundary.
func (c client) upload(t *testing.T, part, name, content string, headers ...string) answer {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	p, err := w.CreateFormFile(part, name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = p.Write([]byte(content))
	_ = w.Close()
	return c.post(t, "/attachments", b.String(), append([]string{"Content-Type", w.FormDataContentType()}, headers...)...)
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *Deps) { d.PublicURL = "https://chat.example.com" })
	w.says(t, w.acme, "1", "hi")
	made := w.acme.upload(t, "file", "manual.exe", "%PDF-1.7", "Idempotency-Key", "k1").want(t, http.StatusCreated)
	made.check(t, map[string]any{"name": "manual.pdf", "size": 8, "mime": "application/pdf"})
	if url := made.str("url"); !strings.HasPrefix(url, "https://chat.example.com/files/") || !strings.HasSuffix(url, "/manual.pdf") {
		t.Errorf("url %q", url)
	}
	again := w.acme.upload(t, "file", "manual.exe", "%PDF-1.7", "Idempotency-Key", "k1").want(t, http.StatusCreated)
	if again.str("id") != made.str("id") || again.header.Get(replayedHeader) != "true" {
		t.Errorf("sent again with another boundary: %s", again.raw)
	}
	w.acme.upload(t, "file", "other.pdf", "%PDF-1.4", "Idempotency-Key", "k1").problem(t, http.StatusUnprocessableEntity, "bad_field")
	w.acme.upload(t, "file", "a.html", "<html>").problem(t, http.StatusUnprocessableEntity, "attachment_rejected")
	w.acme.upload(t, "file", "a.txt", strings.Repeat("a", 10<<20+1)).problem(t, http.StatusUnprocessableEntity, "attachment_rejected")
	w.acme.upload(t, "file", "a.txt", strings.Repeat("a", 10<<20), "Idempotency-Key", "k2").want(t, http.StatusCreated)
	w.acme.upload(t, "picture", "a.pdf", "%PDF-1.7").badField(t, "file")
	w.acme.post(t, "/attachments", map[string]any{}).problem(t, http.StatusBadRequest, "bad_json")

	messages := "/threads/" + string(w.acme.Thread) + "/messages"
	with := func(ids ...string) map[string]any { return map[string]any{"client_id": "m1", "attachments": ids} }
	w.rival.post(t, "/threads/"+string(w.rival.Thread)+"/messages", with(made.str("id"))).problem(t, http.StatusUnprocessableEntity, "attachment_rejected")
	w.acme.post(t, messages, with("nobodys")).problem(t, http.StatusUnprocessableEntity, "attachment_rejected")
	w.acme.post(t, messages, map[string]any{"client_id": "m0", "content": " "}).problem(t, http.StatusUnprocessableEntity, "empty_content")
	sent := w.acme.post(t, messages, with(made.str("id"))).want(t, http.StatusCreated)
	sent.check(t, map[string]any{"content": "", "attachments": []any{made.body}})
	w.acme.post(t, messages, with(made.str("id"))).want(t, http.StatusOK).check(t, map[string]any{"id": sent.str("id"), "attachments": []any{made.body}})
	w.acme.post(t, messages, map[string]any{"client_id": "m2", "attachments": []string{made.str("id")}}).problem(t, http.StatusUnprocessableEntity, "attachment_rejected")
	listed := w.acme.get(t, messages).want(t, http.StatusOK).items(t)
	if len(listed) != 2 || listed[0]["attachments"] != nil || listed[1]["attachments"] == nil {
		t.Errorf("%v", listed)
	}
}
