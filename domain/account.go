package domain

import "time"

// Organisation is a tenant. Nothing in the ledger crosses it.
type Organisation struct {
	ID        OrgID `bun:",pk"`
	Name      string
	Slug      string // for the command line; unique
	CreatedAt time.Time
}

// Recording is what the flight recorder keeps of an organisation's turns.
type Recording struct {
	Content RecordContent // of what models were asked and said
	Days    int           // how long the details of a turn's steps are kept; 0 = for ever
}

// RecordContent says how much of a model's prompts and responses is kept.
type RecordContent string

const (
	RecordOff      RecordContent = "off"      // nothing
	RecordMetadata RecordContent = "metadata" // how long they were
	RecordFull     RecordContent = "full"     // every word
)

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

// Invitation is a link that somebody chooses a password with: one who is to join, or one of the team who has lost theirs. It works once.
type Invitation struct {
	ID        InvitationID `bun:",pk"`
	OrgID     OrgID
	UserID    UserID `bun:",nullzero"` // whose password it is; empty: somebody who is to join
	Email     string // lower case
	Role      Role   // that they get, or have
	InvitedBy UserID `bun:",nullzero"` // empty: a program with an API key
	CreatedAt time.Time
	ExpiresAt time.Time

	Mail *InvitationMail `bun:"-"` // the last one that took it to them; nil: none did
}

// InvitationMail is how it stands with a mail that takes an invitation to somebody.
type InvitationMail struct {
	ID       DeliveryID
	Status   string // queued, running, done or dead
	Attempts int
	Error    string    // what the last attempt came to; empty: it went well, or there was none
	At       time.Time // of the last thing that happened to it
}

// Open reports whether it may still be sent.
func (m *InvitationMail) Open() bool {
	return m != nil && (m.Status == "queued" || m.Status == "running")
}

// Article is a piece of knowledge an agent may answer from.
type Article struct {
	ID       ArticleID `bun:",pk"`
	OrgID    OrgID
	Title    string
	URL      string
	Content  string // Markdown
	Language string // a Postgres text search configuration: english, german, simple …

	Classification Classification `bun:",nullzero,default:'PUBLIC'"`
	Source         string         // the file or page an import found it in; empty = written by hand

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Classification says who may learn of something.
type Classification string

const (
	ClassPublic       Classification = "PUBLIC"       // everybody; what is said with visitors
	ClassInternal     Classification = "INTERNAL"     // the organisation's people
	ClassConfidential Classification = "CONFIDENTIAL" // some of them
)

// Classifications are all there are, from the most open to the most closed.
func Classifications() []Classification {
	return []Classification{ClassPublic, ClassInternal, ClassConfidential}
}

// Passage is a place in an article that fits a query.
type Passage struct {
	Article ArticleID
	Title   string
	URL     string
	Snippet string  // plain text
	Body    string  // the whole article's content
	Query   string  // the question as it was understood, where a misspelt word was taken for another; else empty
	Rank    float64 // 0 < rank < 1: mostly the share of the question that the article speaks to; comparable within one search only
}
