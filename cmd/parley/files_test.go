package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
)

// scenery is a picture that one can tell from nothing.
func scenery(t testing.TB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 640, 400))
	for y := range 400 {
		for x := range 640 {
			c := color.RGBA{uint8(70 + y/4), uint8(140 + y/8), 220, 255}
			if y > 260-(x*(640-x))/900 {
				c = color.RGBA{60, uint8(150 - y/5), 90, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// attach sends a file and returns its id.
func (v *visitor) attach(t testing.TB, name string, content []byte) string {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(content) // a buffer takes everything
	_ = w.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.s.url+v.base+"/attachments", &body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", v.s.url)
	req.Header.Set("Authorization", "Bearer "+v.token)
	req.Header.Set("Content-Type", w.FormDataContentType())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	var made struct{ ID string }
	if err := json.Unmarshal(raw, &made); err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", res.StatusCode, raw)
	}
	return made.ID
}

// choose gives a composer's file field files, as the chooser, a drop and a paste do.
const choose = `((how, files) => {
	const form = $('form[data-composer]'), d = new DataTransfer();
	for (const [name, type, text] of files) d.items.add(new File([text], name, { type }));
	if (how === 'choose') { form.elements.files.files = d.files; form.elements.files.dispatchEvent(new Event('change', { bubbles: true })); }
	if (how === 'drop') $('.lines-scroll').dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: d }));
	if (how === 'paste') form.elements.body.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData: d }));
	return true; })`

// A visitor sends a picture and a document; somebody of the team sees them and answers with files of their own, chosen, dropped and
// pasted, one of which is taken back before.
func TestFilesInThePortal(t *testing.T) {
	t.Parallel()
	s := serve(t, environment(t), "--demo")
	v := s.visit(t, s.demoKey(t))
	picture, paper := v.attach(t, "broken light.png", scenery(t)), v.attach(t, "Order 10442 with a rather long name that somebody gave it.pdf", []byte("%PDF-1.7"))
	if code := s.call(t, "POST", v.base+"/messages", v.token, map[string]any{"client_id": "1", "content": "It came like this.", "attachments": []string{picture, paper}}, nil); code != 201 {
		t.Fatal(code)
	}
	b := newTab(t, 1280, 800)
	b.signIn(s)
	b.click(`$('a[href^="/threads/"]')`)
	b.wait(`$('.file-picture img')?.naturalWidth === 640 && $('.file-card')`)
	b.js(fmt.Sprintf(`%s('choose', [['list.csv', 'text/csv', 'a;b'], ['wrong.txt', 'text/plain', 'x']])`, choose), nil)
	b.wait(`$$('.composer-file').length === 2`)
	b.js(fmt.Sprintf(`%s('drop', [['label.pdf', 'application/pdf', '%%PDF-1.7']])`, choose), nil)
	b.js(fmt.Sprintf(`%s('paste', [['note.md', 'text/markdown', '# hi']])`, choose), nil)
	b.wait(`$$('.composer-file').length === 4 && $('form[data-composer]').elements.files.files.length === 4`)
	b.click(`$('[aria-label="Remove wrong.txt"]')`)
	b.wait(`$$('.composer-file').length === 3 && !$('form[data-composer]').elements.body.required`)
	for _, theme := range []string{"light", "dark"} {
		b.theme(theme)
		b.shot("composing-" + theme)
	}
	b.click(`$('.composer-send')`)
	b.wait(`$$('.by-human .file-card').length === 3 && $$('.composer-file').length === 0`)
	var names []string
	b.js(`$$('.by-human .file-name').map((n) => n.textContent)`, &names)
	if fmt.Sprint(names) != "[list.csv label.pdf note.md]" {
		t.Errorf("sent %v", names)
	}
	// What the server refuses stands in the form, and what was written stays.
	b.fill(`$('form[data-composer]').elements.body`, "And this")
	b.js(fmt.Sprintf(`%s('choose', [['page.html', 'text/html', '<html>'], ['fine.txt', 'text/plain', 'x']])`, choose), nil)
	b.click(`$('.composer-send')`)
	b.wait(`$('[data-files-problem]').textContent.includes('page.html') && $('.composer-file input:checked') && $('form[data-composer]').elements.body.value === 'And this'`)
	b.shot("refused")
	b.click(`$('.composer-send')`)
	b.wait(`$$('.by-human .file-card').length === 4`)
	b.tolerate("422")
	for _, size := range [][2]int64{{1280, 800}, {390, 844}} {
		b.resize(size[0], size[1])
		for _, theme := range []string{"light", "dark"} {
			b.theme(theme)
			b.shot(fmt.Sprint("thread-", theme, "-", size[0]))
			b.wait(`document.documentElement.scrollWidth <= innerWidth`)
			var unread []string // names in the colour of what they stand on
			b.js(`$$('.file-card').filter((c) => getComputedStyle(c.querySelector('.file-name')).color === getComputedStyle(c).backgroundColor).map((c) => c.textContent)`, &unread)
			if len(unread) > 0 {
				t.Errorf("%s, %d wide: nobody can read %q", theme, size[0], unread)
			}
		}
	}
	b.click(`$$('.pane-tabs a')[1]`)
	b.wait(`$('.happening .file-picture img')?.naturalWidth === 640`)
	b.shot("recorder")
}

// tolerate forgets complaints about a status that was asked for.
func (b *tab) tolerate(status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var left []string
	for _, p := range b.problems {
		if !bytes.Contains([]byte(p), []byte("status of "+status)) {
			left = append(left, p)
		}
	}
	b.problems = left
}
