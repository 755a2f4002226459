package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// shotsDir is where the tests leave screenshots for a person to look at; empty = nowhere.
var shotsDir = os.Getenv("PARLEY_TEST_SHOTS")

// browser starts one Chromium for all tests of the package.
var browser = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range []string{"chromium-headless-shell", "headless-shell", "chromium", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, fmt.Errorf("there is no Chromium on PATH")
	}
	alloc, _ := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Flag("hide-scrollbars", true))...)
	ctx, _ := chromedp.NewContext(alloc) // both end with the test process
	return ctx, chromedp.Do(ctx)
})

// tab is one person's browser, with cookies and storage of its own.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string // what the console had to say that nobody wants to read there
}

// openShadows lets tests look into the widget's shadow root, which is closed for everybody else.
const openShadows = `{ const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (o) { return attach.call(this, { ...o, mode: 'open' }) } }`

func newTab(t testing.TB, width, height int64) *tab {
	t.Helper()
	root, err := browser()
	if err != nil {
		t.Fatalf("this test needs a browser: %v", err)
	}
	ctx, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: openShadows}); err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if slices.Contains([]chromedp.ConsoleType{chromedp.ConsoleError, chromedp.ConsoleException}, m.Type) {
				b.mu.Lock()
				b.problems = append(b.problems, m.Text)
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.problems {
			t.Errorf("console: %s", p)
		}
	})
	return b
}

func (b *tab) theme(name string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) resize(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) visit(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// scope gives a page's script $ and $$ for the page, and w and ww for the widget's insides.
const scope = `(() => { const root = document.querySelector('parley-chat')?.shadowRoot;
const $ = (s) => document.querySelector(s), $$ = (s) => [...document.querySelectorAll(s)];
const w = (s) => root?.querySelector(s), ww = (s) => [...(root?.querySelectorAll(s) || [])];
return (%s); })()`

// js evaluates an expression and decodes its value into to, unless that is nil.
func (b *tab) js(expr string, to any) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf("Promise.resolve("+scope+").then((v) => JSON.stringify(v ?? null))", expr), chromedp.EvalAwaitPromise))
	if err == nil && to != nil {
		err = json.Unmarshal([]byte(text), to)
	}
	if err != nil {
		b.t.Fatalf("%s: %v", expr, err)
	}
}

// wait waits until an expression is true, across navigations.
func (b *tab) wait(expr string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	look := chromedp.Evaluate[bool](fmt.Sprintf("(() => { try { return !!"+scope+" } catch { return false } })()", expr))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := chromedp.Run(ctx, look); err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.shot("failed")
			var text string
			b.js(`location.pathname + ' ' + document.body.innerText + ' WIDGET ' + (w('.panel')?.innerText ?? '')`, &text)
			b.t.Fatalf("never saw %s\n%s", expr, text)
		}
	}
}

// click clicks what an expression finds, once it is there.
func (b *tab) click(expr string) {
	b.t.Helper()
	b.wait(expr)
	b.js(`(`+expr+`).click()`, nil)
}

// fill types text into what an expression finds, once it is there.
func (b *tab) fill(expr, text string) {
	b.t.Helper()
	b.wait(expr)
	b.js(`(`+expr+`).focus()`, nil)
	if _, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		b.t.Fatal(err)
	}
}

// enter presses the key.
func (b *tab) enter() {
	b.t.Helper()
	for _, typ := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: typ, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// shot leaves a screenshot of what the tab shows, if anybody wants to look.
func (b *tab) shot(name string) {
	b.t.Helper()
	if shotsDir == "" {
		return
	}
	time.Sleep(400 * time.Millisecond) // animations should have ended in a picture; nothing is asserted on it
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	name = strings.NewReplacer("/", "-").Replace(b.t.Name()) + "-" + name + ".png"
	if err := os.WriteFile(filepath.Join(shotsDir, name), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// signIn opens the portal as the demo's owner.
func (b *tab) signIn(s *server) {
	b.t.Helper()
	b.visit(s.url + "/")
	b.fill(`$('input[name=email]')`, "demo@parley.local")
	b.fill(`$('input[name=password]')`, "parley-demo")
	b.click(`$('form[action="/signin"] button[type=submit]')`)
	b.wait(`location.pathname.startsWith('/inbox')`)
}
