// Package static holds the files browsers load, embedded in the binary and served under names that carry a hash of their
// content, so that they can be cached for good. It must never hold anything that depends on who asks.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:generate go run ./widget/build

//go:embed css demo js widget/dist
var files embed.FS

// Prefix is where Handler is mounted.
const Prefix = "/assets/"

// layers is the order in which the portal's style sheets overrule each other; each file names its own layer.
const layers = "@layer reset, tokens, base, components, pages;\n"

type asset struct {
	body   []byte
	mime   string
	zipped func() []byte // body compressed; nil where that saves next to nothing
}

var (
	byHashed = map[string]asset{}  // css/portal.5f2c….css → its content
	hashed   = map[string]string{} // css/portal.css → /assets/css/portal.5f2c….css
)

func init() {
	var css bytes.Buffer
	css.WriteString(layers)
	must(fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		if path.Dir(name) == "css" { // one file per component in the tree, one file over the wire
			css.Write(body)
			return nil
		}
		add(strings.Replace(name, "widget/dist/", "widget/", 1), body)
		return nil
	}))
	add("css/portal.css", css.Bytes())
}

func add(name string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	at := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	byHashed[at] = asset{body, mime.TypeByExtension(ext), zipped(body)}
	hashed[name] = Prefix + at
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Path is the URL path of a file, such as css/portal.css, js/htmx.js or widget/chat.js. An unknown name is a programming error and panics.
func Path(name string) string {
	p, ok := hashed[name]
	if !ok {
		panic("static: no such file: " + name)
	}
	return p
}

// Names lists every file that Path knows, sorted.
func Names() []string {
	var names []string
	for n := range hashed {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Body is the content behind Path(name), for files that are also served under a name of their own.
func Body(name string) []byte { return byHashed[strings.TrimPrefix(Path(name), Prefix)].body }

// Handler serves everything Path names, readable from any origin because the widget runs on other people's pages.
func Handler() http.Handler {
	return http.StripPrefix(Prefix, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := byHashed[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		a.serve(w, r)
	}))
}
