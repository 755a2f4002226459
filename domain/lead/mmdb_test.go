package lead

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

func names(s string) mmdbtype.Map {
	return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(s)}}
}

// cities is a database in which one network lies in a city.
func cities(t *testing.T, city string) []byte {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", BuildEpoch: 1764201600})
	if err != nil {
		t.Fatal(err)
	}
	country := names("Netherlands")
	country["iso_code"] = mmdbtype.String("NL")
	for _, cidr := range []string{"8.8.8.0/24", "2a00:1450::/32"} {
		_, network, err := net.ParseCIDR(cidr)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(network, mmdbtype.Map{
			"city": names(city), "country": country, "subdivisions": mmdbtype.Slice{names("Utrecht Province")},
			"location": mmdbtype.Map{"time_zone": mmdbtype.String("Europe/Amsterdam"), "latitude": mmdbtype.Float64(52.09), "longitude": mmdbtype.Float64(5.12)},
		}); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// TestMMDB: the file is read when it is there, again when it changes, and the one before serves while a new one is no good.
func TestMMDB(t *testing.T) {
	path := filepath.Join(t.TempDir(), "city.mmdb")
	db := OpenMMDB(path)
	address := netip.MustParseAddr("8.8.8.8")
	if p, err := db.Locate(t.Context(), address); err == nil || p.Known() {
		t.Errorf("without a file: %+v, %v", p, err)
	}
	put(t, path, cities(t, "Utrecht"))
	p, err := db.Locate(t.Context(), address)
	if err != nil || p.String() != "Utrecht, Netherlands" || p.Region != "Utrecht Province" || p.CountryCode != "NL" || p.Timezone != "Europe/Amsterdam" ||
		p.Latitude == nil || *p.Latitude != 52.09 || *p.Longitude != 5.12 {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err := db.Locate(t.Context(), netip.MustParseAddr("2a00:1450::7")); err != nil || p.City != "Utrecht" {
		t.Errorf("over IPv6: %+v, %v", p, err)
	}
	if p, err := db.Locate(t.Context(), netip.MustParseAddr("9.9.9.9")); err != nil || p.Known() {
		t.Errorf("of an address that is not in it: %+v, %v", p, err)
	}
	if what, err := db.Describe(); err != nil || what != "GeoLite2-City of 2025-11-27" {
		t.Errorf("it is %q, %v", what, err)
	}
	put(t, path, []byte("half a download"))
	if p, err := db.Locate(t.Context(), address); err != nil || p.City != "Utrecht" {
		t.Errorf("while the new one is no good: %+v, %v", p, err)
	}
	if _, err := db.Describe(); err == nil {
		t.Error("a file that is no database passes")
	}
	put(t, path, cities(t, "Amersfoort"))
	if p, err := db.Locate(t.Context(), address); err != nil || p.City != "Amersfoort" {
		t.Errorf("with a new file: %+v, %v", p, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Describe(); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("without the file: %v", err)
	}
}

// FuzzMMDB: no file brings the program down.
func FuzzMMDB(f *testing.F) {
	f.Add([]byte("\xab\xcd\xefMaxMind.com"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.mmdb")
		put(t, path, b)
		db := OpenMMDB(path)
		_, _ = db.Describe()
		_, _ = db.Locate(t.Context(), netip.MustParseAddr("8.8.8.8"))
	})
}
