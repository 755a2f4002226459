package domain

// Identifiers are UUIDv7 in their canonical text form, one type each so that the compiler keeps them apart. The empty string is "none".
type (
	OrgID      string
	UserID     string
	AgentID    string
	WidgetID   string
	ContactID  string
	SessionID  string
	ThreadID   string
	MessageID  string
	EventID    string
	DispatchID string
	DeliveryID string
	ChannelID  string
	TurnID     string
	ArticleID  string
	APIKeyID   string
	WebhookID  string

	AttachmentID string
	ReplayID     string
	GoldenID     string
	InvitationID string
)

// ParseID reads an identifier that came from outside. It fails with NotFound: an id that cannot exist names nothing,
// and whoever asks need not learn more.
func ParseID[T ~string](s string) (T, error) {
	if !isUUID(s) {
		return "", NotFoundf("there is no such thing as %.40q", s)
	}
	return T(s), nil
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
