package portal

import (
	"net/http"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

// maxForm bounds a posted form, in bytes. The longest article fits, in a script of which every character is escaped.
const maxForm = 1 << 20

// formTime is how long a form may take to arrive, over a slow line too.
const formTime = time.Minute

// posted reads the form of a request. It fails with Invalid for one that is too large or broken.
func posted(w http.ResponseWriter, r *http.Request) error {
	defer edge.BodyWithin(w, formTime)()
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return &domain.Error{Kind: domain.Invalid, Msg: "the form could not be read", Err: err}
	}
	return nil
}

// values are the fields of a posted form, to show them again.
func values(r *http.Request, fields ...string) map[string]string {
	v := make(map[string]string, len(fields))
	for _, f := range fields {
		v[f] = r.PostForm.Get(f)
	}
	return v
}

func (p *Portal) home(w http.ResponseWriter, r *http.Request) error { return done(w, r, "/inbox") }

func (p *Portal) showSetup(w http.ResponseWriter, r *http.Request) error {
	fresh, err := p.fresh(r.Context())
	if err != nil {
		return err
	}
	if !fresh {
		return done(w, r, "/signin")
	}
	return render(w, r, http.StatusOK, views.Setup(views.Door{}))
}

// setUp makes the first owner and signs them in. It is open to whoever comes first, and closed for good after.
func (p *Portal) setUp(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	o := account.Owner{
		Organisation: r.PostForm.Get("organisation"), Name: r.PostForm.Get("name"),
		Email: r.PostForm.Get("email"), Password: r.PostForm.Get("password"),
	}
	_, err := p.Account.SetUp(r.Context(), o)
	if domain.KindOf(err) == domain.Conflict {
		return done(w, r, "/signin")
	}
	if form, ok := problems(err); ok && err != nil {
		form.Values = values(r, "organisation", "name", "email")
		return render(w, r, http.StatusUnprocessableEntity, views.Setup(views.Door{Form: form}))
	}
	if err != nil {
		return err
	}
	p.owned.Store(true)
	return p.enter(w, r, o.Email, o.Password, "/inbox")
}

func (p *Portal) showSignIn(w http.ResponseWriter, r *http.Request) error {
	next := local(r.URL.Query().Get("next"))
	if _, err := p.member(r, p.Account.MemberByToken); err == nil {
		if next == "" {
			next = "/inbox"
		}
		return done(w, r, next)
	}
	if fresh, err := p.fresh(r.Context()); err != nil || fresh {
		if err == nil {
			return done(w, r, "/setup")
		}
		return err
	}
	return render(w, r, http.StatusOK, views.SignIn(views.Door{Next: next, Notice: p.noticed(w, r)}))
}

func (p *Portal) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	next := local(r.PostForm.Get("next"))
	to := next
	if to == "" {
		to = "/inbox"
	}
	err := p.enter(w, r, r.PostForm.Get("email"), r.PostForm.Get("password"), to)
	if domain.KindOf(err) != domain.Unauthenticated || err == nil {
		return err
	}
	return render(w, r, http.StatusUnprocessableEntity, views.SignIn(views.Door{Next: next, Form: ui.Form{
		Values: values(r, "email"), Problem: "The e-mail address or the password is wrong.",
	}}))
}

// cookieLifetime is as long as browsers keep a cookie. The session behind it ends when the account service says so, which is
// sooner, and later than a fixed time from the sign-in for whoever keeps coming back.
const cookieLifetime = 400 * 24 * time.Hour

// enter signs somebody in and leads them on. The session is always a new one, and the one the browser came with ends: whoever
// planted that learns nothing.
func (p *Portal) enter(w http.ResponseWriter, r *http.Request, email, password, to string) error {
	token, _, err := p.Account.SignIn(r.Context(), email, password)
	if err != nil {
		return err
	}
	if old := sessionOf(r); old != "" {
		if err := p.signedOut(r.Context(), old); err != nil {
			return err
		}
	}
	p.setSession(w, r, token, seconds(cookieLifetime))
	return done(w, r, to)
}

func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) error {
	if token := sessionOf(r); token != "" {
		if err := p.signedOut(r.Context(), token); err != nil {
			return err
		}
	}
	p.setSession(w, r, "", -1)
	p.notify(w, r, "signed-out")
	return done(w, r, "/signin")
}

func (p *Portal) setSession(w http.ResponseWriter, r *http.Request, token string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: token, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: p.secure(r), SameSite: http.SameSiteLaxMode,
	})
}
