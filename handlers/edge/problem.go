package edge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
)

// Problem is an RFC 9457 answer with Parley's code.
type Problem struct {
	Type   string            `json:"type"`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail,omitempty"`
	Code   domain.Code       `json:"code"`
	Errors map[string]string `json:"errors,omitempty"` // field → problem

	MergedInto domain.ThreadID `json:"merged_into,omitempty"`
}

// kinds is the one place where the house's kinds become HTTP.
var kinds = map[domain.Kind]struct {
	status int
	code   domain.Code // for errors that bring none
}{
	domain.Internal:        {http.StatusInternalServerError, domain.CodeInternal},
	domain.Invalid:         {http.StatusUnprocessableEntity, domain.CodeBadField},
	domain.Unauthenticated: {http.StatusUnauthorized, domain.CodeUnauthorized},
	domain.Forbidden:       {http.StatusForbidden, domain.CodeForbidden},
	domain.NotFound:        {http.StatusNotFound, domain.CodeNotFound},
	domain.Conflict:        {http.StatusConflict, domain.CodeConflict},
	domain.Throttled:       {http.StatusTooManyRequests, domain.CodeRateLimited},
	domain.Unavailable:     {http.StatusServiceUnavailable, domain.CodeUnavailable},
	domain.Outdated:        {http.StatusPreconditionFailed, domain.CodeConflict},
}

// statuses are of codes that say more than their kind.
var statuses = map[domain.Code]int{
	domain.CodeBadJSON:          http.StatusBadRequest,
	domain.CodeMethodNotAllowed: http.StatusMethodNotAllowed,
	domain.CodeUpgradeRequired:  http.StatusUpgradeRequired,
}

// ProblemOf describes err without giving away a cause.
func ProblemOf(err error) Problem {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		e = &domain.Error{Kind: domain.Internal}
	}
	k := kinds[e.Kind]
	p := Problem{Type: "about:blank", Status: cmp.Or(statuses[e.Code], k.status), Code: cmp.Or(e.Code, k.code), Detail: e.Msg, Errors: e.Fields, MergedInto: e.MergedInto}
	if e.Kind == domain.Internal {
		p.Detail, p.Errors = "something went wrong on our side", nil
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// WriteProblem answers with err as problem+json and logs what an operator should know.
func WriteProblem(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	p := ProblemOf(err)
	LogFailure(r.Context(), log, r, p.Status, err)
	RetryAfter(w, err)
	if p.Status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="parley"`) // RFC 9110 wants one; no browser asks its user for this kind
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the reader is gone: nothing to do
}

// MethodNotAllowed answers what a router has no such method for, and tells in Allow what its path does answer (RFC 9110).
func MethodNotAllowed(log *slog.Logger, routes chi.Routes) http.HandlerFunc {
	return JSON(log, func(w http.ResponseWriter, r *http.Request) error {
		path := r.URL.Path
		if rc := chi.RouteContext(r.Context()); rc != nil && rc.RoutePath != "" {
			path = rc.RoutePath
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if routes.Match(chi.NewRouteContext(), method, path) {
				w.Header().Add("Allow", method)
			}
		}
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeMethodNotAllowed, Msg: "this path does not answer " + r.Method + ": see the Allow header"}
	})
}

// RetryAfter sets the header of that name, in whole seconds, if err says when to come back.
func RetryAfter(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*domain.Error](err); ok && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
}

// LogPath is a request's path as the log may have it: without the token of a file, which is all that one needs to read it.
func LogPath(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/files/") {
		return "/files/…"
	}
	return r.URL.Path
}

// LogFailure logs failures that are ours: bugs as errors, outages as warnings. Query strings may carry secrets, see LogPath for paths.
func LogFailure(ctx context.Context, log *slog.Logger, r *http.Request, status int, err error) {
	if errors.Is(err, context.Canceled) { // the client has gone
		return
	}
	switch domain.KindOf(err) {
	case domain.Internal:
		log.ErrorContext(ctx, "request failed", "method", r.Method, "path", LogPath(r), "status", status, "err", err)
	case domain.Unavailable:
		log.WarnContext(ctx, "request failed", "method", r.Method, "path", LogPath(r), "status", status, "err", err)
	}
}
