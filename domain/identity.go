package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// IdentityWindow is how far an identity's timestamp may be from our clock, either way.
const IdentityWindow = 60 * time.Second

// SecretOverlap is how long an identity secret stays good once another has taken its place.
const SecretOverlap = 24 * time.Hour

// SecretOverlaps reports whether the secret before the last rotation is still good.
func (w Widget) SecretOverlaps(now time.Time) bool { return now.Before(w.PreviousUntil) }

// VerifyIdentity checks a site's word for who its visitor is against the widget's secret and, as long as it is still good, the one
// before. It fails like the function of that name.
func (w Widget) VerifyIdentity(userID string, timestamp int64, signature string, now time.Time) error {
	err := VerifyIdentity(w.IdentitySecret, userID, timestamp, signature, now)
	if err != nil && w.SecretOverlaps(now) && VerifyIdentity(w.PreviousSecret, userID, timestamp, signature, now) == nil {
		return nil
	}
	return err
}

// VerifyIdentity checks a site's word for who its visitor is: signature must be the lower-case hex
// HMAC-SHA256 of "{user_id}:{timestamp}" under the widget's identity secret, timestamp in Unix seconds and fresh. It fails
// with Forbidden and the code identity_invalid, and takes the same time for every wrong signature.
func VerifyIdentity(secret, userID string, timestamp int64, signature string, now time.Time) error {
	want := SignIdentity(secret, userID, timestamp)
	switch {
	case !hmac.Equal([]byte(signature), []byte(want)), secret == "", userID == "":
		return identityInvalid("the signature does not fit: sign \"{user_id}:{timestamp}\" with the widget's identity secret")
	case timestamp < now.Add(-IdentityWindow).Unix() || timestamp > now.Add(IdentityWindow).Unix():
		return identityInvalid("the signature is too old or the clocks differ: sign again, with the time in Unix seconds")
	}
	return nil
}

// SignIdentity makes the signature that VerifyIdentity wants.
func SignIdentity(secret, userID string, timestamp int64) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(userID + ":" + strconv.FormatInt(timestamp, 10)))
	return hex.EncodeToString(mac.Sum(nil))
}

func identityInvalid(msg string) *Error {
	return &Error{Kind: Forbidden, Code: CodeIdentityInvalid, Msg: msg}
}
