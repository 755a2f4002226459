package domain

import "strings"

// spoken picks what is said in a locale's language, English where we do not speak it.
func spoken[T any](texts map[string]T, locale string) T {
	lang, _, _ := strings.Cut(strings.ToLower(locale), "-")
	if t, ok := texts[lang]; ok {
		return t
	}
	return texts["en"]
}
