// Package cluster runs a private Postgres from the system's own binaries, for whoever was given no DATABASE_URL: it makes the
// data directory, starts the server, keeps it up and stops it. Any number of programs may start on one directory: one supervises,
// the others share its server. It must never wipe, overwrite or upgrade a data directory that is there, listen on anything but a
// Unix socket, or know what the database holds. It needs a Unix; elsewhere set DATABASE_URL.
package cluster
