// Package axe asks axe-core what on a page keeps people with disabilities from using it. It is for tests that drive a browser; it must
// never be part of the server.
//
// testdata/axe.min.js is axe-core 4.14.1 as npm has it, under the Mozilla Public License 2.0 beside it.
package axe

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js
var source string

// Every rule of WCAG 2.2 A and AA, and what axe-core thinks good practice. A rule's complaint is one line for each element.
const run = `axe.run(%s, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then((found) =>
	found.violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + v.help + ': ' + n.target.flat().join(' ') + ' ' + n.html.slice(0, 200) + ' ' + n.any.map((a) => a.message).join('; '))))`

// Problems lists what axe-core finds wrong with part of the page that ctx has open, a JavaScript expression such as document, or an element,
// open shadow roots in it included. What moves should have come to rest. It fails when the page cannot be looked at.
func Problems(ctx context.Context, part string) ([]string, error) {
	here, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!window.axe`))
	if err == nil && !here {
		_, err = chromedp.Run(ctx, chromedp.Evaluate[bool](source+"\n;true"))
	}
	if err != nil {
		return nil, fmt.Errorf("bring axe-core into the page: %w", err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](fmt.Sprintf(run, part), chromedp.EvalAwaitPromise))
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", part, err)
	}
	return found, nil
}
