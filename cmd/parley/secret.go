package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-chat/parley/domain/ledger"
)

// sealer makes what seals stored credentials, from PARLEY_SECRET or from a secret kept in the data directory. A lost secret makes
// them unreadable, so a generated one is only ever created, never replaced.
func (c config) sealer() (*ledger.Sealer, error) {
	if c.secret != "" {
		return ledger.NewSealer(c.secret)
	}
	file := filepath.Join(c.dataDir, "secret")
	kept, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := c.generateSecret(file); err != nil {
			return nil, err
		}
		kept, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the secret in %s: %w", file, err)
	}
	return ledger.NewSealer(strings.TrimSpace(string(kept)))
}

// generateSecret makes the file with a new secret, unless another parley does so first. It appears complete or not at all: a secret that
// another program reads half written, or that a power cut leaves empty, would be a different one or none.
func (c config) generateSecret(file string) error {
	if err := os.MkdirAll(c.dataDir, 0o755); err != nil {
		return fmt.Errorf("cannot make the data directory %s (PARLEY_DATA_DIR): %w", c.dataDir, err)
	}
	b := make([]byte, 32)
	_, _ = rand.Read(b)                             // never fails
	f, err := os.CreateTemp(c.dataDir, ".secret-*") // only its owner may read it
	if err != nil {
		return fmt.Errorf("cannot keep a secret in %s; set PARLEY_SECRET or PARLEY_DATA_DIR: %w", file, err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(b) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("cannot keep a secret in %s: %w", file, err)
	}
	if err := os.Link(f.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot keep a secret in %s; set PARLEY_SECRET or PARLEY_DATA_DIR: %w", file, err)
	}
	return nil
}
