package lead

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/oschwald/geoip2-golang/v2"

	"github.com/parley-chat/parley/domain"
)

// MMDB finds places in a file in MaxMind's format, such as GeoLite2-City or DB-IP's city database. It reads the file again when
// that changes. The whole file is held in memory: one that is written over while mapped would take the program with it.
type MMDB struct {
	path string

	mu      sync.Mutex
	reader  *geoip2.Reader
	changed time.Time // of the file that was tried last, whether or not it could be read
	size    int64
	err     error // of the last try
}

// OpenMMDB finds places in the file at path, which is first read when it is needed.
func OpenMMDB(path string) *MMDB { return &MMDB{path: path} }

// Locate looks into the file as it is now. While a new one cannot be read, the one before serves.
func (m *MMDB) Locate(_ context.Context, a netip.Addr) (domain.Place, error) {
	r, err := m.current()
	if r == nil {
		return domain.Place{}, err
	}
	c, err := r.City(a)
	if err != nil || !c.HasData() {
		return domain.Place{}, err
	}
	p := domain.Place{
		City: c.City.Names.English, Country: c.Country.Names.English, CountryCode: c.Country.ISOCode,
		Timezone: c.Location.TimeZone, Latitude: c.Location.Latitude, Longitude: c.Location.Longitude,
	}
	if len(c.Subdivisions) > 0 {
		p.Region = c.Subdivisions[0].Names.English
	}
	if p.Country == "" {
		p.Country, p.CountryCode = c.RegisteredCountry.Names.English, cmp.Or(p.CountryCode, c.RegisteredCountry.ISOCode)
	}
	return p, nil
}

// Describe says which database the file is and how old, or why it is of no use.
func (m *MMDB) Describe() (string, error) {
	r, err := m.current()
	if err != nil {
		return "", err
	}
	meta := r.Metadata()
	if _, err := r.City(netip.MustParseAddr("8.8.8.8")); err != nil {
		return "", fmt.Errorf("%s is no database of cities: %w", m.path, err)
	}
	return fmt.Sprintf("%s of %s", meta.DatabaseType, time.Unix(int64(meta.BuildEpoch), 0).UTC().Format(time.DateOnly)), nil
}

// current is the reader of the file as it is now, or of the last one that could be read, and what is wrong with the one there now.
func (m *MMDB) current() (*geoip2.Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	st, err := os.Stat(m.path)
	if err != nil {
		m.err, m.changed = err, time.Time{}
		return m.reader, err
	}
	if st.ModTime().Equal(m.changed) && st.Size() == m.size {
		return m.reader, m.err
	}
	m.changed, m.size = st.ModTime(), st.Size()
	var b []byte
	if b, m.err = os.ReadFile(m.path); m.err == nil {
		var r *geoip2.Reader
		if r, m.err = geoip2.OpenBytes(b); m.err == nil {
			m.reader = r
		}
	}
	return m.reader, m.err
}
