package widget

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for anything; only a broken widget takes so long.
const patience = 15 * time.Second

var browser context.Context

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	path := ""
	for _, name := range []string{"chromium-headless-shell", "headless-shell", "chromium", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		fmt.Fprintln(os.Stderr, "widget: these tests drive the widget in a browser, and there is no Chromium on PATH")
		return 1
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("hide-scrollbars", true))...)
	defer stop()
	ctx, cancel := chromedp.NewContext(alloc)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "widget: start the browser:", err)
		return 1
	}
	browser = ctx
	return m.Run()
}

var built sync.Map // shadow mode → func() ([]Bundle, error)

func bundles(t *testing.T, shadow string) []Bundle {
	t.Helper()
	once, _ := built.LoadOrStore(shadow, sync.OnceValues(func() ([]Bundle, error) { return Build("src", shadow) }))
	b, err := once.(func() ([]Bundle, error))()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tab is a visitor's browser with a site open in it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	site string

	mu       sync.Mutex
	console  []string // all that was written to it
	problems []string // of that, what nobody wants to read there
}

// visit opens a page that embeds the widget of f under the strictest policy the widget promises to work with, and waits
// for the launcher. More script tags can be given; they stand before the widget's own.
func visit(t *testing.T, f *fake, scripts ...string) *tab {
	t.Helper()
	v := newTab(t, f, scripts...)
	v.load()
	return v
}

func newTab(t *testing.T, f *fake, scripts ...string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	v := &tab{t: t, ctx: ctx, site: site(t, f, scripts...)}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			v.mu.Lock()
			v.console = append(v.console, m.Text)
			v.mu.Unlock()
			// A refused connection or origin is what some tests are about; Chromium reports each to the console.
			if slices.Contains([]chromedp.ConsoleType{chromedp.ConsoleError, chromedp.ConsoleException}, m.Type) && !strings.Contains(m.Text, "Failed to load resource") && !strings.Contains(m.Text, "WebSocket connection to") && !strings.Contains(m.Text, "blocked by CORS policy") {
				v.mu.Lock()
				v.problems = append(v.problems, m.Text)
				v.mu.Unlock()
			}
		}
	}()
	v.size(1280, 800)
	t.Cleanup(v.clean)
	return v
}

func site(t *testing.T, f *fake, scripts ...string) string {
	ws := strings.Replace(f.URL, "http", "ws", 1)
	var page strings.Builder
	page.WriteString(`<!doctype html><html lang="en"><title>A site</title><h1>A site</h1><button id="before">Buy</button>`)
	for _, s := range append(scripts, `<script async src="`+f.URL+`/widget.js" data-widget="`+key+`"></script>`) {
		page.WriteString(s)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/frame" {
			fmt.Fprint(w, `<!doctype html><html lang="en"><title>Around it</title><input id="outer" autofocus><iframe src="/" title="A site" width="1000" height="800"></iframe>`)
			return
		}
		w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src %[1]s 'sha256-%[2]s'; connect-src %[1]s %[3]s; style-src %[1]s; require-trusted-types-for 'script'", f.URL, stubHash, ws))
		fmt.Fprint(w, page.String())
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// clean fails the test if the page's console had complaints, such as of a broken policy.
func (v *tab) clean() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.problems {
		v.t.Errorf("console: %s", p)
	}
}

func (v *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		v.t.Fatal(err)
	}
}

func (v *tab) load() {
	v.t.Helper()
	v.do(chromedp.Navigate(v.site))
	v.wait(`$('.launcher')`)
}

func (v *tab) size(w, h int64) {
	v.t.Helper()
	v.do(chromedp.EmulateViewport(w, h))
}

func (v *tab) dark() {
	v.t.Helper()
	_, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	if err != nil {
		v.t.Fatal(err)
	}
}

// inside makes $ and $$ look into the widget's shadow root, which is open in the tests' build.
const inside = `(() => { const root = document.querySelector('parley-chat')?.shadowRoot;
	const $ = (s) => root?.querySelector(s), $$ = (s) => [...(root?.querySelectorAll(s) || [])];
	return (%s); })()`

// js evaluates an expression and decodes its value into to, unless that is nil.
func (v *tab) js(expr string, to any) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("Promise.resolve("+inside+").then((v) => JSON.stringify(v ?? null))", expr), chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%s: %v", expr, err)
	}
	if to == nil {
		return
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		v.t.Fatalf("%s: %v in %s", expr, err, text)
	}
}

// wait waits until an expression is true.
func (v *tab) wait(expr string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](fmt.Sprintf("!!"+inside, expr), chromedp.WithPollingInterval(10*time.Millisecond))); err != nil {
		var html string
		v.js(`$('.panel')?.outerHTML`, &html)
		v.t.Fatalf("waiting for %s: %v\n%s", expr, err, html)
	}
}

// open opens the chat, unless the tab has done so by itself, and waits until it is connected.
func (v *tab) open(f *fake) {
	v.t.Helper()
	v.js(`Parley.open()`, nil)
	v.wait(`$('.panel.on')`)
	eventually(v.t, "a connection", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.lines) > 0 })
}

// write types into whatever has the focus, which should be the composer, and presses Enter.
func (v *tab) write(text string) {
	v.t.Helper()
	v.do(chromedp.KeyEvent(text), enter)
}

// tells writes and waits until the server has it, so that an answer comes after it.
func (v *tab) tells(f *fake, text string) {
	v.t.Helper()
	v.write(text)
	eventually(v.t, "the server has "+text, func() bool { return f.holds(text) })
}

// enter presses the key as a keyboard does; chromedp's own "\r" would type a line break even where the page forbids it.
var enter = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	for _, typ := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: typ, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13})
		if err != nil {
			return err
		}
	}
	return nil
})

// rows lists the messages in the log as side: words, or side (state): words when one is not sent.
func (v *tab) rows() []string {
	v.t.Helper()
	var rows []string
	v.js(`$$('.row:not(.typing)').map((r) => r.classList[1] + (r.classList.contains('sent') ? '' : ' (' + r.classList[r.classList.length - 1] + ')') + ': ' + r.querySelector('.bubble').innerText)`, &rows)
	return rows
}

// shows waits until the log shows exactly these rows after the greeting, and fails with the difference.
func (v *tab) shows(want ...string) {
	v.t.Helper()
	var got []string
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if got = v.rows(); len(got) > 0 && slices.Equal(got[1:], want) {
			return
		}
	}
	v.t.Fatalf("the log shows\n%s\nwant\n%s", strings.Join(got[min(1, len(got)):], "\n"), strings.Join(want, "\n"))
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}
