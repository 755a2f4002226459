package account

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What reading a site may take.
const (
	sitePages    = 500
	siteMaps     = 20 // of a sitemap that names others
	siteFor      = 10 * time.Minute
	pageFor      = 15 * time.Second
	pageBytes    = 2 << 20
	mapBytes     = 10 << 20
	redirectMost = 3
)

// Site reads the pages of one host. Its client decides which addresses may be reached, and follows no redirects by itself.
type Site struct {
	Client *http.Client
	Told   func(read, pages int) // how far it has come, after each; may be nil
	host   string
}

// Read fetches all pages that a sitemap names, given by its address or, with data, as a file. Only pages of the sitemap's own host count,
// at most 500. A page that cannot be read is told in failed and does not end it. prefix is what the sources of all pages begin with.
func (s *Site) Read(ctx context.Context, sitemap string, data []byte) (pages []Import, failed map[string]string, prefix string, err error) {
	ctx, cancel := context.WithTimeout(ctx, siteFor)
	defer cancel()
	failed = map[string]string{}
	addresses, err := s.addresses(ctx, sitemap, data)
	if err != nil {
		return nil, nil, "", err
	}
	for i, address := range addresses {
		s.tell(i, len(addresses))
		in, err := s.page(ctx, address)
		switch {
		case ctx.Err() != nil:
			return nil, nil, "", fmt.Errorf("reading the site took longer than %s", siteFor)
		case err != nil:
			failed[address] = err.Error()
		default:
			pages = append(pages, Import{Source: address, ArticleInput: in})
		}
	}
	s.tell(len(addresses), len(addresses))
	first, err := url.Parse(addresses[0])
	return pages, failed, first.Scheme + "://" + first.Host + "/", err
}

func (s *Site) tell(read, pages int) {
	if s.Told != nil {
		s.Told(read, pages)
	}
}

// siteMap is a sitemap, or one that names others (sitemaps.org/protocol.html).
type siteMap struct {
	Pages []string `xml:"url>loc"`
	Maps  []string `xml:"sitemap>loc"`
}

// addresses are the pages of a sitemap and of those that it names, each once, of one host.
func (s *Site) addresses(ctx context.Context, sitemap string, data []byte) ([]string, error) {
	if data == nil {
		u, err := url.Parse(sitemap)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("%.200q is not the address of a sitemap", sitemap)
		}
		s.host = u.Host
		if data, _, err = s.get(ctx, sitemap, mapBytes); err != nil {
			return nil, fmt.Errorf("the sitemap could not be read: %w", err)
		}
	}
	var found []string
	known := map[string]bool{}
	pending := [][]byte{data}
	for n := 0; len(pending) > 0 && n < siteMaps; n++ {
		var m siteMap
		if err := xml.NewDecoder(bytes.NewReader(pending[0])).Decode(&m); err != nil {
			return nil, fmt.Errorf("that is not a sitemap: %w", err)
		}
		pending = pending[1:]
		for _, page := range m.Pages {
			page = strings.TrimSpace(page)
			u, err := url.Parse(page)
			if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				continue
			}
			if s.host == "" {
				s.host = u.Host
			}
			if u.Host == s.host && !known[page] && len(found) < sitePages {
				known[page] = true
				found = append(found, page)
			}
		}
		for _, at := range m.Maps[:min(len(m.Maps), max(0, siteMaps-1-n-len(pending)))] { // each may be large: no more than are looked at
			s.tell(0, len(found))
			if more, _, err := s.get(ctx, strings.TrimSpace(at), mapBytes); err == nil {
				pending = append(pending, more)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the sitemap names no page of its own host")
	}
	return found, nil
}

func (s *Site) page(ctx context.Context, address string) (ArticleInput, error) {
	body, kind, err := s.get(ctx, address, pageBytes)
	if err != nil {
		return ArticleInput{}, err
	}
	if kind != "text/html" && kind != "application/xhtml+xml" {
		return ArticleInput{}, fmt.Errorf("it is %q, not a page", kind)
	}
	in, err := ParsePage(address, bytes.NewReader(body))
	if err == nil && in.Content == "" {
		err = fmt.Errorf("it says nothing")
	}
	return in, err
}

// get fetches something of the site's host, which a redirect must not leave either.
func (s *Site) get(ctx context.Context, address string, most int64) (body []byte, kind string, err error) {
	ctx, cancel := context.WithTimeout(ctx, pageFor)
	defer cancel()
	for range redirectMost + 1 {
		u, err := url.Parse(address)
		if err != nil || s.host != "" && u.Host != s.host || u.Scheme != "https" && u.Scheme != "http" {
			return nil, "", fmt.Errorf("it leads to another host")
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, "", err
		}
		req.Header.Set("User-Agent", "Parley knowledge import")
		res, err := s.Client.Do(req)
		if err != nil {
			return nil, "", err
		}
		body, err = io.ReadAll(io.LimitReader(res.Body, most+1))
		res.Body.Close()
		switch {
		case err != nil:
			return nil, "", err
		case res.StatusCode >= 300 && res.StatusCode < 400 && res.Header.Get("Location") != "":
			to, err := u.Parse(res.Header.Get("Location"))
			if err != nil {
				return nil, "", err
			}
			address = to.String()
			continue
		case res.StatusCode != http.StatusOK:
			return nil, "", fmt.Errorf("answered with status %d", res.StatusCode)
		case int64(len(body)) > most:
			return nil, "", fmt.Errorf("it is larger than %d bytes", most)
		}
		kind, _, _ = mime.ParseMediaType(res.Header.Get("Content-Type"))
		return body, kind, nil
	}
	return nil, "", fmt.Errorf("it redirects too often")
}
