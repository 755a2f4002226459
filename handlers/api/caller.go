package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

// caller is on whose behalf a request is made.
type caller struct {
	org     domain.Organisation
	key     domain.APIKey
	request *http.Request // for the log
}

// scope is the organisation that everything the request reads or writes belongs to.
func (c caller) scope() domain.OrgID { return c.org.ID }

// program is the caller as the team meets it in a timeline: under its key's name.
func (c caller) program() domain.User {
	return domain.User{OrgID: c.org.ID, Name: cmp.Or(c.key.Name, "API")}
}

// voice is the caller as contacts meet it: under the name it gives, else the organisation's.
func (c caller) voice(name string) domain.User {
	return domain.User{OrgID: c.org.ID, Name: cmp.Or(strings.TrimSpace(name), c.org.Name)}
}

type callerKey struct{}

// keyOf is the key of the request's caller.
func keyOf(r *http.Request) domain.APIKeyID { return callerOf(r.Context()).key.ID }

// callerOf is who made the request; huma hands its handlers nothing but a context to tell by.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// authenticate lets nobody through without a good key: 401 with a challenge (RFC 6750).
func (a *API) authenticate(next http.Handler) http.Handler {
	return edge.JSON(a.Log, func(w http.ResponseWriter, r *http.Request) error {
		key, err := edge.Bearer(r)
		if err != nil {
			return err
		}
		org, apiKey, err := a.Account.OrganisationByAPIKey(r.Context(), key)
		if err != nil {
			if domain.KindOf(err) == domain.Unauthenticated {
				w.Header().Set("WWW-Authenticate", `Bearer realm="parley", error="invalid_token"`)
			}
			return err
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{org, apiKey, r})))
		return nil
	})
}
