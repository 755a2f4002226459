package portal_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

var pixels = func() string {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8))) // cannot fail
	return b.String()
}()

// withFiles sends a form with files: fields, then after a dash pairs of a file's name and content.
func (b *browser) withFiles(path string, parts []string, header ...string) answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	files := false
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i] == "-" {
			files, i = true, i+1
		}
		if !files {
			_ = w.WriteField(parts[i], parts[i+1]) // a buffer takes everything
			continue
		}
		p, _ := w.CreateFormFile("files", parts[i])
		_, _ = p.Write([]byte(parts[i+1]))
	}
	_ = w.Close()
	return b.send(http.MethodPost, path, body.String(), append([]string{"Content-Type", w.FormDataContentType()}, header...)...)
}

var tick = regexp.MustCompile(`name="attachments" value="([^"]+)" checked`)

func TestReplyWithFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.owner("Anna")
	thread := w.thread(anna, "Where is the manual?")
	page, reply := "/threads/"+string(thread), "/threads/"+string(thread)+"/reply"
	want(t, anna.page(page), `enctype="multipart/form-data"`, `type="file" name="files" multiple`)

	// With scripts off: a picture and a document, and not a word.
	res := anna.withFiles(reply, []string{"client_id", "c1", "body", "", "-", "../photo.png", pixels, "manual.pdf", "%PDF-1.7"})
	if res.status != http.StatusSeeOther || res.to() != page {
		t.Fatalf("%d to %q\n%s", res.status, res.to(), tidy(res.body))
	}
	shown := anna.page(page)
	want(t, shown, `alt="photo.png" width="240" height="180"`, `<span class="file-name">manual.pdf</span>`, "PDF, 8 bytes", `href="/files/`)
	want(t, anna.page("/inbox"), "File: photo.png")
	want(t, anna.page(page+"/timeline"), `alt="photo.png"`, "manual.pdf")

	// An empty file field is no file.
	if res := anna.withFiles(reply, []string{"client_id", "c2", "body", "hello", "-", "", ""}); res.status != http.StatusSeeOther {
		t.Errorf("%d\n%s", res.status, tidy(res.body))
	}

	// One of two will not do: the other is kept in the form, and goes with it when it is sent again.
	res = anna.withFiles(reply, []string{"client_id", "c3", "body", "here", "-", "plan.txt", "text", "<b>.html", "<html>"}, "HX-Request", "true")
	kept := tick.FindStringSubmatch(res.body)
	if res.status != http.StatusUnprocessableEntity || kept == nil {
		t.Fatalf("%d\n%s", res.status, tidy(res.body))
	}
	want(t, res.body, "“&lt;b&gt;.html”: files of this kind cannot be sent", "plan.txt", ">here</textarea>")
	bea := w.owner("Bea")
	if res := bea.withFiles(reply, []string{"client_id", "c4", "body", "mine now", "attachments", kept[1]}); res.status != http.StatusNotFound {
		t.Errorf("another organisation's thread: %d", res.status)
	}
	res = anna.withFiles(reply, []string{"client_id", "c3", "body", "here", "attachments", kept[1]}, "HX-Request", "true")
	if res.status != http.StatusOK {
		t.Fatalf("%d\n%s", res.status, tidy(res.body))
	}
	want(t, anna.page(page), `<span class="file-name">plan.txt</span>`)

	for name, parts := range map[string][]string{
		"nothing at all": {"client_id", "c5", "body", " "},
		"six files":      {"client_id", "c5", "body", "x", "-", "1.txt", "1", "2.txt", "2", "3.txt", "3", "4.txt", "4", "5.txt", "5", "6.txt", "6"},
		"a note":         {"client_id", "c5", "body", "x", "note", "on", "-", "1.txt", "1"},
		"too large":      {"client_id", "c5", "body", "x", "-", "1.txt", strings.Repeat("1", domain.MaxAttachmentBytes+1)},
		"no id":          {"client_id", "c5", "body", "x", "attachments", "x"},
	} {
		if res := anna.withFiles(reply, parts); res.status != http.StatusUnprocessableEntity || !strings.Contains(res.body, `class="field-problem"`) {
			t.Errorf("%s: %d\n%s", name, res.status, tidy(res.body))
		}
	}
	ms, err := w.chat.Messages(t.Context(), anna.user.OrgID, thread, 0, 100)
	if err != nil || len(ms) != 4 || len(ms[1].Attachments) != 2 || len(ms[3].Attachments) != 1 {
		t.Errorf("%d messages, %v", len(ms), err)
	}
}

// What a visitor calls a file is text like any other.
func TestFileNamesAreEscaped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.owner("Anna")
	v := w.visitor(w.widget(anna, w.agent(anna, "Ada").ID))
	var ids []domain.AttachmentID
	for i, file := range []string{pixels, "%PDF-1.7"} {
		a, err := w.chat.Attach(t.Context(), &v, fmt.Sprint(`a" onerror=alert(1) x='<script>`, i), []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	if _, _, err := w.chat.Say(t.Context(), &v, string(ledger.NewID[domain.MessageID]()), "", ids...); err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"/threads/" + string(v.Thread.ID), "/threads/" + string(v.Thread.ID) + "/timeline", "/inbox"} {
		without(t, anna.page(page), "<script>0", "<script>1", `" onerror`)
	}
}

func TestWidgetFormSwitchesFilesOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.owner("Anna")
	made := w.widget(anna, "")
	want(t, anna.page("/widgets/"+string(made.ID)), `name="attachments_enabled"`)
	fields := []string{"name", "Shop", "enabled", "on", "webchat_enabled", "on", "allowed_origins", "*", "daily_message_cap", "500", "rate.messages", "20",
		"rate.window_seconds", "60", "fallback_text", "Sorry.", "appearance.title", "Chat", "appearance.primary_color", "#0f62fe", "appearance.text_color", "#ffffff",
		"appearance.position", "bottom_right", "appearance.contact_info_mode", "none"}
	for _, on := range []bool{false, true} {
		sent := fields
		if on {
			sent = append(sent, "attachments_enabled", "on")
		}
		if res := anna.post("/widgets/"+string(made.ID), sent...); res.status != http.StatusSeeOther {
			t.Fatalf("%d\n%s", res.status, tidy(res.body))
		}
		if now, err := w.account.Widget(t.Context(), anna.user.OrgID, made.ID); err != nil || now.AttachmentsEnabled != on {
			t.Errorf("switched to %v: %v, %v", on, now.AttachmentsEnabled, err)
		}
	}
}
