package domain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsPhone reports whether s may be a phone number, as people write them: 3 to 20 digits with +, -, /, dots, brackets
// and spaces between, in at most 40 characters.
func IsPhone(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			digits++
		case !strings.ContainsRune("+-()/. ", r):
			return false
		}
	}
	return digits >= 3 && digits <= 20 && utf8.RuneCountInString(s) <= 40
}
