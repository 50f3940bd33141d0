package media_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
)

func ftyp(brands ...string) []byte {
	b := []byte("ftyp")
	for i, s := range brands {
		if b = append(b, s...); i == 0 {
			b = append(b, 0, 0, 0, 0)
		}
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b)+4)), b...)
}

func TestSniff(t *testing.T) {
	for _, c := range []struct {
		name string
		head []byte
		want media.Format
		err  error
	}{
		{"JPEG", []byte("\xff\xd8\xff\xe0"), media.JPEG, nil},
		{"PNG", []byte("\x89PNG\r\n\x1a\n"), media.PNG, nil},
		{"GIF", []byte("GIF89a"), media.GIF, nil},
		{"TIFF, Intel", []byte("II*\x00"), media.TIFF, nil},
		{"TIFF, Motorola", []byte("MM\x00*"), media.TIFF, nil},
		{"BigTIFF", []byte("II+\x00\x08\x00\x00\x00"), "", media.ErrUnsupported},
		{"WebP", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), media.WebP, nil},
		{"HEIC", ftyp("heic", "mif1"), media.HEIF, nil},
		{"AVIF under mif1", ftyp("mif1", "avif"), media.AVIF, nil},
		{"image sequence", ftyp("avis"), media.AVIF, nil},
		{"MP4", ftyp("isom", "mp42"), "", media.ErrVideo},
		{"QuickTime", ftyp("qt  "), "", media.ErrVideo},
		{"AVI", []byte("RIFF\x00\x00\x00\x00AVI LIST"), "", media.ErrVideo},
		{"Matroska", []byte("\x1a\x45\xdf\xa3\x00\x00\x00\x00\x00\x00\x00\x00"), "", media.ErrVideo},
		{"Windows Media", []byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "", media.ErrVideo},
		{"MPEG programme stream", []byte("\x00\x00\x01\xba\x44"), "", media.ErrVideo},
		{"MPEG elementary stream", []byte("\x00\x00\x01\xb3\x44"), "", media.ErrVideo},
		{"Ogg", []byte("OggS\x00\x02"), "", media.ErrVideo},
		{"Flash", []byte("FLV\x01\x05"), "", media.ErrVideo},
		{"MXF", []byte("\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d"), "", media.ErrVideo},
		{"playlist", []byte("#EXTM3U\nhttp://example.org/a.ts\n"), "", media.ErrUnsupported},
		{"list of files", []byte("ffconcat version 1.0\nfile a.mp4\n"), "", media.ErrUnsupported},
		{"text", []byte("this is not a photograph at all"), "", media.ErrUnsupported},
		{"text that begins like BMP", []byte("BM is what this text begins with"), "", media.ErrUnsupported},
		{"empty", nil, "", media.ErrDamaged},
	} {
		got, err := media.Sniff(c.head)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		rel, want string
		f         media.Format
	}{
		{"a/b.JPG", "a/b.JPG", media.JPEG},
		{"a/b.HEIC", "a/b.jpg", media.HEIF},
		{"b.avif", "b.jpg", media.AVIF},
		{"b.heic", "b.heic", media.JPEG},
		{"b.png", "b.png.jpg", media.HEIF},
		{"b.jpg", "b.jpg", media.HEIF},
	} {
		if got := media.DerivativeName(c.rel, c.f); got != c.want {
			t.Errorf("%s as %s: %s, want %s", c.rel, c.f, got, c.want)
		}
	}
	for name, want := range map[string]media.Kind{
		"a.jpeg": media.Image, "A.TIF": media.Image, "x.hif": media.Image, "x.MP4": media.Video, "x.mov": media.Video,
		"x.ts": media.Video, "x.vob": media.Video, "notes.txt": media.NotMedia, "jpg": media.NotMedia,
	} {
		if got := media.KindOfName(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestFilmNames(t *testing.T) {
	for rel, want := range map[string]string{
		"a/clip.mp4": "a/clip.mp4", "CLIP.MP4": "CLIP.MP4", "clip.m4v": "clip.m4v", "clip.MOV": "clip.mp4", "b.c/clip.mkv": "b.c/clip.mp4",
		"clip.ts": "clip.mp4", "wave.gif": "wave.mp4", "still.jpg": "still.jpg.mp4", "clip": "clip.mp4", "a.mov/clip": "a.mov/clip.mp4",
	} {
		if got := media.FilmName(rel); got != want {
			t.Errorf("%s: %s, want %s", rel, got, want)
		}
		if names := media.PossibleNames(rel); !slices.Contains(names, want) || !slices.Contains(names, rel) {
			t.Errorf("%s: possible names %v", rel, names)
		}
	}
}

// TestBombsAreRefusedByTheirHeader: sizes are claimed, not held.
func TestBombsAreRefusedByTheirHeader(t *testing.T) {
	clean := files(t)
	jpegBig := slices.Clone(clean[media.JPEG])
	sof := slices.Index(jpegBig, 0xc0)
	copy(jpegBig[sof+4:], []byte{255, 255, 255, 255})
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 1<<30), 1<<30)
	pngBig := slices.Concat(clean[media.PNG][:8], mediatest.PNGChunk("IHDR", append(ihdr, 8, 6, 0, 0, 0)), clean[media.PNG][33:])
	gifBig := slices.Clone(clean[media.GIF])
	copy(gifBig[6:], []byte{255, 255, 255, 255})
	i := slices.Index(gifBig[13+768:], 0x2c) + 13 + 768
	copy(gifBig[i+5:], []byte{255, 255, 255, 255})
	tiffBig := mediatest.InTIFF(clean[media.TIFF], nil,
		mediatest.TIFFField{Tag: 256, Kind: 4, Count: 1, Value: []byte{0, 0, 1, 0}}, mediatest.TIFFField{Tag: 257, Kind: 4, Count: 1, Value: []byte{0, 0, 1, 0}})
	bmpBig := slices.Clone(clean[media.BMP])
	copy(bmpBig[18:], []byte{0, 0, 1, 0, 0, 0, 1, 0})
	for name, data := range map[string][]byte{"JPEG": jpegBig, "PNG": pngBig, "GIF": gifBig, "TIFF": tiffBig, "BMP": bmpBig} {
		if _, err := media.Parse(data, media.DefaultLimits()); !errors.Is(err, media.ErrTooLarge) && !errors.Is(err, media.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := media.Parse(clean[media.JPEG], media.Limits{MaxBytes: 10, MaxPixels: 1e9}); !errors.Is(err, media.ErrTooLarge) {
		t.Errorf("bytes: %v", err)
	}
	if _, err := media.Parse(clean[media.JPEG], media.Limits{MaxBytes: 1e9, MaxPixels: sceneW*sceneH - 1}); !errors.Is(err, media.ErrTooLarge) {
		t.Errorf("pixels: %v", err)
	}
}

func TestJPEGOfTooManyScansIsRefused(t *testing.T) {
	data := files(t)[media.JPEG]
	sos := mediatest.JPEGSegment(0xda, []byte{1, 1, 0, 0, 63, 0})
	end := len(data) - 2
	data = slices.Concat(data[:end], slices.Repeat(sos, media.MaxScans), data[end:])
	if _, err := media.Parse(data, media.DefaultLimits()); !errors.Is(err, media.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

func TestAnimatedAndMultiPageAreRefused(t *testing.T) {
	clean := files(t)
	g := clean[media.GIF]
	i := slices.Index(g[13+768:], 0x2c) + 13 + 768
	frame := g[i : len(g)-1]
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"GIF", slices.Concat(g[:len(g)-1], frame, g[len(g)-1:]), media.ErrAnimated},
		{"APNG", mediatest.InPNG(clean[media.PNG], mediatest.PNGChunk("acTL", make([]byte, 8))), media.ErrAnimated},
		{"WebP flag", mediatest.InWebP(clean[media.WebP], 1, 1, 2), media.ErrAnimated},
		{"WebP frame", mediatest.InWebP(clean[media.WebP], 1, 1, 0, mediatest.RIFFChunk("ANMF", make([]byte, 16))), media.ErrAnimated},
		{"TIFF", mediatest.InTIFF(clean[media.TIFF], []byte{0, 0, 0, 0, 0, 0}), media.ErrMultiPage},
		{"HEIF sequence", append(ftyp("hevc", "msf1"), "\x00\x00\x00\x08moov"...), media.ErrAnimated},
	} {
		if _, err := media.Parse(c.data, media.DefaultLimits()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestOrientationIsRead(t *testing.T) {
	for f, clean := range files(t) {
		w, h := size(f)
		for o := 1; o <= 8; o++ {
			data := mediatest.Orient(clean, f, o, w, h)
			got, err := media.Parse(data, media.DefaultLimits())
			if err != nil {
				t.Fatal(f, o, err)
			}
			want := o
			if f == media.GIF || f == media.BMP {
				want = 1
			}
			if got.Orientation != want {
				t.Errorf("%s: orientation %d, want %d", f, got.Orientation, want)
			}
			if i := got.Info(); want >= 5 && (i.Width != h || i.Height != w) {
				t.Errorf("%s: %d × %d upright, stored %d × %d", f, i.Width, i.Height, w, h)
			}
		}
	}
}

// TestTruncatedFilesAreDamaged cuts the container anywhere; a BMP and a TIFF whose pixels stand last
// included.
func TestTruncatedFilesAreDamaged(t *testing.T) {
	for f, clean := range files(t) {
		for n := 0; n < len(clean); n += max(1, len(clean)/97) {
			if _, err := media.Strip(clean[:n], f); err == nil {
				t.Errorf("%s: cut to %d of %d bytes and stripped without an error", f, n, len(clean))
			}
			if err := media.VerifyScrubbed(clean[:n]); err == nil {
				t.Errorf("%s: cut to %d of %d bytes and verified", f, n, len(clean))
			}
		}
	}
}
