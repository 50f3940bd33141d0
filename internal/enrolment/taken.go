package enrolment

import (
	"bytes"
	"strings"

	"github.com/bep/imagemeta"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/media"
)

// Bounds on what is read of the metadata: far more than any camera writes in front of the date.
const (
	maxTags    = 2000
	maxTagSize = 64 // bytes; a date has 20
)

// taken is the day on which EXIF says that the photograph was taken, in the camera's own time; empty
// where it does not say, cannot be read, or says a day that has not come.
func taken(data []byte, today consent.Date) consent.Date {
	format, ok := metaFormat(data)
	if !ok {
		return ""
	}
	var text string
	_, err := imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(data), ImageFormat: format, Sources: imagemeta.EXIF,
		LimitNumTags: maxTags, LimitTagSize: maxTagSize,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "DateTimeOriginal" },
		HandleTag: func(t imagemeta.TagInfo) error {
			text, _ = t.Value.(string)
			return imagemeta.ErrStopWalking
		},
	})
	if err != nil {
		return ""
	}
	return exifDay(text, today)
}

// metaFormat is the format as the reader of metadata calls it. Files whose structure is broken are
// not given to it: its walk over HEIF boxes believes their sizes.
func metaFormat(data []byte) (imagemeta.ImageFormat, bool) {
	h, err := media.Parse(data, media.DefaultLimits())
	if err != nil {
		return 0, false
	}
	f, ok := map[media.Format]imagemeta.ImageFormat{
		media.JPEG: imagemeta.JPEG, media.PNG: imagemeta.PNG, media.WebP: imagemeta.WebP,
		media.TIFF: imagemeta.TIFF, media.HEIF: imagemeta.HEIF, media.AVIF: imagemeta.AVIF,
	}[h.Format]
	return f, ok
}

// exifDay reads the day of an EXIF date, "2024:05:01 10:00:00" (EXIF 2.3, tag 36867). A camera whose
// clock was never set writes zeros or blanks.
func exifDay(text string, today consent.Date) consent.Date {
	day, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	d, err := consent.ParseDate(strings.ReplaceAll(day, ":", "-"))
	if err != nil || d > today {
		return ""
	}
	return d
}
