package portal

import (
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views"
)

// showJoin is where a link of the team page leads. The token stands in the query because queries are not logged.
func (p *Portal) showJoin(w http.ResponseWriter, r *http.Request) error {
	return p.joinForm(w, r, http.StatusOK, views.Join{Token: r.URL.Query().Get("token")})
}

func (p *Portal) joinForm(w http.ResponseWriter, r *http.Request, status int, j views.Join) error {
	in, err := p.Account.Invited(r.Context(), j.Token)
	if domain.KindOf(err) == domain.NotFound {
		return render(w, r, http.StatusNotFound, views.JoinOver())
	}
	if err != nil {
		return err
	}
	j.Organisation, j.Email, j.Name, j.Back = in.Organisation, in.Invitation.Email, in.Name, in.Invitation.UserID != ""
	return render(w, r, status, views.JoinPage(j))
}

// join makes the login, or gives one that is there another password, and signs them in.
func (p *Portal) join(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	token, password := r.PostForm.Get("token"), r.PostForm.Get("password")
	email, err := p.Account.Accept(r.Context(), token, r.PostForm.Get("name"), password)
	if domain.KindOf(err) == domain.NotFound {
		return p.joinForm(w, r, http.StatusOK, views.Join{Token: token})
	}
	if form, ok := problems(err); ok {
		form.Values = values(r, "name")
		if form.Problems["email"] != "" { // nobody can mend it here
			form.Problem, form.Problems = "Somebody has joined with this e-mail address meanwhile.", nil
		}
		return p.joinForm(w, r, http.StatusUnprocessableEntity, views.Join{Token: token, Form: form})
	}
	if err != nil {
		return err
	}
	return p.enter(w, r, email, password, "/inbox")
}
