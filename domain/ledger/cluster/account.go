//go:build unix

package cluster

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is whom Postgres runs as, for it refuses to run as root.
type account struct {
	name string
	cred *syscall.Credential // nil = ourselves
}

// accountFor is the account for a data directory, which may be missing. As root it is the directory's owner, so that a cluster
// that somebody made for themselves stays theirs, else the packages' own account.
func accountFor(data string) (account, error) {
	self, owner := os.Geteuid(), 0
	var gid uint32
	if st, err := os.Stat(data); err == nil {
		sys := st.Sys().(*syscall.Stat_t)
		owner, gid = int(sys.Uid), sys.Gid
	} else if errors.Is(err, fs.ErrNotExist) {
		owner = self
	} else {
		return account{}, err
	}
	switch {
	case self != 0 && owner != self:
		return account{}, refuse("%s belongs to user %s: start as that user, or choose another data directory", data, userName(owner))
	case self != 0:
		return account{name: userName(self)}, nil
	case owner != 0:
		return account{name: userName(owner), cred: credential(uint32(owner), gid)}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr == nil && gerr == nil && uid != 0 {
			return account{name: name, cred: credential(uint32(uid), uint32(gid))}, nil
		}
	}
	return account{}, refuse("Postgres does not run as root, and there is neither a user postgres nor nobody: start as an ordinary user")
}

// credential is a user without any further groups.
func credential(uid, gid uint32) *syscall.Credential {
	return &syscall.Credential{Uid: uid, Gid: gid, Groups: []uint32{}}
}

func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// give makes a file or directory the account's own.
func (a account) give(path string) error {
	if a.cred == nil {
		return nil
	}
	return os.Chown(path, int(a.cred.Uid), int(a.cred.Gid))
}

// reachable tries out whether the account can run the binaries and enter the directory. Only an attempt knows; the modes then
// tell which directory is in the way.
func (h *home) reachable(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, filepath.Join(h.bin, "postgres"), "--version")
	h.dress(cmd)
	cmd.Stdout = nil
	err := cmd.Run()
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if dir := h.account.barred(h.dir); dir != "" {
		return refuse("user %s, whom Postgres runs as, cannot enter %s: choose another data directory, such as /var/lib/parley", h.account.name, dir)
	}
	if dir := h.account.barred(h.bin); dir != "" {
		return refuse("user %s, whom Postgres runs as, cannot enter %s, where its binaries are", h.account.name, dir)
	}
	return refuse("user %s, whom Postgres runs as, cannot enter %s or run the binaries in %s: %v", h.account.name, h.dir, h.bin, err)
}

// barred is the first directory on the way up from dir that the account may not enter, "" if there is none.
func (a account) barred(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		if st, err := os.Stat(dir); err == nil && !a.mayEnter(st) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// mayEnter reads a directory's mode; it knows nothing of access control lists.
func (a account) mayEnter(st fs.FileInfo) bool {
	uid, gid := uint32(os.Geteuid()), uint32(os.Getegid())
	if a.cred != nil {
		uid, gid = a.cred.Uid, a.cred.Gid
	}
	sys := st.Sys().(*syscall.Stat_t)
	switch {
	case sys.Uid == uid:
		return st.Mode()&0o100 != 0
	case sys.Gid == gid:
		return st.Mode()&0o010 != 0
	default:
		return st.Mode()&0o001 != 0
	}
}
