package ui

import "strconv"

// AtMost writes n, but never more than two digits.
func AtMost(n int) string {
	if n > 99 {
		return "99+"
	}
	return strconv.Itoa(n)
}
