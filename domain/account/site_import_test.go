package account_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// A site is read in the background. Its reader may die in the middle: the next one reads it to its end, each page once.
func TestSiteIsReadInTheBackground(t *testing.T) {
	t.Parallel()
	x := newTenant(t)
	other := newOrg(t, x.ledger, "other")
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	mux.HandleFunc("/sitemap.xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<urlset><url><loc>%[1]s/a</loc></url><url><loc>%[1]s/b</loc></url><url><loc>%[1]s/gone</loc></url></urlset>`, site.URL)
	})
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, helpPage)
	}
	mux.HandleFunc("/a", page)
	reached := make(chan struct{})
	var once sync.Once
	mux.HandleFunc("/b", func(w http.ResponseWriter, r *http.Request) {
		first := false
		once.Do(func() { first = true })
		if first {
			close(reached)
			<-r.Context().Done() // the reader dies here
			return
		}
		page(w, r)
	})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	read := func() (stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- x.ReadSites(ctx, client, slog.New(slog.DiscardHandler)) }()
		return sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
	stop := read()
	t.Cleanup(stop)
	in := domain.SiteImport{Sitemap: site.URL + "/sitemap.xml", Language: "english", Classification: domain.ClassInternal}
	if err := x.StartSiteImport(t.Context(), x.org, in); err != nil {
		t.Fatal(err)
	}
	<-reached
	if i, err := x.SiteImport(t.Context(), x.org); err != nil || i.Status != domain.ImportRunning || i.Pages != 3 || i.Read != 1 {
		t.Errorf("while it is read: %+v, %v", i, err)
	}
	if err := x.StartSiteImport(t.Context(), x.org, in); domain.KindOf(err) != domain.Conflict {
		t.Errorf("a second one at the same time: %v", err)
	}
	if _, err := x.SiteImport(t.Context(), other); domain.KindOf(err) != domain.NotFound {
		t.Errorf("another organisation sees it: %v", err)
	}
	stop()
	t.Cleanup(read())
	i := siteRead(t, x.Service, x.org)
	if i.Status != domain.ImportDone || i.Read != 3 || i.Added != 2 || len(i.Failed) != 1 || i.FinishedAt.IsZero() {
		t.Errorf("%+v", i)
	}
	all, err := x.Articles(t.Context(), x.org)
	if err != nil || len(all) != 2 || all[0].Classification != domain.ClassInternal {
		t.Errorf("%+v, %v", all, err)
	}

	in.Sitemap = site.URL + "/nowhere.xml"
	if err := x.StartSiteImport(t.Context(), x.org, in); err != nil {
		t.Fatal(err)
	}
	if i := siteRead(t, x.Service, x.org); i.Status != domain.ImportFailed || i.Error == "" || i.Added != 0 {
		t.Errorf("%+v", i)
	}
	for _, bad := range []domain.SiteImport{{}, {Sitemap: "file:///etc/passwd", Language: "english", Classification: "PUBLIC"}, {Sitemap: in.Sitemap, Language: "klingon", Classification: "PUBLIC"}, {Sitemap: in.Sitemap, Language: "english", Classification: "x"}} {
		if err := x.StartSiteImport(t.Context(), x.org, bad); domain.KindOf(err) != domain.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// siteRead waits until no site is being read any more.
func siteRead(t *testing.T, s *account.Service, org domain.OrgID) domain.SiteImport {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(30 * time.Second); ; {
		i, err := s.SiteImport(t.Context(), org)
		if err != nil {
			t.Fatal(err)
		}
		if !i.Status.Open() {
			return i
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it is still being read: %+v", i)
		}
	}
}

// What a site says may not be storable for now. Then the site is left in peace for the length of a lease, and not read over and over.
func TestSiteIsNotReadOverAndOver(t *testing.T) {
	t.Parallel()
	x := newTenant(t)
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	mux.HandleFunc("/sitemap.xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<urlset><url><loc>%s/a</loc></url></urlset>`, site.URL)
	})
	mux.HandleFunc("/a", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, helpPage)
	})
	exec(t, x.ledger, `ALTER TABLE articles ADD CHECK (false)`)
	given := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- x.ReadSites(ctx, http.DefaultClient, slog.New(slog.NewTextHandler(onWrite(func() {
			select {
			case given <- struct{}{}:
			default:
			}
		}), nil)))
	}()
	if err := x.StartSiteImport(t.Context(), x.org, domain.SiteImport{Sitemap: site.URL + "/sitemap.xml", Language: "english", Classification: domain.ClassPublic}); err != nil {
		t.Fatal(err)
	}
	<-given // up, as the log says
	if rests := scan[bool](t, x.ledger, `SELECT token = 1 AND lease_until > now() + interval '30 seconds' FROM site_imports WHERE org_id = ?`, x.org); !rests {
		t.Error("the site is to be read again at once")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// onWrite is told of every write.
type onWrite func()

func (f onWrite) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}
