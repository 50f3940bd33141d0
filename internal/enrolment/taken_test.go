package enrolment

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/media/mediatest"
)

// dated is an EXIF block (TIFF 6.0, EXIF 2.3) whose DateTimeOriginal is the text.
func dated(text string) []byte {
	le := binary.LittleEndian
	entry := func(tag, kind uint16, count, value uint32) []byte {
		return le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, tag), kind), count), value)
	}
	const ifd0, exifIFD, value = 8, 8 + 2 + 12 + 4, 8 + 2*(2+12+4)
	return slices.Concat(
		[]byte("II*\x00"), le.AppendUint32(nil, ifd0),
		le.AppendUint16(nil, 1), entry(0x8769, 4, 1, exifIFD), le.AppendUint32(nil, 0),
		le.AppendUint16(nil, 1), entry(0x9003, 2, uint32(len(text)+1), value), le.AppendUint32(nil, 0),
		append([]byte(text), 0),
	)
}

func plainJPEG(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func inJPEG(t testing.TB, exif []byte) []byte {
	t.Helper()
	return mediatest.InJPEG(plainJPEG(t, 16, 16), mediatest.JPEGSegment(0xe1, append([]byte("Exif\x00\x00"), exif...)))
}

func inPNG(t testing.TB, exif []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16))); err != nil {
		t.Fatal(err)
	}
	return mediatest.InPNG(b.Bytes(), mediatest.PNGChunk("eXIf", exif))
}

// box is a box of ISO/IEC 14496-12.
func box(kind string, bodies ...[]byte) []byte {
	body := slices.Concat(bodies...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), []byte(kind), body)
}

// inHEIF is a HEIF file with no picture in it, but with all that says where its EXIF block is.
func inHEIF(exif []byte) []byte {
	be := binary.BigEndian
	u16 := func(v ...uint16) (b []byte) {
		for _, x := range v {
			b = be.AppendUint16(b, x)
		}
		return b
	}
	full := []byte{0, 0, 0, 0}
	block := slices.Concat(be.AppendUint32(nil, 0), exif) // offset of the TIFF header
	ftyp := box("ftyp", []byte("heic\x00\x00\x00\x00heicmif1"))
	meta := func(at uint32) []byte {
		return box(
			"meta", full,
			box("hdlr", full, full, []byte("pict"), make([]byte, 13)),
			box("pitm", full, u16(1)),
			box("iinf", full, u16(2),
				box("infe", []byte{2, 0, 0, 0}, u16(1, 0), []byte("hvc1\x00")),
				box("infe", []byte{2, 0, 0, 0}, u16(2, 0), []byte("Exif\x00"))),
			box("iloc", full, []byte{0x44, 0}, u16(1), u16(2, 0, 1), be.AppendUint32(nil, at), be.AppendUint32(nil, uint32(len(block)))),
			box("iprp",
				box("ipco", box("ispe", full, be.AppendUint32(nil, 16), be.AppendUint32(nil, 16))),
				box("ipma", full, be.AppendUint32(nil, 1), u16(1), []byte{1, 1})),
		)
	}
	return slices.Concat(ftyp, meta(uint32(len(ftyp)+len(meta(0))+8)), box("mdat", block))
}

func TestTaken(t *testing.T) {
	const today = consent.Date("2025-09-01")
	for name, test := range map[string]struct {
		data []byte
		want consent.Date
	}{
		"JPEG":              {inJPEG(t, dated("2024:05:01 10:00:00")), "2024-05-01"},
		"PNG":               {inPNG(t, dated("2024:05:01 10:00:00")), "2024-05-01"},
		"HEIF":              {inHEIF(dated("2024:05:01 10:00:00")), "2024-05-01"},
		"today":             {inJPEG(t, dated("2025:09:01 23:59:59")), "2025-09-01"},
		"a clock ahead":     {inJPEG(t, dated("2025:09:02 00:00:00")), ""},
		"a clock never set": {inJPEG(t, dated("0000:00:00 00:00:00")), ""},
		"blanks":            {inJPEG(t, dated("    :  :     :  :  ")), ""},
		"no day":            {inJPEG(t, dated("2024:02:30 10:00:00")), ""},
		"no date":           {inJPEG(t, dated("last summer")), ""},
		"an old year":       {inJPEG(t, dated("0204:05:01 10:00:00")), ""},
		"too long":          {inJPEG(t, dated("2024:05:01 10:00:00"+string(make([]byte, 1000)))), ""},
		"no EXIF":           {plainJPEG(t, 16, 16), ""},
		"cut off":           {inJPEG(t, dated("2024:05:01 10:00:00")[:40]), ""},
		"no picture":        {[]byte("admission_number,party"), ""},
		"empty":             {nil, ""},
	} {
		if got := taken(test.data, today); got != test.want {
			t.Errorf("%s: taken on %q, want %q", name, got, test.want)
		}
	}
}

// The photographs are foreign, and this is read outside of the sandbox.
func FuzzTaken(f *testing.F) {
	for _, exif := range [][]byte{dated("2024:05:01 10:00:00"), dated(""), nil} {
		f.Add(inJPEG(f, exif))
		f.Add(inPNG(f, exif))
		f.Add(inHEIF(exif))
		f.Add(exif)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const today = consent.Date("2025-09-01")
		got := taken(data, today)
		if got == "" {
			return
		}
		if _, err := consent.ParseDate(string(got)); err != nil || got > today {
			t.Errorf("taken on %q", got)
		}
	})
}
