package static

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// zipped is body compressed as far as gzip can, or nil where that saves next to nothing. It is made when somebody asks first.
func zipped(body []byte) func() []byte {
	return sync.OnceValue(func() []byte {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		must(err)
		_, err = z.Write(body)
		must(err)
		must(z.Close())
		if b.Len() > len(body)*9/10 {
			return nil
		}
		return b.Bytes()
	})
}

// Serve answers with the file called name, compressed for whoever takes it so: a proxy in front need not. The caller has set the headers
// that say how long it may be kept, and an ETag, if it has one, of what is in it.
func Serve(w http.ResponseWriter, r *http.Request, name string) {
	byHashed[strings.TrimPrefix(Path(name), Prefix)].serve(w, r)
}

func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", a.mime)
	}
	body := a.zipped()
	if body == nil {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
		return
	}
	h.Add("Vary", "Accept-Encoding")
	if !takesGzip(r) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
		return
	}
	if tag := h.Get("ETag"); tag != "" {
		h.Set("ETag", strings.TrimSuffix(tag, `"`)+`-gzip"`)
	}
	h.Set("Content-Encoding", "gzip")
	h.Set("Content-Length", strconv.Itoa(len(body))) // which ServeContent leaves to us, so it must not be asked for a part
	whole := r.Clone(r.Context())
	whole.Header.Del("Range")
	http.ServeContent(w, whole, "", time.Time{}, bytes.NewReader(body))
}

// takesGzip reports whether an answer may come as gzip.
func takesGzip(r *http.Request) bool {
	for _, line := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(part, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			q, given := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
			weight, err := strconv.ParseFloat(q, 64)
			return !given || err == nil && weight > 0
		}
	}
	return false
}
