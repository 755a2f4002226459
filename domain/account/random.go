package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// random62 is n base62 digits nobody can guess, each as likely as any other.
func random62(n int) string {
	const fair = 256 - 256%len(base62) // bytes from here on would favour the first digits
	digits := make([]byte, 0, n)
	var buf [64]byte
	for {
		_, _ = rand.Read(buf[:]) // never fails
		for _, b := range buf {
			if len(digits) == n {
				return string(digits)
			}
			if int(b) < fair {
				digits = append(digits, base62[int(b)%len(base62)])
			}
		}
	}
}

// newToken is 256 random bits in a notation that fits cookies and headers.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashOf is how a token or key is stored: with as many random bits as these have, no salt is needed.
func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
