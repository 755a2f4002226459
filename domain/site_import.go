package domain

import "time"

// ImportStatus is how far the reading of a site has come.
type ImportStatus string

const (
	ImportWaiting ImportStatus = "waiting"
	ImportRunning ImportStatus = "running"
	ImportDone    ImportStatus = "done"
	ImportFailed  ImportStatus = "failed"
)

// Open reports whether it goes on.
func (s ImportStatus) Open() bool { return s == ImportWaiting || s == ImportRunning }

// SiteImport is a site that is read into an organisation's knowledge, from its sitemap. An organisation has one at a time.
type SiteImport struct {
	OrgID          OrgID
	Sitemap        string // its address
	Language       string
	Classification Classification
	Status         ImportStatus
	Token          int64 // of whoever reads it
	Pages          int   // that the sitemap names
	Read           int   // of them so far
	Added          int
	Updated        int
	Unchanged      int
	Failed         map[string]string // address → why it could not be read
	Error          string            // why it came to nothing
	StartedAt      time.Time
	FinishedAt     time.Time
}
