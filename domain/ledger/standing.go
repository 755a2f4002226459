package ledger

import "github.com/parley-chat/parley/domain"

// Standing is who has a thread and how far everybody has come in it.
type Standing struct {
	Position
	Handling     domain.Handling
	AssigneeID   domain.UserID
	AssigneeName string
	AskEmail     bool            // the contact has waited for too long, and we do not know where else to reach them
	MergedInto   domain.ThreadID // its lines are that thread's now
}
