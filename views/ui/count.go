package ui

import "strconv"

// atMost writes n, but never more than two digits.
func atMost(n int) string {
	if n > 99 {
		return "99+"
	}
	return strconv.Itoa(n)
}
