package domain

import (
	"slices"
	"time"
)

// APIKey lets a program act for an organisation. The key itself is shown once and kept only as a hash.
type APIKey struct {
	ID         APIKeyID `bun:",pk"`
	OrgID      OrgID
	Name       string
	Prefix     string // first characters, to recognise it by
	Scope      Scope
	ExpiresAt  time.Time `bun:",nullzero"` // zero = never
	CreatedAt  time.Time
	LastUsedAt time.Time `bun:",nullzero"` // zero = never
}

// Scope is how far a key reaches. Each includes those before it.
type Scope string

const (
	ScopeRead  Scope = "read"  // whatever there is to read, but no secrets and no keys
	ScopeWrite Scope = "write" // also what the team does: in threads and with contacts
	ScopeAdmin Scope = "admin" // also what only owners do: set things up, spend (as on trying an agent out), delete, and make keys
)

// Scopes are all there are, from the narrowest to the widest.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeWrite, ScopeAdmin} }

// Require fails with Forbidden unless the key reaches as far as need, and says what it would take.
func (k APIKey) Require(need Scope) error {
	wanted := slices.Index(Scopes(), need)
	if wanted >= 0 && slices.Index(Scopes(), k.Scope) >= wanted {
		return nil
	}
	return &Error{Kind: Forbidden, Msg: "this needs an API key with the scope " + string(need) + ", and yours has " + string(k.Scope)}
}
