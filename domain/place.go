package domain

// Place is roughly where a visitor is, as far as their address tells: a guess at the town, never at the house. Empty: nobody knows.
type Place struct {
	City        string   `json:"city,omitempty"`
	Region      string   `json:"region,omitempty"`
	Country     string   `json:"country,omitempty"`
	CountryCode string   `json:"country_code,omitempty"` // ISO 3166-1, two capitals
	Timezone    string   `json:"timezone,omitempty"`     // IANA
	Latitude    *float64 `json:"latitude,omitempty"`     // degrees; both or none
	Longitude   *float64 `json:"longitude,omitempty"`
}

// Known reports whether the place says anything.
func (p Place) Known() bool { return p != Place{} }

// String is a place in a few words, such as "Utrecht, Netherlands". Without a town the region stands in.
func (p Place) String() string {
	town, country := p.City, p.Country
	if town == "" {
		town = p.Region
	}
	if country == "" {
		country = p.CountryCode
	}
	switch {
	case town == "" || town == country: // a city state
		return country
	case country == "":
		return town
	}
	return town + ", " + country
}
