package lead

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-chat/parley/domain"
)

var (
	quiet = slog.New(slog.DiscardHandler)
	eight = netip.MustParseAddr("8.8.8.8")
)

// service is a fake of a provider in the network.
func service(t *testing.T, answer http.HandlerFunc) (base string) {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const (
	registrySays = `{"ip":"8.8.8.8","location":{"country":{"name":"Netherlands","code":"NL"},"region":{"code":"NL-UT","name":"Utrecht"},"city":"Utrecht","latitude":52.09,"longitude":5.12},"time_zone":{"id":"Europe/Amsterdam"}}`
	ipAPISays    = `{"status":"success","country":"Netherlands","countryCode":"NL","regionName":"Utrecht","city":"Utrecht","lat":52.09,"lon":5.12,"timezone":"Europe/Amsterdam"}`
)

func TestServicesInTheNetwork(t *testing.T) {
	for name, tt := range map[string]struct {
		status         int
		registry, ip   string
		known, failure bool
	}{
		"a place":            {200, registrySays, ipAPISays, true, false},
		"nobody knows":       {200, `{"location":{"country":{"name":null},"city":null,"latitude":null}}`, `{"status":"fail","message":"reserved range"}`, false, false},
		"an outage":          {500, "", "", false, true},
		"a refusal":          {403, `{"code":"INVALID_API_KEY"}`, `{"status":"fail"}`, false, true},
		"a redirect":         {302, "", "", false, true},
		"garbage":            {200, "<html>", "<html>", false, true},
		"half of it":         {200, registrySays[:60], ipAPISays[:60], false, true},
		"other types":        {200, `{"location":{"city":{"a":1}}}`, `{"status":"success","city":[]}`, false, true},
		"without an end":     {200, `{"x":"` + strings.Repeat("x", 2*maxGeoAnswer), `{"x":"` + strings.Repeat("x", 2*maxGeoAnswer), false, true},
		"too many questions": {429, registrySays, ipAPISays, false, true},
	} {
		registry := &IPRegistry{Base: service(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/8.8.8.8" || r.URL.Query().Get("key") != "se&cret" {
				t.Errorf("asked for %s", r.URL)
			}
			says(tt.status, tt.registry)(w, r)
		}), Key: "se&cret", Client: http.DefaultClient}
		ip := &IPAPI{Base: service(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.String() != "/json/8.8.8.8" {
				t.Errorf("asked for %s", r.URL)
			}
			says(tt.status, tt.ip)(w, r)
		}), Client: http.DefaultClient}
		for what, geo := range map[string]Geo{"ipregistry": registry, "ip-api": ip} {
			p, err := geo.Locate(t.Context(), eight)
			if (err != nil) != tt.failure || tidy(p).Known() != tt.known {
				t.Errorf("%s, %s: %+v, %v", what, name, p, err)
			}
			if tt.known && (p.String() != "Utrecht, Netherlands" || p.CountryCode != "NL" || p.Timezone != "Europe/Amsterdam" || *p.Latitude != 52.09 || *p.Longitude != 5.12) {
				t.Errorf("%s, %s: %+v", what, name, p)
			}
			if (tt.status == 429) != errors.Is(err, errBusy) {
				t.Errorf("%s, %s: %v", what, name, err)
			}
		}
	}
}

// TestErrorsOfServicesTellNothing: neither the key nor the visitor's address gets into the log.
func TestErrorsOfServicesTellNothing(t *testing.T) {
	base := service(t, says(200, "")) // closed before it is asked
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, base := range []string{base, gone.URL, "http://\x7f"} {
		_, err := (&IPRegistry{Base: base, Key: "secret", Client: http.DefaultClient}).Locate(t.Context(), eight)
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "8.8.8.8") {
			t.Errorf("%q: %v", base, err)
		}
	}
}

// asked is a provider that counts how often it is asked.
type asked struct {
	n      atomic.Int64
	answer func(ctx context.Context) (domain.Place, error)
}

func (a *asked) Locate(ctx context.Context, _ netip.Addr) (domain.Place, error) {
	a.n.Add(1)
	return a.answer(ctx)
}

func fails(context.Context) (domain.Place, error)     { return domain.Place{}, errors.New("broken") }
func busy(context.Context) (domain.Place, error)      { return domain.Place{}, errBusy }
func nowhereIs(context.Context) (domain.Place, error) { return domain.Place{}, nil }
func utrecht(context.Context) (domain.Place, error)   { return domain.Place{City: "Utrecht"}, nil }
func hangs(ctx context.Context) (domain.Place, error) {
	<-ctx.Done()
	return domain.Place{}, ctx.Err()
}

func TestChainAsksInTurn(t *testing.T) {
	for name, tt := range map[string]struct {
		first, second func(context.Context) (domain.Place, error)
		place         string
		failure       bool
		seconds       int64 // times the second is asked
	}{
		"the first knows":           {utrecht, fails, "Utrecht", false, 0},
		"the first does not":        {nowhereIs, utrecht, "Utrecht", false, 1},
		"the first is broken":       {fails, utrecht, "Utrecht", false, 1},
		"nobody knows":              {nowhereIs, nowhereIs, "", false, 1},
		"one of them does not know": {fails, nowhereIs, "", false, 1},
		"all are broken":            {fails, busy, "", true, 1},
	} {
		second := &asked{answer: tt.second}
		p, err := NewChain(quiet, Provider{"a", &asked{answer: tt.first}}, Provider{"b", second}).Locate(t.Context(), eight)
		if p.String() != tt.place || (err != nil) != tt.failure || second.n.Load() != tt.seconds {
			t.Errorf("%s: %q, %v, the second was asked %d times", name, p, err, second.n.Load())
		}
	}
}

// TestCircuitOfAProvider: five failures in a row, or one word that it is too much, and it is left alone for a minute; then one
// question decides.
func TestCircuitOfAProvider(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(context.Context) (domain.Place, error)
		tries  int64
	}{"broken": {fails, geoFailures}, "hanging": {hangs, geoFailures}, "busy": {busy, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first := &asked{answer: tt.answer}
				c := NewChain(quiet, Provider{"first", first})
				for range 20 {
					began := time.Now()
					if _, err := c.Locate(t.Context(), eight); err == nil {
						t.Fatal("no failure")
					}
					if took := time.Since(began); took > geoTimeout {
						t.Fatalf("one question took %v", took)
					}
				}
				if first.n.Load() != tt.tries {
					t.Errorf("asked %d times, want %d", first.n.Load(), tt.tries)
				}
				if _, err := c.Locate(t.Context(), eight); !errors.Is(err, ErrResting) {
					t.Errorf("while it is left alone: %v", err)
				}
				time.Sleep(geoOpenFor + time.Second)
				first.answer = utrecht
				for range 10 {
					if p, err := c.Locate(t.Context(), eight); err != nil || p.City != "Utrecht" {
						t.Fatalf("after it has recovered: %v, %v", p, err)
					}
				}
			})
		})
	}
}

func TestTidy(t *testing.T) {
	f := func(v float64) *float64 { return &v }
	p := tidy(domain.Place{City: " Ut\x00recht\n", Country: strings.Repeat("é", 300), CountryCode: "nl", Timezone: "../../etc/passwd", Latitude: f(91), Longitude: f(5)})
	if p.City != "Utrecht" || len(p.Country) > maxPlaceName || p.CountryCode != "NL" || p.Timezone != "" || p.Latitude != nil || p.Longitude != nil {
		t.Errorf("%+v", p)
	}
	if p := tidy(domain.Place{CountryCode: "N<", Latitude: f(0), Longitude: f(0)}); p.Known() {
		t.Errorf("%+v", p)
	}
}
