package lead

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/parley-chat/parley/domain"
)

const maxGeoAnswer = 64 << 10 // bytes

// Bases of the providers' own services.
const (
	IPRegistryBase = "https://api.ipregistry.co"
	IPAPIBase      = "http://ip-api.com" // the one without a key speaks no TLS
)

// IPRegistry asks ipregistry.co (https://ipregistry.co/docs).
type IPRegistry struct {
	Base, Key string
	Client    *http.Client
}

// Locate asks for one address.
func (g *IPRegistry) Locate(ctx context.Context, a netip.Addr) (domain.Place, error) {
	var out struct {
		Location struct {
			Country             struct{ Name, Code string }
			Region              struct{ Name string }
			City                string
			Latitude, Longitude *float64
		}
		TimeZone struct{ ID string } `json:"time_zone"`
	}
	err := fetch(ctx, g.Client, g.Base+"/"+a.String()+"?key="+url.QueryEscape(g.Key), &out)
	l := out.Location
	return domain.Place{City: l.City, Region: l.Region.Name, Country: l.Country.Name, CountryCode: l.Country.Code,
		Timezone: out.TimeZone.ID, Latitude: l.Latitude, Longitude: l.Longitude}, err
}

// IPAPI asks ip-api.com (https://ip-api.com/docs/api:json) or a service that answers like it.
type IPAPI struct {
	Base   string
	Client *http.Client
}

// Locate asks for one address.
func (g *IPAPI) Locate(ctx context.Context, a netip.Addr) (domain.Place, error) {
	var out struct {
		Status, Message                                  string
		Country, CountryCode, RegionName, City, Timezone string
		Lat, Lon                                         *float64
	}
	if err := fetch(ctx, g.Client, g.Base+"/json/"+a.String(), &out); err != nil {
		return domain.Place{}, err
	}
	switch {
	case out.Status == "success":
	case out.Status == "fail" && (strings.HasSuffix(out.Message, "range") || out.Message == "invalid query"):
		return domain.Place{}, nil // it is there and does not know
	default:
		return domain.Place{}, errors.New("the answer is none")
	}
	return domain.Place{City: out.City, Region: out.RegionName, Country: out.Country, CountryCode: out.CountryCode,
		Timezone: out.Timezone, Latitude: out.Lat, Longitude: out.Lon}, nil
}

// fetch reads the JSON at an address. Its errors hold neither the address nor what came from there: the one has a key in it and
// somebody's IP, the other could be anything.
func fetch(ctx context.Context, client *http.Client, address string, to any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("the address is none")
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	} else if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxGeoAnswer))
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return errBusy
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("status %d", resp.StatusCode)
	case err != nil:
		return err
	case json.Unmarshal(body, to) != nil:
		return errors.New("the answer is not the JSON it should be")
	}
	return nil
}
