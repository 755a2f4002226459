package portal

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

// forOwners lets only owners through.
func forOwners(h edge.Handler) edge.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if memberOf(r).User.Role != domain.RoleOwner {
			return &domain.Error{Kind: domain.Forbidden, Msg: "only an owner of the organisation may see and change this"}
		}
		return h(w, r)
	}
}

func (p *Portal) showSettings(w http.ResponseWriter, r *http.Request) error {
	kept, err := p.Account.Recording(r.Context(), memberOf(r).Organisation.ID)
	if err != nil {
		return err
	}
	return p.settingsForm(w, r, http.StatusOK, ui.Form{Values: views.SettingsValues(kept)})
}

func (p *Portal) settingsForm(w http.ResponseWriter, r *http.Request, status int, form ui.Form) error {
	frame, err := p.frame(w, r, views.SettingsSection, "Settings")
	if err != nil {
		return err
	}
	dead, err := p.Chat.Deliveries(r.Context(), memberOf(r).Organisation.ID, ledger.DeliveryFilter{Statuses: []string{"dead"}, Ours: true, Limit: deadShown + 1})
	if err != nil {
		return err
	}
	page := views.Settings{Frame: frame, Form: form, More: len(dead) > deadShown, Dead: deadDeliveries(dead[:min(len(dead), deadShown)])}
	return render(w, r, status, views.SettingsPage(page))
}

func (p *Portal) updateSettings(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	kept := domain.Recording{Content: domain.RecordContent(r.PostForm.Get("record_content")), Days: days(r.PostForm.Get("record_days"))}
	err := p.Account.SetRecording(r.Context(), memberOf(r).Organisation.ID, kept)
	if form, ok := problems(err); ok {
		return p.settingsForm(w, r, http.StatusUnprocessableEntity, asTyped(r, form))
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "settings-saved")
	return done(w, r, "/settings")
}

// deadShown is how many deliveries that did not arrive the settings list.
const deadShown = 20

// deadDeliveries are the entries of a log as pages show them.
func deadDeliveries(ds []ledger.LoggedDelivery) (dead []views.DeadDelivery) {
	for _, d := range ds {
		dead = append(dead, views.DeadDelivery{ID: d.ID, Thread: d.ThreadID, Transport: d.Transport, Target: d.Where, Error: d.LastError, Attempts: d.Attempts, At: d.UpdatedAt})
	}
	return dead
}

// retryDelivery tries one of them again, for another day.
func (p *Portal) retryDelivery(w http.ResponseWriter, r *http.Request) error {
	id, err := domain.ParseID[domain.DeliveryID](chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if _, err := p.Chat.Resend(r.Context(), memberOf(r).Organisation.ID, id); err != nil {
		return err
	}
	p.notify(w, r, "delivery-retried")
	return done(w, r, "/settings")
}

// days reads a number of days; what is none is refused by being below all there may be.
func days(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return -1
	}
	return n
}
