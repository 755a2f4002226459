// Package domain is Parley's vocabulary: the types everything else speaks of, their states and which state may follow which,
// and the one error type. It must never do anything: no I/O, no SQL, no HTTP, nothing but the standard library. Struct tags
// for the ledger's rows are allowed, importing what reads them is not.
package domain
