package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/go-chi/httprate"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/handlers/edge"
)

// AgentStatus is how an agent has been doing.
type AgentStatus struct {
	ID            string  `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Name          string  `json:"name" example:"Ada"`
	Kind          string  `json:"kind" example:"builtin"`
	Status        string  `json:"status" enum:"ok,failing,disabled,unknown" doc:"How its latest turn ended; unknown before the first." example:"ok"`
	LastSuccessAt *Time   `json:"last_success_at" nullable:"true" doc:"When a turn of its last ended well."`
	LastError     *string `json:"last_error" nullable:"true" doc:"Why a turn of its last failed." example:"could not connect"`
	Circuit       string  `json:"circuit" enum:"closed,open,half_open" doc:"open: it failed five times in a row, and what is due waits until one turn, tried every five seconds, comes off. half_open: that turn is on its way." example:"closed"`
	OpenSince     *Time   `json:"open_since" nullable:"true" doc:"Since when its circuit is open."`
	Waiting       int     `json:"waiting" doc:"How many threads wait for their turn." example:"0"`
}

// AgentStatuses is how all agents have been doing.
type AgentStatuses struct {
	Agents []AgentStatus `json:"agents"`
}

func (a *API) agentStatus(ctx context.Context, _ *struct{}) (*Answer[AgentStatuses], error) {
	statuses, err := a.statusesOf(ctx, callerOf(ctx).scope())
	return &Answer[AgentStatuses]{statuses}, err
}

func (a *API) statusesOf(ctx context.Context, org domain.OrgID) (AgentStatuses, error) {
	agents, err := a.Account.Agents(ctx, org)
	if err != nil {
		return AgentStatuses{}, err
	}
	uses, err := a.Account.AgentUses(ctx, org)
	if err != nil {
		return AgentStatuses{}, err
	}
	healths, err := a.Account.AgentHealths(ctx, org)
	statuses := make([]AgentStatus, 0, len(agents))
	for _, agent := range agents {
		statuses = append(statuses, showStatus(agent, uses[agent.ID], healths[agent.ID]))
	}
	return AgentStatuses{statuses}, err
}

// openStatusPerMinute is how often one address may look without a key: every second.
const openStatusPerMinute = 60

// openStatus is /agents/status beside the versions, for what watches a deployment. With a key it is that of the API. Without one, as the
// bridges answer whose place Parley takes, it shows the only organisation there is, in what any visitor may know: an agent's name, its
// kind and whether it does its work. Why it does not may name hosts and models, and is for keys. Where there are several organisations,
// nothing tells whose agents are meant, and none may hear of another's.
func (a *API) openStatus() http.HandlerFunc {
	limited := httprate.LimitBy(openStatusPerMinute, time.Minute, func(r *http.Request) (string, error) {
		return httprate.CanonicalizeIP(middleware.GetClientIP(r.Context())), nil
	}, httprate.WithResponseHeaders(httprate.ResponseHeaders{}), httprate.WithLimitHandler(edge.JSON(a.Log, func(http.ResponseWriter, *http.Request) error {
		return &domain.Error{Kind: domain.Throttled, RetryAfter: time.Minute, Msg: "too many requests without an API key: wait a minute"}
	})))
	open := limited(noStore(edge.JSON(a.Log, a.statusWithoutKey)))
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			a.router.ServeHTTP(w, r)
			return
		}
		open.ServeHTTP(w, r)
	}
}

func (a *API) statusWithoutKey(w http.ResponseWriter, r *http.Request) error {
	org, err := a.Account.OnlyOrganisation(r.Context())
	switch domain.KindOf(err) {
	case domain.NotFound: // before the first is made
		return edge.WriteJSON(w, http.StatusOK, AgentStatuses{[]AgentStatus{}})
	case domain.Conflict:
		return &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeUnauthorized,
			Msg: "several organisations live here: send an API key of yours, as in Authorization: Bearer <key>"}
	}
	if err != nil {
		return err
	}
	statuses, err := a.statusesOf(r.Context(), org.ID)
	if err != nil {
		return err
	}
	for i, s := range statuses.Agents {
		if s.LastError != nil {
			statuses.Agents[i].LastError = new("a turn failed: send an API key to read why")
		}
	}
	return edge.WriteJSON(w, http.StatusOK, statuses)
}

func showStatus(a domain.Agent, u account.AgentUse, h domain.AgentHealth) AgentStatus {
	s := AgentStatus{
		ID: string(a.ID), Name: a.Name, Kind: string(a.Kind), LastSuccessAt: timeOrNull(u.LastSuccessAt), LastError: orNull(u.LastError),
		Status: "ok", Circuit: string(cmp.Or(h.Circuit, domain.CircuitClosed)), OpenSince: timeOrNull(h.OpenedAt), Waiting: h.Waiting,
	}
	switch never := (time.Time{}); {
	case !a.Enabled:
		s.Status = "disabled"
	case u.LastErrorAt.After(u.LastSuccessAt), !h.OpenedAt.IsZero():
		s.Status = "failing"
	case u.LastSuccessAt == never:
		s.Status = "unknown"
	}
	return s
}
