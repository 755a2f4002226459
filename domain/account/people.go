package account

import (
	"context"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Owner is somebody who owns an organisation, as they introduce themselves.
type Owner struct{ Organisation, Name, Email, Password string }

// check returns o as it is stored, or Invalid with a problem for every bad field.
func (o Owner) check() (Owner, error) {
	p := problems{}
	o.Organisation = p.name("organisation", o.Organisation)
	o.Name = p.name("name", o.Name)
	o.Email = p.email("email", o.Email)
	p.password("password", o.Password)
	return o, p.err()
}

func (o Owner) user(org domain.OrgID) domain.User {
	return domain.User{ID: ledger.NewID[domain.UserID](), OrgID: org, Email: o.Email, Name: o.Name, Role: domain.RoleOwner, CreatedAt: now()}
}

// HasOwner reports whether anybody owns anything here yet. If not, whoever comes first may SetUp.
func (s *Service) HasOwner(ctx context.Context) (bool, error) { return s.ledger.HasOwner(ctx) }

// SetUp makes the first owner and their organisation. It fails with Conflict once there is any owner, however many try at
// once, and with Invalid.
func (s *Service) SetUp(ctx context.Context, o Owner) (domain.User, error) {
	if err := refuseSetUp(ctx, s.ledger); err != nil { // before the work of hashing
		return domain.User{}, err
	}
	o, err := o.check()
	if err != nil {
		return domain.User{}, err
	}
	hash, err := s.hash(ctx, o.Password)
	if err != nil {
		return domain.User{}, err
	}
	var u domain.User
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		if err := tx.LockUsers(ctx); err != nil {
			return err
		}
		if err := refuseSetUp(ctx, tx); err != nil {
			return err
		}
		org, err := newOrganisation(ctx, tx, o.Organisation)
		if err != nil {
			return err
		}
		u = o.user(org.ID)
		return tx.CreateUser(ctx, u, hash)
	})
	if err != nil {
		return domain.User{}, err
	}
	return u, nil
}

func refuseSetUp(ctx context.Context, l *ledger.Ledger) error {
	has, err := l.HasOwner(ctx)
	if err == nil && has {
		return domain.Conflictf("this Parley is set up already: sign in instead")
	}
	return err
}

// CreateOwner makes an owner of the organisation with a slug, and the organisation too if there is none. It fails with Conflict
// if somebody has the e-mail address already, and with Invalid; then nothing is made. A blank Organisation means the slug.
func (s *Service) CreateOwner(ctx context.Context, orgSlug string, o Owner) (domain.User, error) {
	slug := slugOf(orgSlug)
	if n := utf8.RuneCountInString(slug); n < 1 || n > 80 {
		return domain.User{}, domain.InvalidField("org", "must have 1 to 80 letters and digits")
	}
	if strings.TrimSpace(o.Organisation) == "" {
		o.Organisation = orgSlug
	}
	o, err := o.check()
	if err != nil {
		return domain.User{}, err
	}
	hash, err := s.hash(ctx, o.Password)
	if err != nil {
		return domain.User{}, err
	}
	var u domain.User
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		org, _, err := ensureOrganisation(ctx, tx, o.Organisation, slug)
		if err != nil {
			return err
		}
		u = o.user(org.ID)
		return tx.CreateUser(ctx, u, hash)
	})
	if err != nil {
		return domain.User{}, err
	}
	return u, nil
}

// OrganisationBySlug finds an organisation by the name it has on the command line. It fails with NotFound.
func (s *Service) OrganisationBySlug(ctx context.Context, slug string) (domain.Organisation, error) {
	o, err := s.ledger.OrganisationBySlug(ctx, slugOf(slug))
	return o, found(err, "organisation")
}

// OnlyOrganisation is the one that lives here. It fails with NotFound while there is none, and with Conflict if there are several.
func (s *Service) OnlyOrganisation(ctx context.Context) (domain.Organisation, error) {
	all, err := s.ledger.Organisations(ctx, 2)
	switch {
	case err != nil:
		return domain.Organisation{}, err
	case len(all) == 0:
		return domain.Organisation{}, notFound("organisation yet")
	case len(all) > 1:
		return domain.Organisation{}, domain.Conflictf("there are several organisations")
	}
	return all[0], nil
}

// Users lists the people of an organisation by name.
func (s *Service) Users(ctx context.Context, org domain.OrgID) ([]domain.User, error) {
	return s.ledger.Users(ctx, org)
}

// newOrganisation makes an organisation under the first free slug that its name suggests.
func newOrganisation(ctx context.Context, tx *ledger.Ledger, name string) (domain.Organisation, error) {
	base := slugOf(name)
	if base == "" { // a name without letters
		base = "organisation"
	}
	slug := base
	for n := 2; ; n++ {
		org, made, err := ensureOrganisation(ctx, tx, name, slug)
		if err != nil || made {
			return org, err
		}
		slug = base + "-" + strconv.Itoa(n)
	}
}

func ensureOrganisation(ctx context.Context, tx *ledger.Ledger, name, slug string) (domain.Organisation, bool, error) {
	return tx.EnsureOrganisation(ctx, domain.Organisation{ID: ledger.NewID[domain.OrgID](), Name: name, Slug: slug, CreatedAt: now()})
}

// slugOf is a name in lower case with everything but letters and digits as single dashes. A slug's slug is itself.
func slugOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !unicode.IsMark(c) })
	return strings.Join(words, "-")
}
