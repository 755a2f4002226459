package domain

import "testing"

func TestPlaceInWords(t *testing.T) {
	for want, p := range map[string]Place{
		"":                     {Timezone: "Europe/Amsterdam"},
		"Utrecht, Netherlands": {City: "Utrecht", Region: "Utrecht", Country: "Netherlands", CountryCode: "NL"},
		"Bavaria, Germany":     {Region: "Bavaria", Country: "Germany"},
		"Singapore":            {City: "Singapore", Country: "Singapore"},
		"Paris, FR":            {City: "Paris", CountryCode: "FR"},
		"Portugal":             {Country: "Portugal"},
		"Nowhere":              {City: "Nowhere"},
	} {
		if got := p.String(); got != want {
			t.Errorf("%+v is %q, want %q", p, got, want)
		}
	}
}
