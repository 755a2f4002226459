// Package attach decides what a file is and makes it fit to be handed on: it looks at the bytes, never believes a name or a declared
// type, draws pictures anew and names the file after what it is. It must never keep a file, or let through what browsers might run.
package attach

import (
	"context"
	"net/http"

	"github.com/parley-chat/parley/domain"
)

// File is a file that may be handed on.
type File struct {
	Name  string // with one of the extensions of its type
	Mime  string
	Bytes []byte
}

// format is a kind of file that is allowed.
type format struct {
	mime string
	exts []string // the first is given to files that have none of them
}

var (
	png  = &format{"image/png", []string{".png"}}
	jpeg = &format{"image/jpeg", []string{".jpg", ".jpeg"}}
	gif  = &format{"image/gif", []string{".gif"}}
	webp = &format{"image/webp", []string{".webp"}} // becomes one of the others

	pdf      = &format{"application/pdf", []string{".pdf"}}
	text     = &format{"text/plain", []string{".txt", ".text", ".log"}}
	csv      = &format{"text/csv", []string{".csv"}}
	markdown = &format{"text/markdown", []string{".md", ".markdown"}}

	docx = &format{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", []string{".docx"}}
	xlsx = &format{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", []string{".xlsx"}}
	pptx = &format{"application/vnd.openxmlformats-officedocument.presentationml.presentation", []string{".pptx"}}
	odt  = &format{"application/vnd.oasis.opendocument.text", []string{".odt"}}

	mp3  = &format{"audio/mpeg", []string{".mp3"}}
	m4a  = &format{"audio/mp4", []string{".m4a", ".mp4"}}
	mp4  = &format{"video/mp4", []string{".mp4"}}
	ogg  = &format{"audio/ogg", []string{".ogg", ".oga", ".opus"}}
	wave = &format{"audio/wav", []string{".wav"}}
)

// Check makes a file fit to be handed on. Pictures are drawn anew, which leaves out where and with what they were taken and
// whatever else hides in them. It fails with attachment_rejected for what is empty, too large, broken or of a kind that is not
// allowed, and with Unavailable when ctx ends before there was a free place to draw.
func Check(ctx context.Context, name string, b []byte) (File, error) {
	switch {
	case len(b) == 0:
		return File{}, domain.RejectAttachment("this file is empty")
	case len(b) > domain.MaxAttachmentBytes:
		return File{}, domain.RejectAttachment("this file is too large: it may have up to %d MB", domain.MaxAttachmentBytes>>20)
	}
	is := sniff(name, b)
	if is == nil {
		return File{}, domain.RejectAttachment("files of this kind cannot be sent: send a picture, a PDF, an office document, a text or a voice note")
	}
	if is == png || is == jpeg || is == gif || is == webp {
		var err error
		if is, b, err = redraw(ctx, is, b); err != nil {
			return File{}, err
		}
	}
	return File{Name: rename(name, is), Mime: is.mime, Bytes: b}, nil
}

// sniff finds out what a file is; nil if it is nothing that is allowed. The name only tells one sort of text from another.
func sniff(name string, b []byte) *format {
	switch http.DetectContentType(b) {
	case "image/png":
		return png
	case "image/jpeg":
		return jpeg
	case "image/gif":
		return gif
	case "image/webp":
		return webp
	case "application/pdf":
		return pdf
	case "audio/mpeg":
		return mp3
	case "application/ogg":
		return sniffOgg(b)
	case "audio/wave":
		return wave
	case "video/mp4":
		return sniffMP4(b)
	case "application/zip":
		return sniffZip(b)
	case "text/plain; charset=utf-8":
		return sniffText(name, b)
	}
	switch {
	case isMP3(b):
		return mp3
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		return sniffMP4(b)
	}
	return nil
}
