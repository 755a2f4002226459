//go:build unix

package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ScratchDir makes a directory for an ephemeral cluster, which the caller removes. Postgres can enter it, unlike what
// testing.T.TempDir makes. Where memory is plentiful it lies in memory: a new database is some 400 files, and on a disk
// those take ten times as long. What killed programs have left behind is removed after a day.
func ScratchDir() (string, error) {
	const prefix = "parley-scratch-"
	base := scratchBase()
	left, _ := filepath.Glob(filepath.Join(base, prefix+"*")) // the pattern is well-formed
	for _, dir := range left {
		if st, err := os.Stat(dir); err == nil && time.Since(st.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(dir)
		}
	}
	dir, err := os.MkdirTemp(base, prefix)
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", errors.Join(err, os.Remove(dir))
	}
	return dir, nil
}

func scratchBase() string {
	const memory, plenty = "/dev/shm", 1 << 30
	var st syscall.Statfs_t
	if err := syscall.Statfs(memory, &st); err == nil && uint64(st.Bavail)*uint64(st.Bsize) > plenty {
		return memory
	}
	return os.TempDir()
}
