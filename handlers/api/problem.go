package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

// Problem is edge's, as huma wants its errors to be.
type Problem struct{ edge.Problem }

func (p *Problem) Error() string             { return p.Detail }
func (p *Problem) GetStatus() int            { return p.Status }
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// TransformSchema says what the fields mean.
func (*Problem) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Description = "Why a request failed (RFC 9457)."
	for field, doc := range map[string]string{
		"type": "Always about:blank: the code tells problems apart.", "title": "The status in words.", "status": "The HTTP status.",
		"detail": "What to do about it, in one sentence.", "code": "Names the problem for programs.", "errors": "Each bad field and what is wrong with it.",
		"merged_into": "Of a thread that has become part of another one of the same contact: that one's id. Its lines are there, under new seqs.",
	} {
		s.Properties[field].Description = doc
	}
	return s
}

// huma keeps its way of making errors, and whether lists may be null, in variables of the package; nothing else here uses huma.
func init() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return &Problem{edge.ProblemOf(refused(status, msg, errs))}
	}
}

// refused says in the house's words what huma found wrong with a request.
func refused(status int, msg string, errs []error) error {
	switch status {
	case http.StatusBadRequest, http.StatusRequestTimeout:
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body must be valid JSON"}
	case http.StatusUnsupportedMediaType:
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body must be JSON, with Content-Type: application/json"}
	case http.StatusRequestEntityTooLarge:
		return tooLarge(maxBody)
	case http.StatusUnprocessableEntity:
		return badFields(errs)
	}
	return fmt.Errorf("%d %s: %v", status, msg, errs)
}

func tooLarge(most int64) error {
	return &domain.Error{Kind: domain.Invalid, Code: domain.CodeTooLong, Msg: fmt.Sprintf("the request body is larger than %d MiB", most>>20)}
}

// badFields names every bad field. A path that cannot exist is NotFound.
func badFields(errs []error) error {
	fields := map[string]string{}
	for _, err := range errs {
		detail := &huma.ErrorDetail{Message: err.Error()}
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail = d.ErrorDetail()
		}
		if strings.HasPrefix(detail.Location, "path.") {
			return domain.NotFoundf("there is no such thing")
		}
		if field, problem := fieldOf(detail); fields[field] == "" {
			fields[field] = problem
		}
	}
	var all []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, field+": "+fields[field])
	}
	return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadField, Msg: strings.Join(all, "; "), Fields: fields}
}

// fieldOf finds the field's own name: body.rate.messages is rate.messages, and a missing field is named itself, not what lacks it.
func fieldOf(d *huma.ErrorDetail) (field, problem string) {
	_, field, _ = strings.Cut(d.Location, ".")
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if name, ok := strings.CutPrefix(d.Message, before); ok && strings.HasSuffix(name, after) {
		return strings.TrimPrefix(field+"."+strings.TrimSuffix(name, after), "."), "is needed"
	}
	if field == "" {
		field = "body"
	}
	if strings.HasPrefix(d.Message, "json: ") { // it speaks of Go's types
		return field, "has a value that does not fit"
	}
	return field, d.Message
}

// refusal turns an error of the domain into an answer, and logs it if it is ours.
func (a *API) refusal(ctx context.Context, err error) error {
	p := &Problem{edge.ProblemOf(err)}
	edge.LogFailure(ctx, a.Log, callerOf(ctx).request, p.Status, err)
	headers := headerWriter{}
	edge.RetryAfter(headers, err)
	return huma.ErrorWithHeaders(p, http.Header(headers))
}

// headerWriter takes headers for an answer that huma will write.
type headerWriter http.Header

func (h headerWriter) Header() http.Header       { return http.Header(h) }
func (headerWriter) Write(b []byte) (int, error) { return len(b), nil }
func (headerWriter) WriteHeader(int)             {}

func (a *API) notFound(w http.ResponseWriter, r *http.Request) {
	edge.WriteProblem(w, r, a.Log, domain.NotFoundf("there is nothing at this path: see /api/docs"))
}
