package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// Contact is a person the organisation talks with.
type Contact struct {
	ID         string  `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Name       string  `json:"name" doc:"Empty as long as it is not known." example:"Grace Hopper"`
	Email      string  `json:"email" example:"grace@example.com"`
	Phone      string  `json:"phone" example:"+1 555 0100"`
	ExternalID *string `json:"external_id" nullable:"true" doc:"Your own id for them." example:"customer-4711"`
	Stub       bool    `json:"stub" doc:"Nothing is known of them yet." example:"false"`
	OptedOut   bool    `json:"opted_out" doc:"Agents do not write to them." example:"false"`
	Profile    Profile `json:"profile" doc:"What their visits told: geo, device, attribution, first_page, referrer; null as long as nothing did."`
	CreatedAt  Time    `json:"created_at"`
	UpdatedAt  Time    `json:"updated_at"`
	ErasedAt   *Time   `json:"erased_at" nullable:"true" doc:"When all they said and were was erased; null: it was not."`
}

// Profile is what a contact's visits told.
type Profile json.RawMessage

func (p Profile) MarshalJSON() ([]byte, error) { return json.RawMessage(p).MarshalJSON() }
func (Profile) Schema(huma.Registry) *huma.Schema {
	part := func(doc string) *huma.Schema {
		return &huma.Schema{Description: doc, AnyOf: []*huma.Schema{{Type: huma.TypeObject, AdditionalProperties: true}, {Type: huma.TypeString}, {Type: "null"}}}
	}
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Properties: map[string]*huma.Schema{
		"geo": part("Where they are."), "device": part("What they use."), "attribution": part("The campaign that brought them."),
		"first_page": part("Where they came in."), "referrer": part("Where from."),
	}, Examples: []any{map[string]any{"geo": nil, "device": nil, "attribution": map[string]any{"utm_source": "newsletter"},
		"first_page": map[string]any{"url": "https://shop.example/", "title": "Shop"}, "referrer": "https://search.example/"}}}
}

// profileOf is what is known of a contact's visits: what was worked out, and for what was not, what their first visit told.
func profileOf(c account.KnownContact) Profile {
	all := map[string]any{"geo": nil, "device": nil, "attribution": nil, "first_page": nil, "referrer": nil}
	if len(c.Attribution) > 2 {
		all["attribution"] = c.Attribution
	}
	if p := c.FirstPage; p.URL != "" {
		all["first_page"] = map[string]any{"url": p.URL, "title": p.Title}
	}
	if r := c.FirstPage.Referrer; r != "" {
		all["referrer"] = r
	}
	var known map[string]any
	if err := json.Unmarshal(c.Profile, &known); err == nil {
		maps.Copy(all, known)
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // it came from JSON
	}
	return b
}

func showContact(c account.KnownContact) Contact {
	return Contact{ID: string(c.ID), Name: c.Name, Email: c.Email, Phone: c.Phone, ExternalID: orNull(c.ExternalID), Stub: c.Stub, OptedOut: c.OptedOut,
		Profile: profileOf(c), CreatedAt: Time(c.CreatedAt), UpdatedAt: Time(c.UpdatedAt), ErasedAt: timeOrNull(c.ErasedAt)}
}

// ContactFields is what can be set of a contact.
type ContactFields struct {
	Name       Clearable `json:"name,omitzero" doc:"At most 200 characters; null or empty: not known." example:"Grace Hopper"`
	Email      Clearable `json:"email,omitzero" doc:"Null or empty: not known." example:"grace@example.com"`
	Phone      Clearable `json:"phone,omitzero" doc:"Null or empty: not known." example:"+1 555 0100"`
	ExternalID Clearable `json:"external_id,omitzero" doc:"Your own id for them, at most 200 characters; each belongs to one contact. Null or empty: none." example:"customer-4711"`
	OptedOut   *bool     `json:"opted_out,omitempty" doc:"Agents do not write to them." example:"false"`
}

func (f ContactFields) over(in account.ContactInput) account.ContactInput {
	f.Name.lay(&in.Name)
	f.Email.lay(&in.Email)
	f.Phone.lay(&in.Phone)
	f.ExternalID.lay(&in.ExternalID)
	lay(&in.OptedOut, f.OptedOut)
	return in
}

func contactInput(c account.KnownContact) account.ContactInput {
	return account.ContactInput{ExternalID: c.ExternalID, Name: c.Name, Email: c.Email, Phone: c.Phone, OptedOut: c.OptedOut}
}

// ContactCreate is the body that makes a contact.
type ContactCreate struct{ ContactFields }

type createContactRequest struct {
	Body ContactCreate `example:"{\"name\":\"Grace Hopper\",\"email\":\"grace@example.com\",\"external_id\":\"customer-4712\"}"`
}

type updateContactRequest struct {
	Path
	Match
	Body ContactFields `example:"{\"phone\":\"+1 555 0100\",\"opted_out\":false}"`
}

type listContactsRequest struct {
	Paging
	Query      string `query:"q" maxLength:"200" doc:"A part of the name, the e-mail address, the phone number or the external id." example:"grace"`
	ExternalID string `query:"external_id" maxLength:"200" doc:"Your own id for them."`
	Email      string `query:"email" maxLength:"254" doc:"The e-mail address, whatever its case."`
	Phone      string `query:"phone" maxLength:"40" doc:"The phone number as it is written there."`
}

func (a *API) contactOperations() {
	const tag = tagContacts
	add(a, operation(http.MethodGet, "/contacts", "list-contacts", tag, "List contacts", "The oldest first. Filters narrow each other down."), a.listContacts)
	create := creates(operation(http.MethodPost, "/contacts", "create-contact", tag, "Create a contact", "For whoever has not written yet. Visitors become contacts by themselves."))
	add(a, create, a.createContact)
	add(a, operation(http.MethodGet, "/contacts/{id}", "get-contact", tag, "Read a contact", ""), a.getContact)
	add(a, contested(changes(operation(http.MethodPatch, "/contacts/{id}", "update-contact", tag, "Change a contact", "Only the fields given change."))), a.updateContact)
	add(a, ownerOperation(http.MethodDelete, "/contacts/{id}", "delete-contact", tag, "Delete a contact",
		"With their visits, threads and files, as if they had never been there. To keep the numbers, erase them instead."), a.deleteContact)
	add(a, ownerOperation(http.MethodPost, "/contacts/{id}/erase", "erase-contact", tag, "Erase a contact",
		"Takes everything they said, were told and were: messages and files of both sides, visits, profile, names and addresses, and the words in the "+
			"timelines of their threads. Their visits end at once. What stays are the threads' skeletons and counts: how many messages, when, "+
			"and what they led to. It cannot be undone."), a.eraseContact)
	add(a, operation(http.MethodGet, "/contacts/{id}/export", "export-contact", tag, "Export a contact",
		"All that is kept of them, in one document: what they are, their visits, and their threads with messages and timelines. "+
			"Files are named by their addresses."), a.exportContact)
}

func (a *API) listContacts(ctx context.Context, in *listContactsRequest) (*Answer[List[Contact]], error) {
	f := account.ContactFilter{ExternalID: in.ExternalID, Email: in.Email, Phone: in.Phone, Query: in.Query, Limit: in.limit() + 1}
	if in.Cursor != "" {
		after, err := domain.ParseID[domain.ContactID](in.Cursor)
		if err != nil {
			return nil, badCursor()
		}
		f.After = after
	}
	cs, err := a.Account.Contacts(ctx, callerOf(ctx).scope(), f)
	next := ""
	if len(cs) > in.limit() {
		cs = cs[:in.limit()]
		next = string(cs[len(cs)-1].ID)
	}
	return list(cs, showContact, next), err
}

func (a *API) createContact(ctx context.Context, in *createContactRequest) (*Tagged[Contact], error) {
	c, err := a.Account.CreateContact(ctx, callerOf(ctx).scope(), in.Body.over(account.ContactInput{}))
	return tagged(showContact(c)), err
}

func (a *API) getContact(ctx context.Context, in *struct{ Path }) (*Tagged[Contact], error) {
	id, err := domain.ParseID[domain.ContactID](in.ID)
	if err != nil {
		return nil, err
	}
	c, err := a.Account.Contact(ctx, callerOf(ctx).scope(), id)
	return tagged(showContact(c)), err
}

func (a *API) updateContact(ctx context.Context, in *updateContactRequest) (*Tagged[Contact], error) {
	id, err := domain.ParseID[domain.ContactID](in.ID)
	if err != nil {
		return nil, err
	}
	c, err := a.Account.ChangeContact(ctx, callerOf(ctx).scope(), id, func(now account.KnownContact) (account.ContactInput, error) {
		return in.Body.over(contactInput(now)), in.check(showContact(now))
	})
	return tagged(showContact(c)), err
}

func (a *API) deleteContact(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.ContactID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.DeleteContact(ctx, callerOf(ctx).scope(), id)
}

func (a *API) eraseContact(ctx context.Context, in *struct{ Path }) (*Tagged[Contact], error) {
	id, err := domain.ParseID[domain.ContactID](in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.Account.EraseContact(ctx, callerOf(ctx).scope(), id); err != nil {
		return nil, err
	}
	return a.getContact(ctx, &struct{ Path }{in.Path})
}
