package widget

import (
	"fmt"
	"strings"
	"testing"
)

// give hands files to the chat as a picker, the clipboard or a drop does.
func (v *tab) give(way string, files ...string) {
	v.t.Helper()
	v.js(fmt.Sprintf(`((data) => {
		for (const [name, type, size] of [%s]) data.items.add(new File([new Uint8Array(size)], name, {type}));
		if (%[2]q === 'paste') return $('textarea').dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
		if (%[2]q === 'drop') for (const type of ['dragover', 'drop']) $('.panel').dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
		else { $('input[type=file]').files = data.files; $('input[type=file]').dispatchEvent(new Event('change')); }
	})(new DataTransfer())`, strings.Join(files, ","), way), nil)
}

const (
	pdf = `['plan.pdf', 'application/pdf', 1200]`
	exe = `['run.exe', 'application/x-msdownload', 10]`
)

func attaching(f *fake) {
	f.config["attachments"] = object{"max_bytes": 5000, "accept": []string{"image/png", "image/jpeg", "application/pdf", ".txt"}}
}

// Files come by button, clipboard or drop, go with the next message, and are shown in its row.
func TestAttachments(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"pick", "paste", "drop"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			attaching(f)
			v := visit(t, f)
			v.open(f)
			v.give(way, pdf)
			v.wait(`$('.tray .ready') && !$('.send').disabled`)
			v.js(`$('.send').click()`, nil)
			v.wait(`$('.visitor.sent .file a b')?.innerText === 'plan.pdf' && $('.tray').hidden && $('.visitor .bubble').hidden`)
			v.wait(`$('.visitor .file small').innerText === '1 kB'`)
			sent := f.said("message")
			if ids, _ := sent[0]["attachments"].([]any); len(sent) != 1 || len(ids) != 1 || ids[0] != "a1" || sent[0]["content"] != "" {
				t.Errorf("sent %v", sent)
			}
			v.load()
			v.open(f)
			v.wait(`$('.visitor.sent .file a')?.href.endsWith('/files/a1/plan.pdf')`)
		})
	}
}

// What is wrong with a file is said at once where it can be, and by the server where it cannot.
func TestRefusedAttachments(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	attaching(f)
	f.uploads = []object{{"status": 422, "code": "attachment_rejected", "detail": "This picture is broken."}, {"status": 503, "code": "unavailable", "detail": "Try again."}}
	v := visit(t, f)
	v.open(f)
	tests := []struct {
		file, says string
		again      bool
	}{
		{exe, "Files of this kind are not accepted", false},
		{`['large.pdf', 'application/pdf', 6000]`, "Too large: at most 5 kB", false},
		{`['none.txt', 'text/plain', 0]`, "This file is empty", false},
		{`['broken.png', 'image/png', 9]`, "This picture is broken.", false},
		{`['note.TXT', '', 9]`, "Try again.", true},
	}
	for i, tt := range tests {
		v.give("pick", tt.file)
		v.wait(fmt.Sprintf(`$$('.tray .failed').length === %d && $$('.tray small').at(-1).innerText === %q && $$('.tray li').at(-1).querySelector('button').hidden === %v`, i+1, tt.says, !tt.again))
	}
	v.wait(`$('.send').disabled`)
	v.give("pick", pdf)
	v.wait(`$('.tray [role=alert]').innerText === 'At most 5 files at a time'`)
	v.js(`$$('.tray li').at(-1).querySelector('button').click()`, nil)
	v.wait(`$$('.tray .ready').length === 1 && !$('.send').disabled`)
	v.js(`$('.tray .failed button:last-child').click()`, nil)
	v.wait(`$$('.tray .failed').length === 3 && root.activeElement === $('textarea')`)
	v.write("here")
	v.wait(`$('.visitor.sent .file b')?.innerText === 'note.TXT' && $$('.tray li').length === 3`)
}

// An upload can be called off, and nothing is sent while one is under way.
func TestUploadUnderWay(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	attaching(f)
	slow := make(chan struct{})
	f.slowUpload = slow
	v := visit(t, f)
	v.open(f)
	v.give("pick", pdf)
	v.wait(`$('.tray .uploading progress') && $('.send').disabled`)
	v.write("wait")
	v.wait(asTextIn + `'wait'`)
	v.js(`$('.tray .uploading button:last-child').click()`, nil)
	v.wait(`$('.tray').hidden && !$('.send').disabled`)
	close(slow)
	v.js(`$('textarea').focus()`, nil)
	v.do(enter)
	v.shows("visitor: wait")
	if ids := f.said("message")[0]["attachments"]; ids != nil {
		t.Errorf("%v went along", ids)
	}
}

// Pictures of the server's are drawn in a frame that has its size from the start; nobody else is asked for any.
func TestPictures(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	f.say("human", "Anna", "Look", object{
		"author": object{"kind": "human", "name": "Anna", "avatar_url": f.URL + "/files/anna/anna.png"},
		"attachments": []object{
			{"id": "1", "name": "fern.png", "size": 9, "mime": "image/png", "url": f.URL + "/files/x/fern.png"},
			{"id": "2", "name": "far.png", "size": 9, "mime": "image/png", "url": "https://elsewhere.example/far.png"},
		},
	})
	v.wait(`$('.image') && $('.image').offsetWidth / $('.image').offsetHeight === 4 / 3`)
	v.wait(`$('.image canvas')?.width === 320 && $('.image canvas').ariaLabel === 'fern.png' && $('.image a').href.endsWith('/files/x/fern.png')`)
	v.wait(`$('.human .avatar canvas')?.width === 96 && $$('.file a b')[0].innerText === 'far.png'`)
	f.push(object{"type": "status", "handling": "human", "assignee": object{"name": "Ben", "avatar_url": "https://elsewhere.example/ben.png"}})
	v.wait(`$('.face').innerText === 'B' && !$('.face canvas')`)
	f.push(object{"type": "status", "handling": "human", "assignee": object{"name": "Ben", "avatar_url": f.URL + "/files/ben/ben.png"}})
	v.wait(`$('.face canvas')`)
	var elsewhere []string
	v.js(`performance.getEntriesByType('resource').map((r) => r.name).filter((n) => n.includes('elsewhere'))`, &elsewhere)
	if len(elsewhere) > 0 {
		t.Errorf("asked for %v", elsewhere)
	}
}

// What the line lost is tried again by itself once the browser is online; what the server refused is not.
func TestUploadsAreTakenUpAgain(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	attaching(f)
	f.uploads = []object{{"status": 503, "code": "unavailable"}, {"status": 422, "code": "attachment_rejected", "detail": "No."}}
	v := visit(t, f)
	v.open(f)
	v.give("pick", pdf)
	v.wait(`$('.tray .failed small')?.innerText === 'Not uploaded'`)
	v.give("pick", `['other.pdf', 'application/pdf', 9]`)
	v.wait(`$$('.tray .failed').length === 2`)
	v.js(`dispatchEvent(new Event('online'))`, nil)
	v.wait(`$$('.tray .ready').length === 1 && $$('.tray .failed').length === 1 && $('.tray .failed b').innerText === 'other.pdf'`)
	if n := f.count("POST /w/" + key + "/attachments"); n != 3 {
		t.Errorf("%d uploads, want 3", n)
	}
}
