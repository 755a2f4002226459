package domain

import "time"

// Organisation is a tenant. Nothing in the ledger crosses it.
type Organisation struct {
	ID        OrgID `bun:",pk"`
	Name      string
	Slug      string // for the command line; unique
	CreatedAt time.Time
}

// Role is what a user may do in their organisation.
type Role string

const (
	RoleOwner  Role = "owner"  // everything
	RoleMember Role = "member" // works the inbox
)

// User is a person with a login.
type User struct {
	ID        UserID `bun:",pk"`
	OrgID     OrgID
	Email     string // lower case
	Name      string
	Role      Role
	CreatedAt time.Time
}

// Article is a piece of knowledge an agent may answer from.
type Article struct {
	ID        ArticleID `bun:",pk"`
	OrgID     OrgID
	Title     string
	URL       string
	Content   string // Markdown
	Language  string // a Postgres text search configuration: english, german, simple …
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Passage is a place in an article that fits a query.
type Passage struct {
	Article ArticleID
	Title   string
	URL     string
	Snippet string  // plain text
	Body    string  // the whole article's content
	Rank    float64 // 0 < rank < 1: mostly the share of the question that the article speaks to; comparable within one search only
}

// APIKey lets a program act for an organisation. The key itself is shown once and kept only as a hash.
type APIKey struct {
	ID         APIKeyID `bun:",pk"`
	OrgID      OrgID
	Name       string
	Prefix     string // first characters, to recognise it by
	CreatedAt  time.Time
	LastUsedAt time.Time `bun:",nullzero"` // zero = never
}
