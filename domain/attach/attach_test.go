package attach_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/attach"
)

// picture is red on the left and blue on the right, w wide and h high.
func picture(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 255, A: 255}
			if x >= w/2 {
				c = color.RGBA{B: 255, A: 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t *testing.T, img image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, img) })
}

func jpegOf(t *testing.T, img image.Image) []byte {
	return encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, img, nil) })
}

func gifOf(t *testing.T, frames int) []byte {
	g := &gif.GIF{LoopCount: 3}
	for range frames {
		p := image.NewPaletted(image.Rect(0, 0, 20, 10), color.Palette{color.Black, color.White})
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, 5)
	}
	return encoded(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, g) })
}

// archive is a zip of these files, in pairs of name and content.
func archive(t *testing.T, files ...string) []byte {
	return encoded(t, func(b *bytes.Buffer) error {
		z := zip.NewWriter(b)
		for i := 0; i < len(files); i += 2 {
			w, err := z.Create(files[i])
			if err != nil {
				return err
			}
			if _, err := w.Write([]byte(files[i+1])); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

// bomb is a small PNG whose header promises a huge picture.
func bomb(w, h uint32) []byte {
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&out, binary.BigEndian, uint32(len(data)))
		body := append([]byte(kind), data...)
		out.Write(body)
		_ = binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	header := binary.BigEndian.AppendUint32(nil, w)
	header = binary.BigEndian.AppendUint32(header, h)
	chunk("IHDR", append(header, 8, 0, 0, 0, 0))
	var data bytes.Buffer
	z := zlib.NewWriter(&data)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	chunk("IDAT", data.Bytes())
	chunk("IEND", nil)
	return out.Bytes()
}

// with puts a segment behind the first two bytes of a JPEG.
func with(b []byte, marker byte, data string) []byte {
	out := append([]byte{0xFF, 0xD8, 0xFF, marker}, byte((len(data)+2)>>8), byte(len(data)+2))
	return append(append(out, data...), b[2:]...)
}

// exif says how the camera was held.
func exif(orientation byte) string {
	return "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00 GPS 48.2N 16.4E"
}

// lossyWebP is from golang.org/x/image's test data (BSD-3-Clause, the Go Authors).
//
//go:embed testdata/lossy.webp
var lossyWebP []byte

// webpPixel is a picture of one pixel with an alpha channel, lossless.
var webpPixel, _ = base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")

const (
	opus = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x02"
	m4a  = "\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A mp42"
	mp4  = "\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42"
	ooxm = "[Content_Types].xml"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	small := pngOf(t, picture(20, 10))
	manyScans := append(jpegOf(t, picture(20, 10)), bytes.Repeat([]byte{0xFF, 0xDA, 0}, 101)...)
	tests := []struct {
		name, called string
		file         []byte
		mime, as     string // empty: refused
	}{
		{"png", "photo.png", small, "image/png", "photo.png"},
		{"jpeg", "photo.JPEG", jpegOf(t, picture(20, 10)), "image/jpeg", "photo.jpeg"},
		{"gif", "a.gif", gifOf(t, 3), "image/gif", "a.gif"},
		{"webp becomes what everything shows", "a.webp", lossyWebP, "image/jpeg", "a.jpg"},
		{"webp that one sees through", "a.webp", webpPixel, "image/png", "a.png"},
		{"pdf", "invoice.pdf", []byte("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"), "application/pdf", "invoice.pdf"},
		{"text", "notes.txt", []byte("Grüße\n\tand more"), "text/plain", "notes.txt"},
		{"text of an older time", "notes.txt", []byte("Gr\xFC\xDFe"), "text/plain", "notes.txt"},
		{"csv", "list.csv", []byte("a;b\n1;2\n"), "text/csv", "list.csv"},
		{"markdown", "read.me.md", []byte("# Title\n\n<b>x</b>"), "text/markdown", "read.me.md"},
		{"docx", "a.docx", archive(t, ooxm, "<x/>", "word/document.xml", "<x/>"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx"},
		{"xlsx", "a.xlsx", archive(t, ooxm, "<x/>", "xl/workbook.xml", "<x/>"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "a.xlsx"},
		{"pptx", "a.pptx", archive(t, ooxm, "<x/>", "ppt/presentation.xml", "<x/>"), "application/vnd.openxmlformats-officedocument.presentationml.presentation", "a.pptx"},
		{"odt", "a.odt", archive(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", "<x/>"), "application/vnd.oasis.opendocument.text", "a.odt"},
		{"mp3 with a tag", "a.mp3", []byte("ID3\x04\x00\x00\x00\x00\x00\x00"), "audio/mpeg", "a.mp3"},
		{"mp3 without", "a.mp3", []byte("\xFF\xFB\x90\x64\x00\x00\x00\x00"), "audio/mpeg", "a.mp3"},
		{"m4a", "voice.m4a", []byte(m4a), "audio/mp4", "voice.m4a"},
		{"sound in mp4", "voice.mp4", []byte(mp4), "audio/mp4", "voice.mp4"},
		{"moving pictures", "clip.mp4", []byte(mp4 + "hdlr\x00\x00\x00\x00\x00\x00\x00\x00vide"), "video/mp4", "clip.mp4"},
		{"ogg", "voice.ogg", []byte(opus), "audio/ogg", "voice.ogg"},
		{"wav", "voice.wav", []byte("RIFF\x24\x00\x00\x00WAVEfmt "), "audio/wav", "voice.wav"},

		{"the name lies about a picture", "invoice.pdf", small, "image/png", "invoice.png"},
		{"a page in a picture", "x.html", append(slices.Clone(small), "<script>alert(1)</script>"...), "image/png", "x.png"},
		{"a program's name", "invoice.pdf.exe", []byte("%PDF-1.4"), "application/pdf", "invoice.pdf"},

		{"empty", "a.txt", nil, "", ""},
		{"one byte too large", "a.txt", bytes.Repeat([]byte("a"), domain.MaxAttachmentBytes+1), "", ""},
		{"svg", "a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "", ""},
		{"svg called png", "a.png", []byte(`<?xml version="1.0"?><svg/>`), "", ""},
		{"svg behind a mark and blanks", "a.txt", []byte("\xEF\xBB\xBF\n\t <svg/>"), "", ""},
		{"html", "a.txt", []byte("<!doctype html><script>alert(1)</script>"), "", ""},
		{"html without a head", "a.txt", []byte("  <p onclick=x>hi"), "", ""},
		{"a program", "a.txt", []byte("MZ\x90\x00\x03\x00\x00\x00"), "", ""},
		{"binary behind text", "a.txt", []byte(strings.Repeat("text ", 200) + "\x00\x01"), "", ""},
		{"an archive", "a.zip", archive(t, "a.txt", "hi"), "", ""},
		{"an archive called docx", "a.docx", archive(t, "word/document.xml", "<x/>"), "", ""},
		{"macros", "a.docx", archive(t, ooxm, "<x/>", "word/document.xml", "<x/>", "word/vbaProject.bin", "x"), "", ""},
		{"a photo of a kind nobody draws", "a.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), "", ""},
		{"ogg with pictures", "a.ogg", []byte("OggS\x00\x02" + strings.Repeat("\x00", 22) + "\x80theora"), "", ""},
		{"a header that promises too much", "a.png", bomb(50_000, 50_000), "", ""},
		{"a picture with hardly a byte of it", "a.png", bomb(2000, 2000), "", ""},
		{"half a picture", "a.png", small[:len(small)/2], "", ""},
		{"scans without end", "a.jpg", manyScans, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := attach.Check(t.Context(), tt.called, tt.file)
			if tt.mime == "" {
				if domain.CodeOf(err) != domain.CodeAttachmentRejected {
					t.Fatalf("%+v, %v; want it refused", f.Mime, err)
				}
				return
			}
			if err != nil || f.Mime != tt.mime || f.Name != tt.as || len(f.Bytes) == 0 {
				t.Fatalf("%s %q of %d bytes, %v", f.Mime, f.Name, len(f.Bytes), err)
			}
			if bytes.Contains(f.Bytes, []byte("<script")) {
				t.Error("the page is still in the picture")
			}
		})
	}
}

func TestGIFWithTooManyFrames(t *testing.T) {
	t.Parallel()
	one := gifOf(t, 1)
	// The one frame again and again, each as large as the canvas says: 6000 × 6000 twice is too much.
	for _, at := range []int{6, 8} {
		binary.LittleEndian.PutUint16(one[at:], 6000)
	}
	frame := bytes.IndexByte(one[13:], 0x2C) + 13
	for _, at := range []int{5, 7} {
		binary.LittleEndian.PutUint16(one[frame+at:], 6000)
	}
	trailer := len(one) - 1
	two := append(append(slices.Clone(one[:trailer]), one[frame:trailer]...), 0x3B)
	if _, err := attach.Check(t.Context(), "a.gif", two); err == nil || !strings.Contains(err.Error(), "too many pixels") {
		t.Errorf("72 megapixels: %v", err)
	}
}

func TestMovingPicturesGoOnMoving(t *testing.T) {
	t.Parallel()
	f, err := attach.Check(t.Context(), "a.gif", gifOf(t, 4))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gif.DecodeAll(bytes.NewReader(f.Bytes))
	if err != nil || len(g.Image) != 4 || g.LoopCount != 3 || g.Delay[1] != 5 {
		t.Errorf("%d frames, %v", len(g.Image), err)
	}
}

// A photo that was taken with the camera held any way comes out upright and without a word about where.
func TestPhotosComeOutUprightAndWithoutMetadata(t *testing.T) {
	t.Parallel()
	photo := jpegOf(t, picture(40, 20))
	red := map[byte]image.Point{ // where the left edge of the stored picture belongs
		1: {2, 10}, 2: {37, 10}, 3: {37, 10}, 4: {2, 10}, 5: {10, 2}, 6: {10, 2}, 7: {10, 37}, 8: {10, 37}, 9: {2, 10},
	}
	for o, at := range red {
		f, err := attach.Check(t.Context(), "a.jpg", with(with(photo, 0xE1, exif(o)), 0xFE, "a comment"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(f.Bytes, []byte("GPS")) || bytes.Contains(f.Bytes, []byte("comment")) || bytes.Contains(f.Bytes, []byte("Exif")) {
			t.Errorf("orientation %d: it still says where it was taken", o)
		}
		img, err := jpeg.Decode(bytes.NewReader(f.Bytes))
		if err != nil {
			t.Fatal(err)
		}
		if r, _, b, _ := img.At(at.X, at.Y).RGBA(); r < 0xC000 || b > 0x4000 {
			t.Errorf("orientation %d: no red at %v of %v", o, at, img.Bounds())
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for called, as := range map[string]string{
		"":                          "file.txt",
		"notes":                     "notes.txt",
		"../../etc/passwd":          "passwd.txt",
		`C:\Users\me\plan.TXT`:      "plan.txt",
		"a\x00b\r\nc\x1b.txt":       "abc.txt",
		"invoice\u202Etxt.exe":      "invoicetxt.txt",
		"zero\u200Bwidth\uFEFF.txt": "zerowidth.txt",
		`who? "me" <or> you|*.txt`:  "who_ _me_ _or_ you__.txt",
		"Plan 1.2 final":            "Plan 1.2 final.txt",
		"Größe 漢字.txt":              "Größe 漢字.txt",
		".htaccess":                 "file.txt",
		"...":                       "file.txt",
		"bad\xffutf8.txt":           "badutf8.txt",
		strings.Repeat("ä", 300):    strings.Repeat("ä", 96) + ".txt",
		"line\u2028break.txt":       "linebreak.txt",
	} {
		f, err := attach.Check(t.Context(), called, []byte("text"))
		if err != nil || f.Name != as {
			t.Errorf("%q becomes %q, want %q (%v)", called, f.Name, as, err)
		}
	}
}

// Whatever comes, the answer is a safe name and a known type, or a refusal.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{opus, m4a, mp4, "%PDF-1.7", "text", "<svg/>", "GIF89a\x01\x00\x01\x00\x80\x00\x00", "\xFF\xD8\xFF\xE1\x00\x10" + exif(6), string(webpPixel)} {
		f.Add("name.png", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		file, err := attach.Check(t.Context(), name, b)
		if err != nil {
			if k := domain.KindOf(err); k != domain.Invalid {
				t.Fatalf("kind %d: %v", k, err)
			}
			return
		}
		if file.Name == "" || strings.ContainsAny(file.Name, "/\\\x00\r\n\u202E") || file.Mime == "text/html" || strings.Contains(file.Mime, "svg") {
			t.Fatalf("%q %s", file.Name, file.Mime)
		}
	})
}
