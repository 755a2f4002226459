package attach

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
)

// orientation is how a camera says it was held, 1 to 8 as in EXIF 2.32 (tag 0x0112); 1 when it says nothing that makes sense.
func orientation(b []byte) int {
	for at := 2; at+4 <= len(b) && b[at] == 0xFF; {
		marker, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if marker == 0xDA || size < 2 || at+2+size > len(b) { // the picture itself begins
			return 1
		}
		if exif, ok := bytes.CutPrefix(b[at+4:at+2+size], []byte("Exif\x00\x00")); marker == 0xE1 && ok {
			return exifOrientation(exif)
		}
		at += 2 + size
	}
	return 1
}

func exifOrientation(t []byte) int {
	if len(t) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if t[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(t[4:]))
	if at+2 > int64(len(t)) {
		return 1
	}
	for n := order.Uint16(t[at:]); n > 0; n-- {
		entry := at + 2 + 12*int64(n-1)
		if entry+12 > int64(len(t)) || order.Uint16(t[entry:]) != 0x0112 {
			continue
		}
		if o := int(order.Uint16(t[entry+8:])); o >= 1 && o <= 8 {
			return o
		}
	}
	return 1
}

// upright turns and mirrors a picture as its orientation asks, because the note that asks for it is lost when it is drawn anew.
func upright(img image.Image, orientation int) image.Image {
	if orientation == 1 {
		return img
	}
	at := pixelsOf(img)
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		to = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			tx, ty := x, y
			switch orientation {
			case 2:
				tx = w - 1 - x
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				ty = h - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			to.SetRGBA(tx, ty, at(x, y))
		}
	}
	return to
}

// pixelsOf reads a picture's pixels, counted from its corner. What cameras make is read without an allocation for each.
func pixelsOf(img image.Image) func(x, y int) color.RGBA {
	o := img.Bounds().Min
	if p, ok := img.(*image.YCbCr); ok {
		return func(x, y int) color.RGBA {
			c := p.YCbCrAt(o.X+x, o.Y+y)
			r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
			return color.RGBA{r, g, b, 0xFF}
		}
	}
	return func(x, y int) color.RGBA { return color.RGBAModel.Convert(img.At(o.X+x, o.Y+y)).(color.RGBA) }
}
