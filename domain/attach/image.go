package attach

import (
	"bytes"
	"context"
	"image"
	"image/color"
	stdgif "image/gif"
	stdjpeg "image/jpeg"
	stdpng "image/png"
	"time"

	xwebp "golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"github.com/parley-chat/parley/domain"
)

const (
	maxPixels  = 40_000_000    // of a picture, or of all frames of a moving one
	maxDeep    = maxPixels / 2 // with 16 bits a channel, which take twice the room
	maxRedrawn = 2 * domain.MaxAttachmentBytes
	drawWait   = 20 * time.Second
	quality    = 88  // of a JPEG: hardly to be told from the original
	maxScans   = 100 // of a JPEG; real ones have about ten, and each costs the time of the whole picture for a few bytes
)

// canvas is how many pixels this process draws at a time, which is what bounds its memory: a pixel takes up to 8 bytes.
var canvas = semaphore.NewWeighted(maxPixels + maxPixels/4)

// redraw decodes a picture and encodes it again. How large it is stands in its header, which is read before anything is decoded.
func redraw(ctx context.Context, is *format, b []byte) (*format, []byte, error) {
	pixels, err := measure(is, b)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, drawWait)
	defer cancel()
	if err := canvas.Acquire(ctx, pixels); err != nil {
		return nil, nil, &domain.Error{Kind: domain.Unavailable, Code: domain.CodeUnavailable, RetryAfter: 5 * time.Second, Err: err,
			Msg: "too many pictures at once, please try again in a moment"}
	}
	defer canvas.Release(pixels)
	var out bytes.Buffer
	is, err = recode(is, b, &out)
	switch {
	case err != nil:
		return nil, nil, broken(err)
	case out.Len() > maxRedrawn:
		return nil, nil, domain.RejectAttachment("this picture is too large: please send it smaller")
	}
	return is, out.Bytes(), nil
}

// measure counts the pixels of a picture, and refuses one that would take too much memory or time.
func measure(is *format, b []byte) (pixels int64, err error) {
	header := map[*format]func(*bytes.Reader) (image.Config, error){
		png:  func(r *bytes.Reader) (image.Config, error) { return stdpng.DecodeConfig(r) },
		jpeg: func(r *bytes.Reader) (image.Config, error) { return stdjpeg.DecodeConfig(r) },
		gif:  func(r *bytes.Reader) (image.Config, error) { return stdgif.DecodeConfig(r) },
		webp: func(r *bytes.Reader) (image.Config, error) { return xwebp.DecodeConfig(r) },
	}[is]
	c, err := header(bytes.NewReader(b))
	if err != nil {
		return 0, broken(err)
	}
	most := int64(maxPixels)
	switch c.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		most = maxDeep
	}
	pixels = int64(c.Width) * int64(c.Height)
	if is == gif {
		pixels = max(pixels, gifPixels(b))
	}
	switch {
	case pixels <= 0, is == jpeg && bytes.Count(b, []byte{0xFF, 0xDA}) > maxScans:
		return 0, broken(nil)
	case pixels > most:
		return 0, domain.RejectAttachment("this picture has too many pixels: %d megapixels are the most", most/1_000_000)
	}
	return pixels, nil
}

func broken(err error) error {
	e := domain.RejectAttachment("this picture is broken or of a sort that cannot be shown: please send it as PNG or JPEG")
	e.Err = err
	return e
}

// recode draws a picture into out and says as what.
func recode(is *format, b []byte, out *bytes.Buffer) (*format, error) {
	switch is {
	case gif:
		g, err := stdgif.DecodeAll(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return gif, stdgif.EncodeAll(out, g)
	case png:
		img, err := stdpng.Decode(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return png, stdpng.Encode(out, img)
	case jpeg:
		img, err := stdjpeg.Decode(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return jpeg, stdjpeg.Encode(out, upright(img, orientation(b)), &stdjpeg.Options{Quality: quality})
	}
	img, err := xwebp.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if o, ok := img.(interface{ Opaque() bool }); ok && o.Opaque() {
		return jpeg, stdjpeg.Encode(out, img, &stdjpeg.Options{Quality: quality})
	}
	return png, stdpng.Encode(out, img)
}

// gifPixels adds up the frames of a GIF, of which a small file may have thousands. It stops at what it does not understand, as the
// decoder will.
func gifPixels(b []byte) (pixels int64) {
	if len(b) < 13 {
		return 0
	}
	at := 13 + palette(b[10])
	for at < len(b) {
		switch b[at] {
		case 0x21: // an extension
			at = skipBlocks(b, at+2)
		case 0x2C: // a frame
			if at+10 > len(b) {
				return pixels
			}
			pixels += (int64(b[at+5]) | int64(b[at+6])<<8) * (int64(b[at+7]) | int64(b[at+8])<<8)
			at = skipBlocks(b, at+10+palette(b[at+9])+1)
		default:
			return pixels
		}
	}
	return pixels
}

// palette is how many bytes the colours take that flags announce.
func palette(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func skipBlocks(b []byte, at int) int {
	for at < len(b) && b[at] != 0 {
		at += int(b[at]) + 1
	}
	return at + 1
}
