package attach

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxName = 100 // code points

// rename makes a name that is fit to be shown and to be saved under: no path, no control characters, nothing that turns the reading
// direction, no character that a file system refuses, and an extension of what the file is.
func rename(name string, is *format) string {
	name = strings.ToValidUTF8(name, "")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), unicode.Is(unicode.Co, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, name)
	ext := path.Ext(name)
	base := name
	if isExtension(ext) {
		base = strings.TrimSuffix(name, ext)
	}
	base = strings.TrimSuffix(strings.Trim(base, " ."), is.exts[0]) // invoice.pdf.exe
	if !slices.Contains(is.exts, strings.ToLower(ext)) {
		ext = is.exts[0]
	}
	for utf8.RuneCountInString(base) > maxName-len(ext) {
		_, n := utf8.DecodeLastRuneInString(base)
		base = base[:len(base)-n]
	}
	if base = strings.Trim(base, " ."); base == "" {
		base = "file"
	}
	return base + strings.ToLower(ext)
}

// isExtension tells an extension from what merely comes after a dot, as in "Plan 1.2 final".
func isExtension(ext string) bool {
	if len(ext) < 2 || len(ext) > 9 {
		return false
	}
	letter := false
	for _, c := range ext[1:] {
		letter = letter || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return letter
}
