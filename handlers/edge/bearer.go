package edge

import (
	"net/http"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// Bearer is the API key that a request brings. Without one it fails with Unauthenticated, which WriteProblem answers with a challenge.
func Bearer(r *http.Request) (string, error) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if key = strings.TrimSpace(key); strings.EqualFold(scheme, "Bearer") && key != "" {
		return key, nil
	}
	return "", &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeUnauthorized,
		Msg: "send an API key of your organisation, as in Authorization: Bearer <key>"}
}
