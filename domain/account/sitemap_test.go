package account_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/parley-chat/parley/domain/account"
)

// A sitemap may name thousands of others, each of megabytes: no more are fetched than are looked at.
func TestSitemapOfManyMaps(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	var site *httptest.Server
	site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		var maps strings.Builder
		for i := range 100 {
			fmt.Fprintf(&maps, "<sitemap><loc>%s/%s%d.xml</loc></sitemap>", site.URL, strings.TrimSuffix(r.URL.Path[1:], ".xml"), i)
		}
		fmt.Fprintf(w, "<sitemapindex>%s</sitemapindex>", maps.String())
	}))
	defer site.Close()
	if _, _, _, err := (&account.Site{Client: site.Client()}).Read(t.Context(), site.URL+"/sitemap.xml", nil); err == nil {
		t.Error("it found pages")
	}
	if n := fetched.Load(); n < 2 || n > 20 {
		t.Errorf("%d maps were fetched", n)
	}
}
