package widget

import (
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestReal(t *testing.T) {
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer cancel()
	v := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	msgs := chromedp.Console(ctx)
	go func() {
		for m, err := range msgs {
			if err != nil {
				return
			}
			t.Log("console", m.Type, m.Text)
		}
	}()
	shot := func(n string) {
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile("/tmp/wshots/real-"+n+".png", png, 0o644)
	}
	v.size(1280, 800)
	v.do(chromedp.Navigate("http://127.0.0.1:18100/demo"))
	time.Sleep(700 * time.Millisecond)
	shot("1")
	v.do(chromedp.MouseClickXY(1232, 752))
	time.Sleep(900 * time.Millisecond)
	shot("2")
	v.write("How long does shipping to Sweden take?")
	time.Sleep(3500 * time.Millisecond)
	shot("3")
	v.write("My bag has a hole. Is that covered by the warranty?")
	time.Sleep(3500 * time.Millisecond)
	shot("4")
	v.write("Can I talk to a person?")
	time.Sleep(3500 * time.Millisecond)
	shot("5")
	v.do(chromedp.Reload())
	time.Sleep(1500 * time.Millisecond)
	shot("6")
	v.do(chromedp.MouseClickXY(1232, 752))
	time.Sleep(900 * time.Millisecond)
	shot("7")
}
