package domain

import "fmt"

// Attachment is a file that came with a message, as everyone who may read the message may know it.
type Attachment struct {
	ID   AttachmentID `json:"id"`
	Name string       `json:"name"` // fit to be shown and to be saved under, with the extension of what it is
	Size int64        `json:"size"` // bytes
	Mime string       `json:"mime"` // what it is, whatever its sender called it
	URL  string       `json:"url"`  // /files/{token}/{name}; whoever tells others of it puts this server's address before it
}

// What may be attached.
const (
	MaxAttachmentBytes = 10 << 20 // one file
	MaxAttachments     = 5        // with one message
)

// AttachmentAccept is what a file chooser should offer: types and extensions.
func AttachmentAccept() []string {
	return []string{"image/png", "image/jpeg", "image/gif", "image/webp", ".pdf", ".txt", ".csv", ".md",
		".docx", ".xlsx", ".pptx", ".odt", ".mp3", ".m4a", ".mp4", ".ogg", ".wav"}
}

// Image reports whether a is a picture that this server has drawn anew, the one kind of file that browsers may show in place.
func (a Attachment) Image() bool {
	return a.Mime == "image/png" || a.Mime == "image/jpeg" || a.Mime == "image/gif"
}

// AttachmentsAt are attachments with their whole address, for those who do not get it from this server's own pages.
func AttachmentsAt(origin string, as []Attachment) []Attachment {
	if len(as) == 0 {
		return nil
	}
	out := make([]Attachment, len(as))
	for i, a := range as {
		a.URL = origin + a.URL
		out[i] = a
	}
	return out
}

// RejectAttachment makes the error of a file, or of its use, that will not do. The text is for whoever sent it.
func RejectAttachment(format string, args ...any) *Error {
	return &Error{Kind: Invalid, Code: CodeAttachmentRejected, Msg: fmt.Sprintf(format, args...)}
}
