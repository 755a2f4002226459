//go:build unix

package cluster

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the oldest major version of Postgres that Parley's SQL runs on.
const oldest = 14

// places are where the packages put a server, one directory per major version.
var places = []string{
	"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu, Alpine (also as postgresql17)
	"/usr/lib/postgresql*/bin",           //
	"/usr/pgsql-*/bin",                   // the Postgres project's RPMs
	"/opt/homebrew/opt/postgresql@*/bin", // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// FindBinDir is the directory with the binaries that a new cluster would be made with: dir if it is not empty (PGBIN), else the
// first of PATH and the usual places, newest version first. It fails with Invalid, saying what to install, if there is none.
func FindBinDir(dir string) (string, error) {
	dirs, err := binDirs(dir)
	if err != nil {
		return "", err
	}
	return dirs[0], nil
}

// binDirs lists the directories that hold a Postgres server; at least one, or an error.
func binDirs(dir string) ([]string, error) {
	if dir != "" {
		if !hasServer(dir) {
			return nil, refuse("there is no Postgres server in %s: PGBIN must name the directory that holds initdb and postgres", dir)
		}
		return []string{dir}, nil
	}
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil { // the link may stand alone in /usr/local/bin
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	var packaged []string
	for _, pattern := range places {
		found, _ := filepath.Glob(pattern) // fails for malformed patterns only
		packaged = append(packaged, found...)
	}
	slices.SortStableFunc(packaged, func(a, b string) int { return cmp.Compare(pathVersion(b), pathVersion(a)) })
	dirs = slices.DeleteFunc(append(dirs, packaged...), func(dir string) bool { return !hasServer(dir) })
	if len(dirs) == 0 {
		return nil, refuse("there is no Postgres server here: install the package postgresql (Debian, Ubuntu: apt install postgresql; " +
			"macOS: brew install postgresql@17), or set PGBIN to the directory of its binaries, or DATABASE_URL to a Postgres of yours")
	}
	return dirs, nil
}

func hasServer(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.IsDir() || st.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

var digits = regexp.MustCompile(`\d+`)

// pathVersion is the major version a package's directory is named after, 0 if it is not.
func pathVersion(dir string) int {
	n, _ := strconv.Atoi(digits.FindString(dir))
	return n
}

// findBinaries is like FindBinDir, but passes by what cannot run data made by the given major version ("" = there is none yet).
func findBinaries(ctx context.Context, dir, data, major string) (string, error) {
	dirs, err := binDirs(dir)
	if err != nil {
		return "", err
	}
	var seen []string
	for _, dir := range dirs {
		version, err := serverVersion(ctx, dir)
		if err != nil {
			return "", err
		}
		if major == "" {
			if n, _ := strconv.Atoi(version); n < oldest {
				return "", refuse("the Postgres in %s is version %s: Parley needs %d or newer", dir, version, oldest)
			}
			return dir, nil
		}
		if version == major {
			return dir, nil
		}
		seen = append(seen, version+" in "+dir)
	}
	return "", refuse("the data in %s was made by Postgres %s, but here is only %s: install postgresql-%s, or set PGBIN to its binaries, or move the data over with pg_upgrade",
		data, major, strings.Join(seen, ", "), major)
}

var versionRE = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// serverVersion asks the binary in dir for its major version.
func serverVersion(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "postgres")
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("cannot run %s: %w", path, err)
	}
	m := versionRE.FindSubmatch(out)
	if m == nil {
		return "", refuse("%s does not say which version it is: %.100q", path, out)
	}
	return string(m[1]), nil
}
