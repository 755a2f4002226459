package portal_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"testing"

	"github.com/parley-chat/parley/domain"
)

func TestSeveralArticlesAreLookedAtAndSaved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	want(t, b.page("/knowledge/import"), `name="text"`, `name="files"`, "Look at the articles")
	send := func(fields [][2]string, files ...[2]string) answer {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for _, f := range fields {
			_ = form.WriteField(f[0], f[1])
		}
		for _, f := range files {
			part, _ := form.CreateFormFile("files", f[0])
			_, _ = part.Write([]byte(f[1]))
		}
		_ = form.Close()
		return b.send(http.MethodPost, "/knowledge/import", body.String(), "Content-Type", form.FormDataContentType())
	}
	if a := send([][2]string{{"text", "  "}}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("nothing: %d", a.status)
	}
	seen := send([][2]string{{"text", "# Parking\nBehind <b>the</b> house.\n# Repairs\nOn Mondays."}, {"language", "english"}}, [2]string{"../hours.md", "---\nurl: /hours\n---\nNine to five."})
	if seen.status != http.StatusOK || len(w.articles(b)) != 0 {
		t.Fatalf("%d, %d articles", seen.status, len(w.articles(b)))
	}
	want(t, seen.body, `value="Parking"`, "Behind &lt;b&gt;the&lt;/b&gt; house.", `value="Repairs"`, `value="hours"`, `value="/hours"`, "Save 3 articles")
	bad := send([][2]string{{"save", "on"}, {"title", ""}, {"content", "x"}, {"url", ""}, {"language", "english"}, {"classification", "PUBLIC"}})
	if bad.status != http.StatusUnprocessableEntity || len(w.articles(b)) != 0 {
		t.Errorf("%d, %d articles", bad.status, len(w.articles(b)))
	}
	ok := send([][2]string{{"save", "on"}, {"title", "Parking"}, {"content", "Behind."}, {"url", ""}, {"title", "Repairs"}, {"content", "Mondays."}, {"url", "/r"},
		{"drop-0", "on"}, {"language", "german"}, {"classification", "INTERNAL"}})
	if all := w.articles(b); ok.status != http.StatusSeeOther || len(all) != 1 || all[0].Title != "Repairs" || all[0].URL != "/r" || all[0].Classification != domain.ClassInternal || all[0].Language != "german" {
		t.Errorf("%d %+v", ok.status, all)
	}
}
