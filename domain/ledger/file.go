package ledger

import (
	"context"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// filePart is how much of a file is read at a time: a slow reader holds that much memory and no connection.
const filePart = 512 << 10

// File is a stored file, read a part at a time. It is an io.ReadSeeker for one goroutine; its reads fail with Unavailable in an
// outage.
type File struct {
	domain.Attachment
	org    domain.OrgID
	ctx    context.Context // of whoever reads it
	ledger *Ledger
	at     int64  // where the next read begins
	part   []byte // what was read last
	from   int64  // where part begins
}

const fileByToken = `SELECT id::text, org_id::text, name, mime, size FROM attachments WHERE token = $1`

// OpenFile finds a file by the token in its address, which is all that one needs to read it. Reads end with ctx. It fails with NotFound.
func (l *Ledger) OpenFile(ctx context.Context, token string) (*File, error) {
	f := &File{ctx: ctx, ledger: l}
	err := l.hot.QueryRow(ctx, fileByToken, clean(token)).Scan(&f.ID, &f.org, &f.Name, &f.Mime, &f.Size)
	f.URL = fileURL(token, f.Name)
	return f, classify(err)
}

const readPart = `SELECT substring(bytes FROM $3::int FOR $4::int) FROM attachment_bytes WHERE attachment_id = $1::text::uuid AND org_id = $2::text::uuid`

// Read reads on where the last one, or Seek, left off.
func (f *File) Read(p []byte) (int, error) {
	if f.at >= f.Size {
		return 0, io.EOF
	}
	if f.at < f.from || f.at >= f.from+int64(len(f.part)) {
		f.from = f.at
		err := f.ledger.readers.QueryRow(f.ctx, readPart, pgx.QueryExecModeCacheStatement, string(f.ID), string(f.org), f.at+1, filePart).Scan(&f.part)
		if err != nil {
			return 0, classify(err)
		}
		if len(f.part) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
	}
	n := copy(p, f.part[f.at-f.from:])
	f.at += int64(n)
	return n, nil
}

// Seek sets where the next read begins.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.Size
	}
	if offset < 0 {
		return 0, errors.New("ledger: seek before the beginning of a file")
	}
	f.at = offset
	return offset, nil
}
