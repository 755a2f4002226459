package ledger

import "github.com/parley-chat/parley/domain"

// Grams are the numbers by which a text is found.
func Grams(org domain.OrgID, text string) []int32 { return grams(org, text) }
