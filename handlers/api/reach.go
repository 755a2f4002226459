package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

// reach is which scope each operation needs, by method and path.
type reach map[string]domain.Scope

func (s reach) learn(o *huma.Operation) { s[o.Method+" "+o.Path] = scopeOf(o) }

// guard lets a request through whose key reaches as far as its operation needs: else 403, before anything of it is looked at and before
// an Idempotency-Key could bring back what another key was answered. What no operation has claimed is for keys that may do everything.
func (s reach) guard(a *API) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return edge.JSON(a.Log, func(w http.ResponseWriter, r *http.Request) error {
			need, method := domain.ScopeAdmin, r.Method
			if method == http.MethodHead { // the root router answers it as GET
				method = http.MethodGet
			}
			if patterns := chi.RouteContext(r.Context()).RoutePatterns; len(patterns) > 0 {
				if known, ok := s[method+" "+patterns[len(patterns)-1]]; ok {
					need = known
				}
			}
			if err := callerOf(r.Context()).key.Require(need); err != nil {
				w.Header().Set("WWW-Authenticate", `Bearer realm="parley", error="insufficient_scope", scope="`+string(need)+`"`)
				return err
			}
			next.ServeHTTP(w, r)
			return nil
		})
	}
}
