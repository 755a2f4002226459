package ledger

import (
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// snippetChars bounds a passage's snippet, in Unicode code points.
const snippetChars = 280

var (
	fenceLine  = regexp.MustCompile("^\\s*(```|~~~)")
	ruleLine   = regexp.MustCompile(`^\s*([-*_=]\s*){3,}$`)
	tableRule  = regexp.MustCompile(`^\s*\|?(\s*:?-+:?\s*\|)+(\s*:?-+:?\s*)?$`)
	definition = regexp.MustCompile(`^\s{0,3}\[[^\]]+\]:\s+\S+`)
	heading    = regexp.MustCompile(`^\s{0,3}#{1,6}\s+(.*?)\s*#*$`)
	listItem   = regexp.MustCompile(`^\s*(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?`)

	linkOrImage = regexp.MustCompile(`!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])`)
	autolink    = regexp.MustCompile(`<((?:https?://|mailto:)[^>\s]+)>`)
	htmlTag     = regexp.MustCompile(`</?[a-zA-Z][^>]*>|<!--.*?-->`)
	strong      = regexp.MustCompile("\\*\\*|__|~~|`+")
	emphasis    = regexp.MustCompile(`(^|[^\pL\pN*_\\])[*_]([^\s*_](?:[^*_]*[^\s*_])?)[*_]($|[^\pL\pN*_])`)
	escaped     = regexp.MustCompile(`\\([!-/:-@\[-` + "`" + `{-~])`)
)

// plainText is what a Markdown text says, on one line: without marks, link targets and rules, and with a stop wherever only the
// layout had one.
func plainText(markdown string) string {
	var out strings.Builder
	var last rune // that was written
	parted := false
	for line := range strings.Lines(markdown) {
		text, begins, ends := plainLine(line)
		parted = parted || begins
		if text == "" {
			continue
		}
		if out.Len() > 0 {
			if parted && (unicode.IsLetter(last) || unicode.IsDigit(last) || last == ')' || last == '€' || last == '%') {
				out.WriteByte(';')
			}
			out.WriteByte(' ')
		}
		out.WriteString(text)
		last, _ = utf8.DecodeLastRuneInString(text)
		parted = ends
	}
	return out.String()
}

// plainLine is one line without its marks, and whether what it stands in begins or ends with it.
func plainLine(line string) (text string, begins, ends bool) {
	line = strings.TrimLeft(strings.TrimSpace(line), "> ")
	switch {
	case line == "", fenceLine.MatchString(line), ruleLine.MatchString(line), tableRule.MatchString(line), definition.MatchString(line):
		return "", true, true
	case heading.MatchString(line):
		text = plainInline(heading.FindStringSubmatch(line)[1])
		if last, _ := utf8.DecodeLastRuneInString(text); text != "" && !unicode.IsPunct(last) {
			text += ":"
		}
		return text, true, true
	case strings.HasPrefix(line, "|"):
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			if cell = plainInline(cell); cell != "" {
				cells = append(cells, cell)
			}
		}
		return strings.Join(cells, " · "), true, true
	case listItem.MatchString(line):
		return plainInline(listItem.ReplaceAllString(line, "")), true, false
	}
	return plainInline(line), false, false
}

func plainInline(s string) string {
	s = linkOrImage.ReplaceAllString(s, "$1")
	s = autolink.ReplaceAllString(s, "$1")
	s = htmlTag.ReplaceAllString(s, "")
	s = strong.ReplaceAllString(s, "")
	s = emphasis.ReplaceAllString(s, "$1$2$3")
	s = escaped.ReplaceAllString(s, "$1")
	return strings.Join(strings.Fields(html.UnescapeString(s)), " ")
}

// snippet is the part of a plain text around a fragment of it: from the beginning of a sentence, if one is near, to the end of
// one or to a whole word, in at most snippetChars characters.
func snippet(plain, fragment string) string {
	at := max(strings.Index(plain, strings.TrimSpace(fragment)), 0)
	text := plain[sentenceStart(plain, at):]
	if utf8.RuneCountInString(text) <= snippetChars {
		return text
	}
	text = firstChars(text, snippetChars-1)
	if end := lastStop(text); end >= len(text)/2 {
		return strings.TrimSuffix(text[:end], ";")
	}
	if space := strings.LastIndexByte(text, ' '); space > 0 {
		text = text[:space]
	}
	return strings.TrimRightFunc(text, func(c rune) bool { return unicode.IsPunct(c) || unicode.IsSpace(c) }) + "…"
}

// sentenceStart is where the sentence around at begins, or at itself if that is too far before.
func sentenceStart(plain string, at int) int {
	const near = 160 // bytes: more, and the fragment itself could fall off the end
	if start := lastStop(plain[:at]); at-start <= near {
		return start + len(plain[start:]) - len(strings.TrimLeft(plain[start:], " "))
	}
	return at
}

// lastStop is where the last sentence that is complete in text ends, 0 if none is.
func lastStop(text string) int {
	end := 0
	for i, c := range text {
		if !strings.ContainsRune(".!?;", c) {
			continue
		}
		if next := i + utf8.RuneLen(c); next == len(text) || text[next] == ' ' {
			end = next
		}
	}
	return end
}

func firstChars(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
