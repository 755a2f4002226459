package domain

import "time"

// An agent's circuit opens after so many failed turns in a row, lets one turn through every ProbeEvery, and keeps what waits
// for HoldFor.
const (
	CircuitThreshold = 5
	ProbeEvery       = 5 * time.Second
	HoldFor          = 24 * time.Hour
)

// Circuit says whether an agent gets turns.
type Circuit string

const (
	CircuitClosed   Circuit = "closed"    // it does
	CircuitOpen     Circuit = "open"      // it kept failing: what is due waits, and no attempt is counted
	CircuitHalfOpen Circuit = "half_open" // one turn is trying whether it is back
)

// AgentHealth is how an agent is doing, as all nodes know it.
type AgentHealth struct {
	AgentID       AgentID
	Failures      int // in a row
	Circuit       Circuit
	OpenedAt      time.Time // zero while the circuit is closed
	ProbeAt       time.Time
	LastSuccessAt time.Time // within half a minute; zero = never
	LastError     string
	LastErrorAt   time.Time
	Waiting       int // threads whose turn is due
}

// Kinds of what happens to an agent outside any thread.
const (
	CircuitOpened   TimelineKind = "circuit_opened"
	CircuitClosedAt TimelineKind = "circuit_closed"
)
