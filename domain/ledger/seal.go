package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/parley-chat/parley/domain"
)

// Sealer encrypts credentials at rest with AES-256-GCM. What it seals is nonce || ciphertext.
type Sealer struct {
	aead  cipher.AEAD
	alias cipher.Block // of a key of its own
	token []byte       // another one
}

// NewSealer makes a sealer from PARLEY_SECRET, which should carry at least 32 random bytes in whatever notation.
func NewSealer(secret string) (*Sealer, error) {
	if len(secret) < 16 {
		return nil, errors.New("PARLEY_SECRET is too short: give it at least 16 characters, 32 random bytes in hex are best")
	}
	key := sha256.Sum256([]byte("parley seal v1:" + secret))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	key = sha256.Sum256([]byte("parley alias v1:" + secret))
	alias, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	key = sha256.Sum256([]byte("parley token v1:" + secret))
	return &Sealer{aead, alias, key[:]}, nil
}

// Seal encrypts plain for one place; what was sealed for one cannot be opened for another. Nothing is sealed to nil.
func (s *Sealer) Seal(place string, plain []byte) ([]byte, error) {
	if len(plain) == 0 {
		return nil, nil
	}
	if s == nil {
		return nil, errors.New("no PARLEY_SECRET: refusing to store a credential")
	}
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return s.aead.Seal(nonce, nonce, plain, []byte(place)), nil
}

// Open decrypts what Seal made for the same place. It fails when the secret has changed or the bytes were tampered with.
func (s *Sealer) Open(place string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	if s == nil {
		return nil, errors.New("no PARLEY_SECRET: cannot open a stored credential")
	}
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("a sealed credential is cut short")
	}
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(place))
	if err != nil {
		return nil, fmt.Errorf("cannot open a stored credential; was PARLEY_SECRET changed? %w", err)
	}
	return plain, nil
}

// Token is 256 bits that follow from the secret and what they open, and that nobody can guess who has only the latter, in a notation that
// fits addresses. Secrets that people make up are guessed: the token of a weak one is as weak.
func (s *Sealer) Token(opens string) (string, error) {
	if s == nil {
		return "", errors.New("no PARLEY_SECRET: refusing to make a link")
	}
	mac := hmac.New(sha256.New, s.token)
	mac.Write([]byte(opens)) // never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// sealSecrets seals an agent's write-only settings, for that agent only.
func (l *Ledger) sealSecrets(agent domain.AgentID, secrets map[string]string) ([]byte, error) {
	if len(secrets) == 0 {
		return nil, nil
	}
	plain, err := json.Marshal(secrets)
	if err != nil {
		return nil, err
	}
	return l.seal.Seal("agent:"+string(agent), plain)
}

// openSecrets opens what sealSecrets sealed.
func (l *Ledger) openSecrets(agent domain.AgentID, sealed []byte) (map[string]string, error) {
	plain, err := l.seal.Open("agent:"+string(agent), sealed)
	if err != nil || plain == nil {
		return nil, err
	}
	var secrets map[string]string
	return secrets, json.Unmarshal(plain, &secrets)
}
