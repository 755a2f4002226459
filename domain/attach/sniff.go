package attach

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"slices"
	"strings"
)

// sniffText takes text for what its name says, if it is text all through. What begins as markup does is refused, whatever it is
// called: SVG and XML are text too.
func sniffText(name string, b []byte) *format {
	if bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' }) {
		return nil
	}
	start := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), " \t\r\n\f")
	if bytes.HasPrefix(start, []byte("<")) || bytes.HasPrefix(start, []byte("%!PS")) {
		return nil
	}
	ext := strings.ToLower(path.Ext(name))
	switch {
	case slices.Contains(csv.exts, ext):
		return csv
	case slices.Contains(markdown.exts, ext):
		return markdown
	}
	return text
}

// mp4Brands are those of MPEG-4 files that hold sound, or sound and moving pictures. Photos (heic, avif) have others.
var mp4Brands = []string{"isom", "iso2", "iso3", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "dash", "M4V ", "MSNV", "M4A ", "M4B "}

// videoTrack is the header of a track that holds moving pictures.
var videoTrack = []byte("hdlr\x00\x00\x00\x00\x00\x00\x00\x00vide")

func sniffMP4(b []byte) *format {
	switch brand := string(b[8:12]); {
	case string(b[4:8]) != "ftyp" || !slices.Contains(mp4Brands, brand):
		return nil
	case bytes.Contains(b, videoTrack):
		return mp4
	}
	return m4a
}

// oggSounds are how the first packet of a stream begins that holds sound.
var oggSounds = [][]byte{[]byte("OpusHead"), []byte("\x01vorbis"), []byte("Speex   "), []byte("\x7FFLAC")}

func sniffOgg(b []byte) *format {
	head := b[:min(len(b), 64)]
	for _, sound := range oggSounds {
		if bytes.Contains(head, sound) {
			return ogg
		}
	}
	return nil
}

// isMP3 recognises a file that begins with a frame of MPEG audio, layer III, rather than with a tag.
func isMP3(b []byte) bool {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE6 != 0xE2 {
		return false
	}
	version, bitrate, rate := b[1]>>3&3, b[2]>>4, b[2]>>2&3
	return version != 1 && bitrate != 0 && bitrate != 15 && rate != 3
}

// sniffZip recognises office documents by the part that makes them one. Those with macros are refused.
func sniffZip(b []byte) *format {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil
	}
	var is *format
	contents := false
	for i, f := range z.File {
		switch {
		case strings.HasSuffix(strings.ToLower(f.Name), "vbaproject.bin"):
			return nil
		case f.Name == "[Content_Types].xml":
			contents = true
		case f.Name == "word/document.xml":
			is = docx
		case f.Name == "xl/workbook.xml":
			is = xlsx
		case f.Name == "ppt/presentation.xml":
			is = pptx
		case i == 0 && f.Name == "mimetype":
			if holds(f, odt.mime) {
				return odt
			}
			return nil
		}
	}
	if !contents {
		return nil
	}
	return is
}

// holds reports whether a file of an archive has this content and no more.
func holds(f *zip.File, content string) bool {
	r, err := f.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	got, err := io.ReadAll(io.LimitReader(r, int64(len(content))+1))
	return err == nil && string(got) == content
}
