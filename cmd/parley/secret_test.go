package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestEverybodyReadsTheSameGeneratedSecret(t *testing.T) {
	t.Parallel()
	for range 50 {
		c := config{dataDir: t.TempDir()}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := c.sealer(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		left, err := os.ReadDir(c.dataDir)
		if err != nil || len(left) != 1 {
			t.Fatalf("%v, %v; want only the secret", left, err)
		}
		if kept, err := os.ReadFile(filepath.Join(c.dataDir, "secret")); err != nil || len(kept) != 65 {
			t.Fatalf("%q, %v", kept, err)
		}
	}
}
