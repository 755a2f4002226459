package account_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

var anna = account.Owner{Organisation: "Acme Bikes", Name: "Anna", Email: " Anna@Example.com ", Password: "correct horse"}

func TestSetUpMakesTheFirstOwnerOnly(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	s := account.New(l)
	if has, err := s.HasOwner(t.Context()); err != nil || has {
		t.Fatalf("HasOwner of nothing: %t, %v", has, err)
	}
	u, err := s.SetUp(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	if u.Email != "anna@example.com" || u.Role != domain.RoleOwner || u.Name != "Anna" {
		t.Errorf("set up %+v", u)
	}
	o, err := s.OrganisationBySlug(t.Context(), "acme-bikes")
	if err != nil || o.ID != u.OrgID || o.Name != "Acme Bikes" {
		t.Errorf("the organisation is %+v, %v", o, err)
	}
	if has, err := s.HasOwner(t.Context()); err != nil || !has {
		t.Errorf("HasOwner: %t, %v", has, err)
	}
	_, err = s.SetUp(t.Context(), account.Owner{Organisation: "Evil", Name: "Eve", Email: "eve@example.com", Password: "correct horse"})
	wantKind(t, err, domain.Conflict)
	_, err = s.SetUp(t.Context(), account.Owner{})
	wantKind(t, err, domain.Conflict)
}

func TestSetUpByManyAtOnceMakesOneOwner(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	const each = 3
	var wg sync.WaitGroup
	errs := make([]error, 2*each)
	for node := range 2 {
		s := account.New(ledgertest.Open(t, dsn))
		for i := range each {
			wg.Go(func() {
				o := anna
				o.Email = strings.Repeat("x", node*each+i+1) + "@example.com"
				_, errs[node*each+i] = s.SetUp(t.Context(), o)
			})
		}
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else {
			wantKind(t, err, domain.Conflict)
		}
	}
	l := ledgertest.Open(t, dsn)
	if users, orgs := scan[int](t, l, `SELECT count(*) FROM users`), scan[int](t, l, `SELECT count(*) FROM organisations`); made != 1 || users != 1 || orgs != 1 {
		t.Errorf("%d set-ups went well, there are %d users and %d organisations; want one of each", made, users, orgs)
	}
}

func TestOwnerRules(t *testing.T) {
	t.Parallel()
	s := account.New(ledgertest.New(t))
	tests := []struct {
		name   string
		spoil  func(*account.Owner)
		fields []string
	}{
		{"nothing at all", func(o *account.Owner) { *o = account.Owner{} }, []string{"organisation", "name", "email", "password"}},
		{"blank names", func(o *account.Owner) { o.Organisation, o.Name = " \t", "\n" }, []string{"organisation", "name"}},
		{"long names", func(o *account.Owner) { o.Organisation, o.Name = strings.Repeat("ö", 81), strings.Repeat("n", 81) }, []string{"organisation", "name"}},
		{"NUL in the name", func(o *account.Owner) { o.Name = "An\x00na" }, []string{"name"}},
		{"line break in the name", func(o *account.Owner) { o.Name = "An\nna" }, []string{"name"}},
		{"broken UTF-8", func(o *account.Owner) { o.Name = "An\xffna" }, []string{"name"}},
		{"no address", func(o *account.Owner) { o.Email = "anna" }, []string{"email"}},
		{"name and address", func(o *account.Owner) { o.Email = "Anna <anna@example.com>" }, []string{"email"}},
		{"two addresses", func(o *account.Owner) { o.Email = "a@example.com, b@example.com" }, []string{"email"}},
		{"space in the address", func(o *account.Owner) { o.Email = "an na@example.com" }, []string{"email"}},
		{"comment in the address", func(o *account.Owner) { o.Email = "anna@example.com(hi)" }, []string{"email"}},
		{"NUL in the address", func(o *account.Owner) { o.Email = "anna\x00@example.com" }, []string{"email"}},
		{"long address", func(o *account.Owner) { o.Email = strings.Repeat("a", 250) + "@example.com" }, []string{"email"}},
		{"short password", func(o *account.Owner) { o.Password = "123456789" }, []string{"password"}},
		{"long password", func(o *account.Owner) { o.Password = strings.Repeat("p", 201) }, []string{"password"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := anna
			tt.spoil(&o)
			_, err := s.SetUp(t.Context(), o)
			wantProblems(t, err, tt.fields...)
		})
	}
}

func TestCreateOwner(t *testing.T) {
	t.Parallel()
	s := account.New(ledgertest.New(t))
	first, err := s.CreateOwner(t.Context(), "Acme Inc.", account.Owner{Name: "Zoe", Email: "zoe@example.com", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.OrganisationBySlug(t.Context(), "Acme Inc.")
	if err != nil || o.Slug != "acme-inc" || o.Name != "Acme Inc." || o.ID != first.OrgID {
		t.Errorf("the organisation is %+v, %v", o, err)
	}
	second, err := s.CreateOwner(t.Context(), "acme-inc", account.Owner{Organisation: "Another name", Name: "anna", Email: "anna@example.com", Password: "correct horse"})
	if err != nil || second.OrgID != first.OrgID {
		t.Errorf("a second owner: %+v, %v", second, err)
	}
	us, err := s.Users(t.Context(), first.OrgID)
	if err != nil || len(us) != 2 || us[0].ID != second.ID || us[1].ID != first.ID {
		t.Errorf("users %+v, %v; want anna, Zoe", us, err)
	}

	_, err = s.CreateOwner(t.Context(), "other", account.Owner{Name: "Anna", Email: "ANNA@example.com", Password: "correct horse"})
	wantKind(t, err, domain.Conflict)
	_, err = s.OrganisationBySlug(t.Context(), "other")
	wantKind(t, err, domain.NotFound)
	for _, slug := range []string{"", "...", strings.Repeat("x", 81)} {
		_, err = s.CreateOwner(t.Context(), slug, account.Owner{Organisation: "X", Name: "X", Email: "x@example.com", Password: "correct horse"})
		wantProblems(t, err, "org")
	}
}

func TestSlugOfANewOrganisation(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, taken, want string }{
		{"Acme Bikes & Co.", "", "acme-bikes-co"},
		{"  ÜBER räder ", "", "über-räder"},
		{"!!!", "", "organisation"},
		{"Acme", "acme", "acme-2"},
		{"Acme", "acme acme-2", "acme-3"},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.taken, func(t *testing.T) {
			t.Parallel()
			l := ledgertest.New(t)
			for _, slug := range strings.Fields(tt.taken) {
				newOrg(t, l, slug)
			}
			o := anna
			o.Organisation = tt.name
			u, err := account.New(l).SetUp(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if got := scan[string](t, l, `SELECT slug FROM organisations WHERE id = ?`, u.OrgID); got != tt.want {
				t.Errorf("slug %q, want %q", got, tt.want)
			}
		})
	}
}
