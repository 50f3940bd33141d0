package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
)

func box(kind string, body ...[]byte) []byte {
	b := slices.Concat(body...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(b)+8)), []byte(kind), b)
}

func ispe(w, h uint32) []byte {
	return box("ispe", binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 4), w), h))
}

// heif is the frame of a file whose item 2 is the primary picture: 640 × 480 with a profile. Item 1 is
// its thumbnail.
func heif(profile []byte, thumb []byte) []byte {
	ipco := box("ipco", thumb, ispe(640, 480), box("colr", []byte("prof"), profile), box("pixi", []byte{0, 0, 0, 0, 3, 10, 10, 10}))
	ipma := box("ipma", []byte{0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 0x81, 0, 2, 3, 0x82, 3, 4})
	meta := box("meta", make([]byte, 4), box("pitm", []byte{0, 0, 0, 0, 0, 2}), box("iprp", ipco, ipma))
	return slices.Concat(ftyp("heic", "mif1"), meta, box("mdat", []byte("pixels")))
}

func TestHEIFHeader(t *testing.T) {
	profile := mediatest.ICC(300)
	data := heif(profile, ispe(64, 48))
	for name, data := range map[string][]byte{"plain": data, "with a trailer that is no box": append(slices.Clone(data), "\xff\xff\xff\xffSEFT"...)} {
		h, err := media.Parse(data, media.DefaultLimits())
		if err != nil || h.Width != 640 || h.Height != 480 || h.BitDepth != 10 || !bytes.Equal(h.ICC, profile) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"huge part", heif(profile, ispe(60000, 60000)), media.ErrUnsupported},
		{"limits", heif(profile, ispe(64, 48)), media.ErrTooLarge},
		{"cut", data[:len(data)-3], media.ErrDamaged},
		{"no pictures", slices.Concat(ftyp("heic"), box("mdat")), media.ErrDamaged},
		{"property that is not there", bytes.Replace(data, []byte{2, 3, 0x82}, []byte{2, 3, 0x8f}, 1), media.ErrDamaged},
	} {
		limits := media.DefaultLimits()
		if c.want == media.ErrTooLarge { //nolint:errorlint // which case it is
			limits.MaxPixels = 1000
		}
		if _, err := media.Parse(c.data, limits); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if err := media.VerifyScrubbed(data); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("HEIF as a derivative: %v", err)
	}
}
