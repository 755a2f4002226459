package main

import "testing"

// chosen puts a picture that the page has drawn, and a text, into the widget's file chooser.
const chosen = `new Promise((done) => { const c = document.createElement('canvas'); c.width = 400; c.height = 300; c.getContext('2d').fillRect(20, 20, 200, 200);
	c.toBlob((blob) => { const data = new DataTransfer(), input = w('input[type=file]');
		data.items.add(new File([blob], 'fern.png', {type: 'image/png'})); data.items.add(new File(['a,b'], 'list.csv', {type: 'text/csv'}));
		input.files = data.files; input.dispatchEvent(new Event('change')); done(); }, 'image/png'); })`

// TestVisitorSendsFiles plays what the widget's own tests play against a fake: files go up to the real server, stand in the log as a picture and
// a card, and are still there after a reload.
func TestVisitorSendsFiles(t *testing.T) {
	t.Parallel()
	s := serve(t, environment(t), "--demo")
	v := newTab(t, 390, 844)
	v.visit(s.url + "/demo")
	v.click(`w('.launcher')`)
	v.wait(`w('.panel.on') && w('.clip') && !w('.chip').hidden`)
	v.js(chosen, nil)
	v.wait(`ww('.tray .ready').length === 2 && !w('.send').disabled`)
	v.shot("tray")
	v.fill(`w('textarea')`, "Is this one for sale?")
	v.enter()
	shown := `w('.visitor.sent .image canvas')?.width === 400 && w('.visitor .file b')?.innerText === 'list.csv'`
	v.wait(shown + ` && w('.tray').hidden`)
	v.wait(`ww('.agent .bubble').length > 1`)
	v.shot("sent")
	v.visit(s.url + "/demo")
	v.wait(`w('.panel.on')`)
	v.wait(shown)
}
