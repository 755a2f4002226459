package widget

import (
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

func TestTiersReal(t *testing.T) {
	for name, patch := range map[string]string{
		"sse":  `window.WebSocket = function(){ throw new Error('blocked') }`,
		"poll": `window.WebSocket = function(){ throw new Error('blocked') }; const of = fetch; window.fetch = (u, o) => String(u).includes('/events') ? new Promise(() => {}) : of(u, o)`,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
			defer cancel()
			v := &tab{t: t, ctx: ctx}
			if err := chromedp.Do(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: patch}); err != nil {
				t.Fatal(err)
			}
			v.size(1280, 800)
			v.do(chromedp.Navigate("http://127.0.0.1:18100/demo"))
			time.Sleep(700 * time.Millisecond)
			v.do(chromedp.MouseClickXY(1232, 752))
			time.Sleep(900 * time.Millisecond)
			v.write("What are your opening hours?")
			time.Sleep(9 * time.Second)
			v.write("How do I clean a bag?")
			time.Sleep(5 * time.Second)
			png, _ := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			os.WriteFile("/tmp/wshots/tier-"+name+".png", png, 0o644)
			var reqs []string
			v.js(`performance.getEntriesByType('resource').map((e) => e.name.replace(/.*\/w\/[^/]*/, '').slice(0, 60))`, &reqs)
			t.Log(reqs)
		})
	}
}
