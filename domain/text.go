package domain

import "strings"

// Storable is s as Postgres can hold it: without NUL, and with U+FFFD in place of what is not UTF-8.
func Storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
