package account

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

const (
	siteLease = 2 * time.Minute // longer than a page or a sitemap may take
	siteEvery = time.Minute     // between two looks for a site whose reader has died, or has left it: who asks for one wakes the reader
)

// StartSiteImport has a site read into the knowledge, in the background. It fails with Invalid, and with Conflict while one is being read.
func (s *Service) StartSiteImport(ctx context.Context, org domain.OrgID, in domain.SiteImport) error {
	p := problems{}
	in.OrgID, in.Sitemap = org, p.line("sitemap", in.Sitemap, 2000, true)
	if u, err := url.Parse(in.Sitemap); in.Sitemap != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		p.add("sitemap", "must be an address that starts with https:// or http://")
	}
	p.oneOf("language", in.Language, Languages()...)
	var classes []string
	for _, c := range domain.Classifications() {
		classes = append(classes, string(c))
	}
	p.oneOf("classification", string(in.Classification), classes...)
	if err := p.err(); err != nil {
		return err
	}
	if err := s.ledger.StartSiteImport(ctx, in); err != nil {
		return err
	}
	select {
	case s.sites <- struct{}{}:
	default: // somebody looks already
	}
	return nil
}

// SiteImport is the site that is being read, or was last. It fails with NotFound if there never was one.
func (s *Service) SiteImport(ctx context.Context, org domain.OrgID) (domain.SiteImport, error) {
	i, err := s.ledger.SiteImport(ctx, org)
	return i, found(err, "import")
}

// ReadSites reads the sites that were asked for, one after the other, until ctx ends. One that is cut short is read anew by whoever comes
// next: what is the same by then is left alone. The client decides which addresses may be reached.
func (s *Service) ReadSites(ctx context.Context, client *http.Client, log *slog.Logger) error {
	tick := time.NewTicker(siteEvery)
	defer tick.Stop()
	for {
		job, err := s.ledger.ClaimSiteImport(ctx, siteLease)
		switch {
		case err == nil:
			if err := s.readSite(ctx, client, job); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "a site could not be read to its end", "org", job.OrgID, "err", err)
			}
			continue
		case domain.KindOf(err) != domain.NotFound && ctx.Err() == nil:
			log.WarnContext(ctx, "could not look for sites to read, the next round tries again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.sites:
		}
	}
}

// readSite reads one. An error means that it is not finished, and not ours any more or not to be stored.
func (s *Service) readSite(ctx context.Context, client *http.Client, job domain.SiteImport) error {
	var lost error
	reading, stop := context.WithCancel(ctx)
	defer stop()
	site := Site{Client: client, Told: func(read, pages int) {
		job.Read, job.Pages = read, pages
		if lost = s.ledger.KeepSiteImport(reading, job, siteLease); lost != nil {
			stop()
		}
	}}
	pages, failed, _, err := site.Read(reading, job.Sitemap, nil)
	switch {
	case ctx.Err() != nil:
		return s.ledger.KeepSiteImport(context.WithoutCancel(ctx), job, 0) // whoever comes next begins at once
	case lost != nil:
		return lost
	case err != nil:
		job.Status, job.Error = domain.ImportFailed, err.Error()
		return s.ledger.KeepSiteImport(ctx, job, 0)
	}
	for i := range pages {
		if !slices.Contains(Languages(), pages[i].Language) {
			pages[i].Language = job.Language
		}
		pages[i].Classification = job.Classification
	}
	for part := range slices.Chunk(pages, 50) {
		done, err := s.ImportArticles(ctx, job.OrgID, part)
		if err != nil {
			return errors.Join(err, s.ledger.KeepSiteImport(context.WithoutCancel(ctx), job, siteLease)) // the site is not read again before that is over
		}
		job.Added, job.Updated, job.Unchanged = job.Added+done.Added, job.Updated+done.Updated, job.Unchanged+done.Unchanged
		for address, why := range done.Failed {
			failed[address] = strings.TrimSpace(why)
		}
		if err := s.ledger.KeepSiteImport(ctx, job, siteLease); err != nil {
			return err
		}
	}
	job.Status, job.Failed = domain.ImportDone, failed
	return s.ledger.KeepSiteImport(ctx, job, 0)
}
