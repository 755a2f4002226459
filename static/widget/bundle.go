// Package widget turns the sources of the embeddable chat into the files that browsers load: the loader, which every page of a site
// loads; the chat, loaded when a visitor opens it; parts that few visitors need; and the texts of each language besides English. The
// server must never import it: the bundles are committed, and only go generate and the tests need the bundler.
package widget

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Limits of the gzipped bundles, in bytes. A site's visitors pay for each of them.
const (
	LoaderLimit = 4 << 10
	ChatLimit   = 16 << 10
	MoreLimit   = 8 << 10
	LocaleLimit = 2 << 10
)

// Bundle is one file for the browser.
type Bundle struct {
	Name  string // loader.js, chat.js, more.js or a language's, such as de.js
	Limit int    // bytes, gzipped
	Body  []byte
}

// The newest syntax and CSS that the widget may rely on. Constructable style sheets, which it cannot do without, came to Safari with 16.4.
var engines = []api.Engine{
	{Name: api.EngineChrome, Version: "111"},
	{Name: api.EngineFirefox, Version: "113"},
	{Name: api.EngineSafari, Version: "16.4"},
}

// Build bundles and minifies the sources in dir. shadow is the mode of the widget's shadow root: closed, but for tests
// that look inside, open. It fails with what the bundler has to say about the sources.
func Build(dir, shadow string) ([]Bundle, error) {
	loader, err := bundle(filepath.Join(dir, "loader.js"), api.FormatIIFE, shadow)
	if err != nil {
		return nil, err
	}
	chat, err := bundle(filepath.Join(dir, "chat.js"), api.FormatESModule, shadow)
	if err != nil {
		return nil, err
	}
	more, err := bundle(filepath.Join(dir, "more.js"), api.FormatESModule, shadow)
	if err != nil {
		return nil, err
	}
	all := []Bundle{{"loader.js", LoaderLimit, loader}, {"chat.js", ChatLimit, chat}, {"more.js", MoreLimit, more}}
	locales, err := filepath.Glob(filepath.Join(dir, "locales", "*.js"))
	if err != nil {
		return nil, err
	}
	for _, file := range locales {
		texts, err := bundle(file, api.FormatESModule, shadow)
		if err != nil {
			return nil, err
		}
		all = append(all, Bundle{filepath.Base(file), LocaleLimit, texts})
	}
	return all, nil
}

func bundle(entry string, format api.Format, shadow string) ([]byte, error) {
	charset := api.CharsetUTF8 // which every module is
	if format == api.FormatIIFE {
		charset = api.CharsetASCII // a classic script is read in the encoding of the page, whatever that is
	}
	res := api.Build(api.BuildOptions{
		EntryPoints:       []string{entry},
		Bundle:            true,
		Format:            format,
		Engines:           engines,
		Define:            map[string]string{"ROOT_MODE": strconv.Quote(shadow)},
		Plugins:           []api.Plugin{cssAsText},
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Charset:           charset,
		LegalComments:     api.LegalCommentsNone,
	})
	if len(res.Errors) > 0 {
		return nil, fmt.Errorf("bundle %s: %w", filepath.Base(entry), messages(res.Errors))
	}
	return res.OutputFiles[0].Contents, nil
}

// cssAsText hands a style sheet to the script that imports it as a minified string, to be adopted by the shadow root.
var cssAsText = api.Plugin{Name: "css-as-text", Setup: func(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `\.css$`}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		source, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, err
		}
		res := api.Transform(string(source), api.TransformOptions{
			Loader: api.LoaderCSS, Engines: engines, MinifyWhitespace: true, MinifySyntax: true, Charset: api.CharsetUTF8,
		})
		if len(res.Errors)+len(res.Warnings) > 0 {
			return api.OnLoadResult{}, messages(append(res.Errors, res.Warnings...))
		}
		text := strings.TrimSpace(string(res.Code))
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderText}, nil
	})
}}

func messages(msgs []api.Message) error {
	var errs []error
	for _, m := range msgs {
		if m.Location != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %s", m.Location.File, m.Location.Line, m.Text))
		} else {
			errs = append(errs, errors.New(m.Text))
		}
	}
	return errors.Join(errs...)
}

// Gzipped is the size of the bundle as it travels, in bytes.
func (b Bundle) Gzipped() int {
	var buf bytes.Buffer
	z, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression) // the level is a good one
	z.Write(b.Body)                                         // a bytes.Buffer takes everything
	z.Close()
	return buf.Len()
}
