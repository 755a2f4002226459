package domain

import (
	"strings"
	"testing"
)

func TestIsPhone(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]bool{
		"112": true, "+49 (30) 123-45/67.8": true, "٠١٢٣٤٥": true, strings.Repeat("1", 20): true, strings.Repeat("1 ", 20): true,
		"": false, "12": false, "+-()": false, "555-CALL": false, "0301234\n": false, strings.Repeat("1", 21): false, strings.Repeat("1  ", 20): false,
	} {
		if got := IsPhone(number); got != want {
			t.Errorf("IsPhone(%q) = %v", number, got)
		}
	}
}
