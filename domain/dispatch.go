package domain

import "time"

// DispatchStatus is the state of a dispatch. A thread has at most one that is queued or running.
type DispatchStatus string

const (
	DispatchQueued  DispatchStatus = "queued"  // due at DueAt
	DispatchRunning DispatchStatus = "running" // a worker holds its lease
	DispatchDone    DispatchStatus = "done"    // answered, suppressed, or overtaken by a person; the turns say which
	DispatchSkipped DispatchStatus = "skipped" // no turn was given; SkipReason says why
	DispatchDead    DispatchStatus = "dead"    // failed for good; a person can retry it
)

// SkipReason says why an inbound line was not given to an agent.
type SkipReason string

const (
	SkipNoAgent           SkipReason = "no_agent"
	SkipAgentDisabled     SkipReason = "agent_disabled"
	SkipTriggerOff        SkipReason = "trigger_off"
	SkipContactUnresolved SkipReason = "contact_unresolved"
	SkipEmptyBody         SkipReason = "empty_body"
	SkipCrossOrg          SkipReason = "cross_org"
	SkipOptedOut          SkipReason = "opted_out"
	SkipHumanHandling     SkipReason = "human_handling"
	SkipBudgetExceeded    SkipReason = "budget_exceeded"
	SkipDailyCap          SkipReason = "daily_cap"
	SkipCancelled         SkipReason = "cancelled" // the contact did not want the answer any more
)

// Dispatch is the decision what inbound lines lead to. It covers the lines FromSeq..ToSeq, which grow while it is open.
type Dispatch struct {
	ID         DispatchID
	OrgID      OrgID
	ThreadID   ThreadID
	AgentID    AgentID
	Status     DispatchStatus
	SkipReason SkipReason
	FromSeq    int64
	ToSeq      int64
	FirstAt    time.Time // when its first line came; a burst never waits longer than MaxSettle from here
	DueAt      time.Time
	Attempts   int       // turns begun that count
	TriedAt    time.Time // when the first of them began; zero = not yet
	Token      int64     // fencing token: raised by every claim, checked by whoever wants to store a result
	Replies    int       // messages stored by its turns so far
	LeaseUntil time.Time
	LastError  string
	CreatedAt  time.Time
}

// Fault says whose fault a failed turn is, as far as that tells an owner where to look. Empty: the agent's own.
type Fault string

const (
	FaultAccess   Fault = "access"   // its service refused our credentials
	FaultProvider Fault = "provider" // its service could not be reached or used, or broke off
)

// TurnStatus is how an attempt ended.
type TurnStatus string

const (
	TurnRunning    TurnStatus = "running"
	TurnDone       TurnStatus = "done"
	TurnFailed     TurnStatus = "failed"
	TurnSuppressed TurnStatus = "suppressed" // it had an answer, but the thread had changed hands
	TurnLost       TurnStatus = "lost"       // its worker went silent and the lease ran out
)
