package views

import "github.com/parley-chat/parley/views/ui"

// Paste is the page that brings several articles at once: a text or files to take apart, and what was found in them to look at.
type Paste struct {
	Frame     Frame
	Form      ui.Form
	Languages []string
	Found     []Pasted // empty = nothing was sent yet
}

// Pasted is one article that was found.
type Pasted struct {
	Title, Content, URL string
	Problem             string // a sentence
}

func (p Paste) languageOptions() []ui.Option {
	return ArticleForm{Languages: p.Languages}.languageOptions()
}
