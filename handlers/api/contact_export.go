package api

import (
	"context"
	"fmt"

	"github.com/parley-chat/parley/domain"
)

// ContactExport is all that is kept of a contact.
type ContactExport struct {
	Contact  Contact        `json:"contact"`
	Sessions []Visit        `json:"sessions" doc:"Their visits, the oldest first."`
	Threads  []ThreadExport `json:"threads" doc:"Their threads, the oldest first."`
}

// Visit is one browser's time at a widget.
type Visit struct {
	ID          string  `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c14"`
	WidgetID    string  `json:"widget_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Identified  bool    `json:"identified" doc:"The site has vouched for them." example:"true"`
	URL         string  `json:"url" doc:"Where they were last." example:"https://shop.example/"`
	Title       string  `json:"title" example:"Shop"`
	Referrer    string  `json:"referrer" example:"https://search.example/"`
	Trail       []Step  `json:"trail" doc:"The pages they came through, the oldest first."`
	Attribution Details `json:"attribution" doc:"The campaign that brought them."`
	Locale      string  `json:"locale" example:"en-GB"`
	Timezone    string  `json:"timezone" example:"Europe/London"`
	CreatedAt   Time    `json:"created_at"`
	LastSeenAt  Time    `json:"last_seen_at"`
}

// Step is a page that a visitor was on.
type Step struct {
	URL   string `json:"url" example:"https://shop.example/bags"`
	Title string `json:"title" example:"Bags"`
	At    Time   `json:"at"`
}

func showStep(s domain.Step) Step { return Step{s.URL, s.Title, Time(s.At)} }

func showVisit(s domain.Session) Visit {
	attribution := Details(s.Attribution)
	if len(attribution) == 0 {
		attribution = Details("{}")
	}
	return Visit{ID: string(s.ID), WidgetID: string(s.WidgetID), Identified: s.Identified, URL: s.Page.URL, Title: s.Page.Title, Referrer: s.Page.Referrer,
		Trail: list(s.Trail, showStep, "").Body.Items, Attribution: attribution, Locale: s.Locale, Timezone: s.Timezone, CreatedAt: Time(s.CreatedAt), LastSeenAt: Time(s.LastSeenAt)}
}

// ThreadExport is a thread with all that was said and done in it.
type ThreadExport struct {
	Thread   Thread         `json:"thread"`
	Messages []Message      `json:"messages"`
	Timeline []TimelineItem `json:"timeline"`
}

type exportAnswer struct {
	Disposition string `header:"Content-Disposition"`
	Body        ContactExport
}

func (a *API) exportContact(ctx context.Context, in *struct{ Path }) (*exportAnswer, error) {
	id, err := domain.ParseID[domain.ContactID](in.ID)
	if err != nil {
		return nil, err
	}
	all, err := a.Account.ExportContact(ctx, callerOf(ctx).scope(), id)
	if err != nil {
		return nil, err
	}
	out := &exportAnswer{Disposition: fmt.Sprintf(`attachment; filename="contact-%s.json"`, id),
		Body: ContactExport{Contact: showContact(all.Contact), Sessions: list(all.Sessions, showVisit, "").Body.Items, Threads: []ThreadExport{}}}
	for _, t := range all.Threads {
		out.Body.Threads = append(out.Body.Threads, ThreadExport{Thread: showThread(t.Thread),
			Messages: list(t.Messages, messageAt(a.origin(ctx)), "").Body.Items, Timeline: list(t.Timeline, showTimelineItem, "").Body.Items})
	}
	return out, nil
}
