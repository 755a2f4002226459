package portal

import (
	"net/http"

	"github.com/parley-chat/parley/views"
)

// showProfile is what everybody may change about themselves.
func (p *Portal) showProfile(w http.ResponseWriter, r *http.Request) error {
	return p.profilePage(w, r, http.StatusOK, views.Profile{})
}

func (p *Portal) profilePage(w http.ResponseWriter, r *http.Request, status int, page views.Profile) (err error) {
	if page.Frame, err = p.frame(w, r, views.ProfileSection, "Your account"); err != nil {
		return err
	}
	if page.Name.Values == nil {
		page.Name.Values = map[string]string{"name": memberOf(r).User.Name}
	}
	return render(w, r, status, views.ProfilePage(page))
}

func (p *Portal) rename(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	err := p.Account.Rename(r.Context(), memberOf(r).User, r.PostForm.Get("name"))
	if form, ok := problems(err); ok {
		return p.profilePage(w, r, http.StatusUnprocessableEntity, views.Profile{Name: asTyped(r, form)})
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "profile-saved")
	return done(w, r, "/account")
}

func (p *Portal) changePassword(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	err := p.Account.ChangePassword(r.Context(), memberOf(r).User, sessionOf(r), r.PostForm.Get("current"), r.PostForm.Get("password"))
	if form, ok := problems(err); ok {
		return p.profilePage(w, r, http.StatusUnprocessableEntity, views.Profile{Password: form})
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "password-changed")
	return done(w, r, "/account")
}
