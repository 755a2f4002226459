package edge

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Form is a form with files.
type Form struct {
	Fields url.Values
	Files  []File
}

// File is a file of a form as it was sent; its name is not to be trusted. One that is too large to be taken is cut one byte after
// the limit, which whoever checks it will notice.
type File struct {
	Name  string
	Bytes []byte
}

const (
	multipartTime = 3 * time.Minute // for a form with files to arrive, over a slow line too
	fieldsMost    = 1 << 20         // bytes of all that is not a file
	// skipMost is how much is read of files that are too large, and thrown away: a browser that is cut off while it sends does not
	// read why.
	skipMost = 64 << 20
)

// ReadForm reads a form of multipart/form-data with up to most files under the name field. File inputs left empty do not count. It
// fails with bad_json for what is no such form, and with attachment_rejected for too many files and for files beyond all bounds.
func ReadForm(w http.ResponseWriter, r *http.Request, field string, most int) (Form, error) {
	defer BodyWithin(w, multipartTime)()
	f := Form{Fields: url.Values{}}
	r.Body = http.MaxBytesReader(w, r.Body, int64(most)*domain.MaxAttachmentBytes+fieldsMost+skipMost)
	parts, err := r.MultipartReader()
	if err != nil {
		return f, unreadable(err)
	}
	left := int64(fieldsMost)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, unreadable(err)
		}
		if part.FormName() == field && part.FileName() != "" {
			if len(f.Files) == most {
				return f, domain.RejectAttachment("that is more than %d files: please send the others with another message", most)
			}
			err = f.file(part)
		} else {
			err = f.field(part, &left)
		}
		if err != nil {
			return f, err
		}
	}
}

func (f *Form) file(part *multipart.Part) error {
	b, err := io.ReadAll(io.LimitReader(part, domain.MaxAttachmentBytes+1))
	if err != nil {
		return unreadable(err)
	}
	f.Files = append(f.Files, File{part.FileName(), b})
	return nil
}

func (f *Form) field(part *multipart.Part, left *int64) error {
	b, err := io.ReadAll(io.LimitReader(part, *left+1))
	if err != nil {
		return unreadable(err)
	}
	if *left -= int64(len(b)); *left < 0 {
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeTooLong, Msg: "the form is too large"}
	}
	if part.FileName() == "" && part.FormName() != "" {
		f.Fields.Add(part.FormName(), string(b))
	}
	return nil
}

func unreadable(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return domain.RejectAttachment("this file is too large: it may have up to %d MB", domain.MaxAttachmentBytes>>20)
	}
	return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body must be multipart/form-data", Err: err}
}
