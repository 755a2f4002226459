package cluster

import (
	"os"
	"strconv"
	"syscall"
)

// childAttr puts a child into a process group of its own, out of reach of the terminal's Ctrl-C, and has the kernel ask it to
// stop when the thread that started it dies.
func childAttr(cred *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: cred, Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// worksIn reports whether process pid lives and has dir, without symbolic links, as its working directory.
func worksIn(pid int, dir string) bool {
	cwd, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	return err == nil && cwd == dir
}
