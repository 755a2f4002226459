package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
)

func TestFilesComeCompressed(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"gzip": true, "gzip, deflate, br, zstd": true, "br;q=1.0, GZIP;q=0.8": true, "gzip;q=0": false, "gzip; q=0.0": false, "": false, "identity": false, "xgzip": false,
	} {
		for _, name := range []string{"css/portal.css", "widget/chat.js", "js/htmx.min.js"} {
			r := httptest.NewRequest(http.MethodGet, Path(name), nil)
			r.Header.Set("Accept-Encoding", accept)
			r.Header.Set("Range", "bytes=0-9") // of which there is no sense in a compressed file
			if !want {
				r.Header.Del("Range")
			}
			w := httptest.NewRecorder()
			Handler().ServeHTTP(w, r)
			h, body := w.Header(), w.Body.Bytes()
			if w.Code != http.StatusOK || h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Length") != strconv.Itoa(len(body)) || (h.Get("Content-Encoding") == "gzip") != want {
				t.Errorf("%s for %q: %d %v", name, accept, w.Code, h)
				continue
			}
			if want {
				z, err := gzip.NewReader(bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				if body, err = io.ReadAll(z); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(body, Body(name)) {
				t.Errorf("%s for %q is another file", name, accept)
			}
		}
	}
}

// What a browser has kept of one form it is not told to use for the other.
func TestFormsOfAFileHaveTagsOfTheirOwn(t *testing.T) {
	t.Parallel()
	ask := func(accept, match string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/widget.js", nil)
		r.Header.Set("Accept-Encoding", accept)
		if match != "" {
			r.Header.Set("If-None-Match", match)
		}
		w := httptest.NewRecorder()
		w.Header().Set("ETag", `"one"`)
		Serve(w, r, "widget/loader.js")
		return w
	}
	plain, packed := ask("", "").Header().Get("ETag"), ask("gzip", "").Header().Get("ETag")
	if plain != `"one"` || packed != `"one-gzip"` {
		t.Errorf("tags %s and %s", plain, packed)
	}
	for _, tt := range []struct {
		accept, match string
		status        int
	}{{"", plain, 304}, {"gzip", packed, 304}, {"gzip", plain, 200}, {"", packed, 200}} {
		w := ask(tt.accept, tt.match)
		if w.Code != tt.status || tt.status == 304 && (w.Body.Len() > 0 || w.Header().Get("Content-Length") != "") {
			t.Errorf("%q with %s: %d %v", tt.accept, tt.match, w.Code, w.Header())
		}
	}
	if n := ask("gzip", "").Body.Len(); n > 4<<10 {
		t.Errorf("what every page loads is %d bytes on the wire", n)
	}
}

func TestPicturesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 1000)
	for i := range noise {
		noise[i] = byte(i * i * 31 >> 3)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(noise)
	_ = z.Close()
	a := asset{body: packed.Bytes(), mime: "image/png"}
	a.zipped = zipped(a.body)
	r := httptest.NewRequest(http.MethodGet, "/x.png", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	a.serve(w, r)
	if w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "" || !bytes.Equal(w.Body.Bytes(), a.body) {
		t.Errorf("%v", w.Header())
	}
}
