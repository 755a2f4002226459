package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/lmittmann/tint"

	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/dispatch"
)

// config is what the environment says, checked. README.md lists the variables.
type config struct {
	addr           string
	databaseURL    string // empty = embedded Postgres under dataDir
	dataDir        string
	publicURL      string // without a trailing slash; empty = from the request
	ownURL         string // publicURL or else where this process listens, for those who have sent no request
	secret         string // empty = generated, kept in dataDir
	trustedProxies []string
	outboundPublic bool
	smtp           *dispatch.SMTP // nil = no mail is sent
	nats           string         // servers that carry hints between nodes; empty = Postgres does
	pgBin          string

	geo    geoConfig
	traces traceConfig

	triggerfishWidget string // key of the widget for Triggerfish clients that name none

	chatwoot *account.ChatwootSetup // to take over; nil: none, or this is not serve

	log *slog.Logger
}

func readConfig(env getenv, logs io.Writer) (config, error) {
	c := config{
		addr:        cmp.Or(env("PARLEY_ADDR"), "127.0.0.1:8080"),
		databaseURL: env("DATABASE_URL"),
		dataDir:     cmp.Or(env("PARLEY_DATA_DIR"), defaultDataDir()),
		secret:      env("PARLEY_SECRET"),
		pgBin:       env("PGBIN"),

		triggerfishWidget: env("PARLEY_TRIGGERFISH_WIDGET"),
	}
	var err error
	if c.log, err = newLogger(env("PARLEY_LOG"), env("PARLEY_LOG_FORMAT"), logs); err != nil {
		return c, err
	}
	if v := env("PARLEY_PUBLIC_URL"); v != "" {
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			return c, fmt.Errorf("PARLEY_PUBLIC_URL must look like https://chat.example.com, not %q", v)
		}
		c.publicURL = u.Scheme + "://" + u.Host
	}
	for _, v := range strings.FieldsFunc(env("PARLEY_TRUSTED_PROXIES"), func(r rune) bool { return r == ',' || r == ' ' }) {
		if a, err := netip.ParseAddr(v); err == nil {
			v = netip.PrefixFrom(a, a.BitLen()).String()
		}
		if _, err := netip.ParsePrefix(v); err != nil {
			return c, fmt.Errorf("PARLEY_TRUSTED_PROXIES must list addresses or CIDRs, %q is neither", v)
		}
		c.trustedProxies = append(c.trustedProxies, v)
	}
	switch v := env("PARLEY_OUTBOUND"); v {
	case "", "private":
	case "public":
		c.outboundPublic = true
	default:
		return c, fmt.Errorf("PARLEY_OUTBOUND must be private or public, not %q", v)
	}
	if v := env("PARLEY_SMTP_URL"); v != "" {
		smtp, err := dispatch.ParseSMTP(v)
		if err != nil {
			return c, fmt.Errorf("PARLEY_SMTP_URL %w", err)
		}
		c.smtp = &smtp
	}
	if c.geo, err = readGeo(env); err != nil {
		return c, err
	}
	if c.traces, err = readTraces(env); err != nil {
		return c, err
	}
	if c.nats, err = readBackplane(env); err != nil {
		return c, err
	}
	return c, nil
}

// defaultDataDir is ./.parley, or for root a place that the postgres account can reach.
func defaultDataDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/parley"
	}
	return ".parley"
}

func newLogger(level, format string, w io.Writer) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(cmp.Or(level, "info"))); err != nil {
		return nil, fmt.Errorf("PARLEY_LOG must be debug, info, warn or error, not %q", level)
	}
	f, isFile := w.(*os.File)
	terminal := false
	if isFile {
		if st, err := f.Stat(); err == nil {
			terminal = st.Mode()&os.ModeCharDevice != 0
		}
	}
	if format == "" {
		format = map[bool]string{true: "text", false: "json"}[terminal]
	}
	switch format {
	case "text":
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: l, TimeFormat: time.TimeOnly, NoColor: !terminal})), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
	}
	return nil, fmt.Errorf("PARLEY_LOG_FORMAT must be text or json, not %q", format)
}
