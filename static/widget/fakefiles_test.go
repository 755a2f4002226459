package widget

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"slices"
)

// What the fake does with forms and files.

// upload is a file the fake has been given.
type upload struct {
	object // as clients see it
	body   []byte
}

// form takes what a visitor filled in. A message among it opens the thread, as the visitor's own line.
func (f *fake) form(w http.ResponseWriter, r *http.Request) {
	body := decode(r)
	f.hear(body, "form")
	var bad object
	f.with(func() {
		bad, f.badFields = f.badFields, nil
		fields, _ := body["fields"].(object)
		if message, ok := fields["message"].(string); ok && bad == nil {
			m := f.append(object{"author": object{"kind": "visitor", "name": ""}, "client_id": body["client_id"], "content": message, "content_type": "text"})
			if !f.tardy {
				f.spread(m)
			}
		}
	})
	if bad != nil {
		f.answer(w, http.StatusUnprocessableEntity, object{"code": "bad_field", "detail": "Some fields need another look.", "errors": bad})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (f *fake) upload(w http.ResponseWriter, r *http.Request) {
	part, head, err := r.FormFile("file")
	if err != nil {
		f.answer(w, http.StatusUnprocessableEntity, object{"code": "attachment_rejected", "detail": err.Error()})
		return
	}
	body, _ := io.ReadAll(part)
	var slow <-chan struct{}
	f.with(func() { slow = f.slowUpload })
	if slow != nil {
		select {
		case <-slow:
		case <-r.Context().Done():
			return
		}
	}
	var stored, refusal object
	f.with(func() {
		if len(f.uploads) > 0 {
			refusal, f.uploads = f.uploads[0], f.uploads[1:]
			return
		}
		id := fmt.Sprintf("a%d", len(f.files)+1)
		stored = object{"id": id, "name": head.Filename, "size": len(body), "mime": head.Header.Get("Content-Type"), "url": f.URL + "/files/" + id + "/" + head.Filename}
		f.files = append(f.files, upload{stored, body})
	})
	switch {
	case refusal != nil:
		f.answer(w, refusal["status"].(int), object{"code": refusal["code"], "detail": refusal["detail"]})
	case r.Header.Get("Authorization") != "Bearer "+f.token:
		f.answer(w, http.StatusUnauthorized, object{"code": "unauthorized"})
	default:
		f.answer(w, http.StatusCreated, stored)
	}
}

// attached are the files that a message takes along, or nothing. The lock is held.
func (f *fake) attached(ids any) any {
	list, _ := ids.([]any)
	var files []object
	for _, id := range list {
		if i := slices.IndexFunc(f.files, func(u upload) bool { return u.object["id"] == id }); i >= 0 {
			files = append(files, f.files[i].object)
		}
	}
	if files == nil {
		return nil
	}
	return files
}

// file serves what was uploaded, and a picture under every other name.
func (f *fake) file(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	i := slices.IndexFunc(f.files, func(u upload) bool { return u.object["id"] == r.PathValue("token") })
	f.mu.Unlock()
	if i >= 0 {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(f.files[i].body)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Write(picture(320, 240))
}

// picture is a PNG of that many pixels.
func picture(width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(x * 255 / width), uint8(120 + y*100/height), 90, 255})
		}
	}
	var buf bytes.Buffer
	png.Encode(&buf, img) // a bytes.Buffer takes everything
	return buf.Bytes()
}
