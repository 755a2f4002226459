package api

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

const (
	attachmentsPath = "/attachments"
	multipartType   = "multipart/form-data"
)

// Attachment is a file that comes with a message.
type Attachment struct {
	ID   string `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c13"`
	Name string `json:"name" doc:"Made fit to be saved under." example:"manual.pdf"`
	Size int64  `json:"size" doc:"In bytes." example:"48213"`
	Mime string `json:"mime" doc:"What it is, whatever it was called." example:"application/pdf"`
	URL  string `json:"url" doc:"Where it is read, without a key: whoever has the address may read the file." example:"https://chat.example.com/files/k3Jm…/manual.pdf"`
}

func showAttachment(a domain.Attachment) Attachment {
	return Attachment{string(a.ID), a.Name, a.Size, a.Mime, a.URL}
}

// attachmentOperations describes the upload to huma and serves it without: huma would put files on disk before anyone has looked
// at them.
func (a *API) attachmentOperations(r chi.Router) {
	o := creates(operation(http.MethodPost, attachmentsPath, "create-attachment", tagMessages, "Upload a file",
		"For a message that is to come: name its `id` there within 24 hours, once. Pictures, PDF, office documents, text and voice notes of up to 10 MB are taken, "+
			"by what they are and not by what they are called; pictures are drawn anew. Refusals have the code `attachment_rejected`."))
	o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{multipartType: {Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"file": {Type: huma.TypeString, Format: "binary", Description: "The file, with its name."},
		},
	}}}}
	o.Responses = map[string]*huma.Response{strconv.Itoa(http.StatusCreated): {
		Description: http.StatusText(http.StatusCreated),
		Content:     map[string]*huma.MediaType{"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Attachment](), true, "")}},
	}}
	a.huma.OpenAPI().AddOperation(&o)
	r.Post(attachmentsPath, edge.JSON(a.Log, a.createAttachment))
}

func (a *API) createAttachment(w http.ResponseWriter, r *http.Request) error {
	form, err := edge.ReadForm(w, r, "file", 1)
	if err != nil {
		return err
	}
	if len(form.Files) == 0 {
		return domain.InvalidField("file", "is needed: a part of that name with the file")
	}
	made, err := a.Chat.AttachAs(r.Context(), callerOf(r.Context()).program(), form.Files[0].Name, form.Files[0].Bytes)
	if err != nil {
		return err
	}
	made.URL = a.origin(r.Context()) + made.URL
	return edge.WriteJSON(w, http.StatusCreated, showAttachment(made))
}

// origin is where the caller finds this server.
func (a *API) origin(ctx context.Context) string {
	return edge.Origin(a.PublicURL, callerOf(ctx).request)
}

// bodyMost bounds a request's body, in bytes.
func bodyMost(r *http.Request) int64 {
	if strings.HasSuffix(r.URL.Path, attachmentsPath) {
		return maxBody + domain.MaxAttachmentBytes
	}
	return maxBody
}

// withoutBoundary is the body of a form without the line between its parts, which clients choose anew when they send it again.
func withoutBoundary(r *http.Request, body []byte) []byte {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != multipartType || params["boundary"] == "" {
		return body
	}
	return bytes.ReplaceAll(body, []byte(params["boundary"]), nil)
}
