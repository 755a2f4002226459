package portal

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/parley-chat/parley/domain"
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
	return render(w, r, status, views.SettingsPage(views.Settings{Frame: frame, Form: form}))
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

// days reads a number of days; what is none is refused by being below all there may be.
func days(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return -1
	}
	return n
}
