package domain

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what a caller can do about a failure. Each transport maps it to its own vocabulary in one place.
type Kind uint8

const (
	Internal        Kind = iota // a bug; the zero value, so nobody is blamed by accident
	Invalid                     // sending it again will not help
	Unauthenticated             // say who you are
	Forbidden                   // we know who you are, and you may not
	NotFound                    // it does not exist, or not for you
	Conflict                    // it moved on: read again, then retry
	Throttled                   // too much: retry after RetryAfter
	Unavailable                 // an outage: the same request is worth sending again
	Outdated                    // it is not any more what the caller says they have seen: read again, then retry
)

// Code is the name a failure has on the wire; clients may rely on it.
type Code string

const (
	CodeBadJSON            Code = "bad_json"
	CodeUnknownType        Code = "unknown_type"
	CodeHelloRequired      Code = "hello_required"
	CodeEmptyContent       Code = "empty_content"
	CodeTooLong            Code = "too_long"
	CodeBadField           Code = "bad_field"
	CodeUnauthorized       Code = "unauthorized"
	CodeSessionExpired     Code = "session_expired"
	CodeOriginNotAllowed   Code = "origin_not_allowed"
	CodeUnknownWidget      Code = "unknown_widget"
	CodeWidgetDisabled     Code = "widget_disabled"
	CodeIdentityInvalid    Code = "identity_invalid"
	CodeRateLimited        Code = "rate_limited"
	CodeDailyCap           Code = "daily_cap"
	CodeAttachmentRejected Code = "attachment_rejected"
	CodeThreadClosed       Code = "thread_closed"
	CodeSlowConsumer       Code = "slow_consumer"
	CodeUnavailable        Code = "unavailable"
	CodeInternal           Code = "internal"

	// Only clients that have one turn at a time hear of this.
	CodeTurnInProgress Code = "turn_in_progress"

	// Only answers to requests have these.
	CodeForbidden        Code = "forbidden"
	CodeNotFound         Code = "not_found"
	CodeConflict         Code = "conflict"
	CodeMethodNotAllowed Code = "method_not_allowed"
	CodeUpgradeRequired  Code = "upgrade_required"
)

// Error is the one error of the house. Msg and Fields are safe to show to whoever asked; Err is only for the log.
type Error struct {
	Kind       Kind
	Code       Code              // empty: the kind says enough
	Msg        string            // one sentence that says what to do
	Fields     map[string]string // field name → problem, for forms and 422s
	RetryAfter time.Duration     // set with Throttled and Unavailable
	MergedInto ThreadID          // with NotFound: the thread that has become part of another one is this one now
	Err        error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf classifies any error; what is not a domain error is Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// CodeOf is the protocol's code of err, empty if it has none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// NotFoundf makes a NotFound error.
func NotFoundf(format string, args ...any) *Error {
	return &Error{Kind: NotFound, Msg: fmt.Sprintf(format, args...)}
}

// Conflictf makes a Conflict error.
func Conflictf(format string, args ...any) *Error {
	return &Error{Kind: Conflict, Msg: fmt.Sprintf(format, args...)}
}

// InvalidField makes an Invalid error about one field.
func InvalidField(field, problem string) *Error {
	return &Error{Kind: Invalid, Code: CodeBadField, Msg: field + " " + problem, Fields: map[string]string{field: problem}}
}
