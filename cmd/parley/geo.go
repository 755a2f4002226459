package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger"
)

// geoConfig says who may be asked where visitors are. Nobody, unless it is set.
type geoConfig struct {
	file        string // PARLEY_GEOIP_DB
	registryKey string // PARLEY_IPREGISTRY_KEY
	ipAPI       string // PARLEY_IPAPI: the service's address
}

func readGeo(env getenv) (geoConfig, error) {
	g := geoConfig{file: env("PARLEY_GEOIP_DB"), registryKey: env("PARLEY_IPREGISTRY_KEY"), ipAPI: env("PARLEY_IPAPI")}
	if g.ipAPI == "1" {
		g.ipAPI = lead.IPAPIBase
	}
	if g.ipAPI == "" {
		return g, nil
	}
	u, err := url.Parse(g.ipAPI)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return g, errors.New("PARLEY_IPAPI must be 1 or look like https://geo.example.com")
	}
	g.ipAPI = strings.TrimRight(g.ipAPI, "/")
	return g, nil
}

// places are those who are asked: the file, then the services in the network.
func (g geoConfig) places(l *ledger.Ledger, log *slog.Logger) *chat.Places {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var file, remote lead.Geo
	if g.file != "" {
		db := lead.OpenMMDB(g.file)
		if _, err := db.Describe(); err != nil {
			log.Warn("PARLEY_GEOIP_DB cannot be used; it is tried again when the file changes", "file", g.file, "err", err)
		}
		file = lead.NewChain(log, lead.Provider{Name: "PARLEY_GEOIP_DB", Geo: db})
	}
	var services []lead.Provider
	if g.registryKey != "" {
		services = append(services, lead.Provider{Name: "ipregistry.co", Geo: &lead.IPRegistry{Base: lead.IPRegistryBase, Key: g.registryKey, Client: client}})
	}
	if g.ipAPI != "" {
		services = append(services, lead.Provider{Name: g.ipAPI, Geo: &lead.IPAPI{Base: g.ipAPI, Client: client}})
	}
	if len(services) > 0 {
		remote = lead.NewChain(log, services...)
	}
	return chat.NewPlaces(l, file, remote, log)
}

// checkGeo says who would be asked where visitors are, and looks into the file. The services are not asked: each answer counts.
func (c config) checkGeo(context.Context) (string, error) {
	var asked []string
	if c.geo.file != "" {
		what, err := lead.OpenMMDB(c.geo.file).Describe()
		if err != nil {
			return "", fmt.Errorf("%s cannot be used (PARLEY_GEOIP_DB): %w", c.geo.file, err)
		}
		asked = append(asked, what)
	}
	if c.geo.registryKey != "" {
		asked = append(asked, "ipregistry.co")
	}
	if c.geo.ipAPI != "" {
		asked = append(asked, c.geo.ipAPI)
	}
	if len(asked) == 0 {
		return "nobody is asked where visitors are (PARLEY_GEOIP_DB is not set)", nil
	}
	return strings.Join(asked, ", then "), nil
}
