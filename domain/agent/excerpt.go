package agent

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// block is a paragraph, a list, a table or a piece of code of a Markdown text.
type block struct {
	pieces  []string // what may be cut apart: sentences, items, lines
	glue    string   // what stands between them
	fenced  bool     // code; the pieces are without the fences
	heading string   // above it
	section int      // blocks under the same heading share it
}

// prose reports whether the block is a paragraph. Other blocks seldom stand well without the paragraph before them.
func (b block) prose() bool { return b.glue == " " }

func (b block) text() string {
	text := strings.Join(b.pieces, b.glue)
	if b.fenced {
		return "```\n" + text + "\n```"
	}
	return text
}

// excerpt is the part of a Markdown text that speaks to the question best, in whole blocks if they fit into about limit
// characters and else in whole sentences or items. Headings are left out. It is empty only if the text has nothing else.
func excerpt(markdown string, question []string, limit int) string {
	blocks := blocksOf(markdown)
	if len(blocks) == 0 {
		return ""
	}
	scores := make([]float64, len(blocks))
	best := 0
	weights := weigh(blocks, question)
	for i, b := range blocks {
		scores[i] = score(b.text(), weights) + score(b.heading, weights)/2
		if scores[i] > scores[best] {
			best = i
		}
	}
	start := best
	if start > 0 && leadsTo(blocks[start-1], blocks[best]) && utf8.RuneCountInString(blocks[start-1].text()) <= limit/2 {
		start--
	}
	var parts []string
	used := 0
	for i := start; i < len(blocks) && blocks[i].section == blocks[best].section; i++ {
		room, text := limit-used, blocks[i].text()
		if utf8.RuneCountInString(text) > room {
			if i == best || introduces(blocks[i-1]) {
				parts = append(parts, window(blocks[i], weights, room))
			}
			break
		}
		if i > best && scores[i] == 0 && !introduces(blocks[i-1]) {
			break
		}
		parts = append(parts, text)
		used += utf8.RuneCountInString(text) + 2
	}
	return strings.Join(parts, "\n\n")
}

// leadsTo reports whether b reads badly without a, the block before it.
func leadsTo(a, b block) bool { return a.section == b.section && (introduces(a) || !b.prose()) }

// introduces reports whether a block makes no sense without the next.
func introduces(b block) bool { return strings.HasSuffix(b.pieces[len(b.pieces)-1], ":") }

// window cuts a block that is too long to the pieces around the best one: from its beginning if the best one is then still
// in, else from the best one on.
func window(b block, weights []weight, limit int) string {
	best, top := 0, -1.0
	for i, piece := range b.pieces {
		if s := score(piece, weights); s > top {
			best, top = i, s
		}
	}
	from := 0
	if utf8.RuneCountInString(strings.Join(b.pieces[:best+1], b.glue)) > limit {
		from = best
	}
	to := from + 1
	for to < len(b.pieces) && utf8.RuneCountInString(strings.Join(b.pieces[from:to+1], b.glue)) <= limit {
		to++
	}
	b.pieces = slices.Clone(b.pieces[from:to])
	b.pieces[0] = clip(b.pieces[0], max(limit, 80))
	return b.text()
}

// weight is what a word of the question is worth.
type weight struct {
	word  string
	worth float64
}

// weigh gives every word of the question its worth: the fewer blocks speak of it, the more.
func weigh(blocks []block, question []string) []weight {
	var weights []weight
	for _, q := range question {
		in := 1
		for _, b := range blocks {
			if len(without([]string{q}, b.text())) == 0 {
				in++
			}
		}
		weights = append(weights, weight{q, 1 / float64(in)})
	}
	return weights
}

func score(text string, weights []weight) float64 {
	words := wordsOf(text)
	sum := 0.0
	for _, q := range weights {
		if slices.ContainsFunc(words, func(w word) bool { return akin(q.word, w.text) }) {
			sum += q.worth
		}
	}
	return sum
}

var (
	headingLine = regexp.MustCompile(`^ {0,3}#{1,6}(\s+|$)`)
	underline   = regexp.MustCompile(`^ {0,3}(=+|-+)\s*$`)
	ruleLine    = regexp.MustCompile(`^ {0,3}([-*_] *){3,}$`)
	itemLine    = regexp.MustCompile(`^\s*([-*+]|\d{1,9}[.)])\s+\S`)
	image       = regexp.MustCompile(`!\[[^\]]*\]\([^)]*\)`)
	markup      = regexp.MustCompile("(?m)[*_`]+|^\\s*[-+>]\\s+")
	link        = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// blocksOf takes Markdown apart, without its headings, rules and images.
func blocksOf(markdown string) []block {
	var blocks []block
	var heading string
	section := 0
	lines := slices.Collect(strings.Lines(strings.ReplaceAll(image.ReplaceAllString(markdown, ""), "\r\n", "\n")))
	for i := 0; i < len(lines); {
		line := strings.TrimRight(lines[i], " \t\n")
		switch {
		case strings.TrimSpace(line) == "" || ruleLine.MatchString(line):
			i++
		case headingLine.MatchString(line):
			heading, section = strings.Trim(line, "# \t"), section+1
			i++
		case i+1 < len(lines) && underline.MatchString(lines[i+1]) && !itemLine.MatchString(line):
			heading, section = strings.TrimSpace(line), section+1
			i += 2
		default:
			b, n := blockAt(lines[i:])
			b.heading, b.section = heading, section
			if len(b.pieces) > 0 {
				blocks = append(blocks, b)
			}
			i += n
		}
	}
	return blocks
}

// blockAt reads the block that begins with the first line and says how many lines it took.
func blockAt(lines []string) (b block, n int) {
	if fence := strings.TrimSpace(lines[0]); strings.HasPrefix(fence, "```") || strings.HasPrefix(fence, "~~~") {
		return fencedAt(lines, fence[:3])
	}
	isList, isTable := itemLine.MatchString(lines[0]), strings.HasPrefix(strings.TrimSpace(lines[0]), "|")
	var taken []string
	for _, line := range lines {
		line = strings.TrimRight(line, " \t\n")
		if strings.TrimSpace(line) == "" || n > 0 && (headingLine.MatchString(line) || !isList && itemLine.MatchString(line)) {
			break
		}
		n++
		if isList && len(taken) > 0 && !itemLine.MatchString(line) {
			taken[len(taken)-1] += "\n" + line // goes on with the item
		} else {
			taken = append(taken, line)
		}
	}
	if isList || isTable {
		return block{pieces: taken, glue: "\n"}, n
	}
	for i := range taken {
		taken[i] = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(taken[i]), ">"))
	}
	return block{pieces: sentences(strings.Join(taken, " ")), glue: " "}, n
}

func fencedAt(lines []string, fence string) (b block, n int) {
	b = block{glue: "\n", fenced: true}
	for n = 1; n < len(lines); n++ {
		if strings.HasPrefix(strings.TrimSpace(lines[n]), fence) {
			return b, n + 1
		}
		b.pieces = append(b.pieces, strings.TrimRight(lines[n], " \t\n"))
	}
	return b, n
}

// sentences parts a paragraph at the ends of its sentences. A dot after a single letter, a number or a known abbreviation
// does not end one, nor does one before a lower-case letter.
func sentences(paragraph string) []string {
	var found []string
	words := strings.Fields(paragraph)
	from := 0
	for i, w := range words {
		last := i == len(words)-1
		if last || endsSentence(w) && !startsLower(words[i+1]) {
			found = append(found, strings.Join(words[from:i+1], " "))
			from = i + 1
		}
	}
	return found
}

func endsSentence(w string) bool {
	w = strings.TrimRight(w, `"'”’»)*_`)
	if strings.HasSuffix(w, "!") || strings.HasSuffix(w, "?") || strings.HasSuffix(w, "…") {
		return true
	}
	stem, ok := strings.CutSuffix(w, ".")
	if !ok {
		return false
	}
	stem = strings.ToLower(strings.TrimLeft(stem, `"'“„«(*_`))
	number := stem != "" && !strings.ContainsFunc(stem, func(c rune) bool { return !unicode.IsDigit(c) })
	return utf8.RuneCountInString(stem) > 1 && !(number && len(stem) < 3) && !slices.Contains(abbreviations, stem)
}

var abbreviations = []string{"e.g", "i.e", "etc", "vs", "mr", "mrs", "ms", "dr", "no", "st", "approx", "incl", "z.b", "d.h", "u.a", "bzw", "ca", "inkl", "nr", "usw", "p.ex", "ej", "p.m", "a.m"}

func startsLower(w string) bool {
	c, _ := utf8.DecodeRuneInString(strings.TrimLeft(w, `"'“„«(*_`))
	return unicode.IsLower(c)
}

// unmarked is Markdown as plain text, near enough for a snippet.
func unmarked(text string) string {
	return strings.TrimSpace(markup.ReplaceAllString(link.ReplaceAllString(text, "$1"), ""))
}
