// Package media knows picture files from the outside: which format the bytes are, how large the
// picture claims to be, and what besides pixels the file carries.
//
// It promises three things. Parse refuses, before anything is decoded, what is too large, animated
// or of several pages. Strip returns the same pixels without anything that is not needed to show
// them. VerifyScrubbed proves by an allow-list that a finished file holds nothing but pixels, an ICC
// profile and what the format needs.
//
// It is pure Go without cgo, does no I/O and survives foreign bytes, because the server calls it
// on what a child process hands back, and that process may have been taken over by the file it decoded.
//
// What the verifier cannot see is what hides in the pixels themselves, and in the slack of a
// lossy bit stream (JPEG and VP8 entropy-coded data).
package media

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Kinds of errors. All errors of this package and of raster wrap one of them.
var (
	// ErrDamaged: the bytes do not hold what the format promises (truncated, corrupt).
	ErrDamaged = errors.New("damaged picture")
	// ErrUnsupported: not a picture, or a kind of picture that cannot be decoded here.
	ErrUnsupported = errors.New("unsupported picture")
	// ErrTooLarge: more bytes or pixels than the limits allow.
	ErrTooLarge = errors.New("picture too large")
	// ErrAnimated: a picture that moves (GIF, APNG, WebP, image sequence).
	ErrAnimated = errors.New("animated picture")
	// ErrMultiPage: a file of several pages or pictures.
	ErrMultiPage = errors.New("multi-page picture")
	// ErrVideo: a film and no picture; which films are taken, package film says.
	ErrVideo = errors.New("a film and no picture")
	// ErrNotUpright: Strip would lose the orientation that the metadata carries.
	ErrNotUpright = errors.New("picture is not stored upright")
	// ErrNotScrubbed: the file carries more than pixels, profile and what the format needs.
	ErrNotScrubbed = errors.New("file carries more than the picture")
)

// Format is a picture format.
type Format string

// The formats that are read. HEIF covers HEIC and every HEIF picture that is not AV1.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	WebP Format = "webp"
	TIFF Format = "tiff"
	HEIF Format = "heif"
	AVIF Format = "avif"
	GIF  Format = "gif"
	BMP  Format = "bmp"
)

// Output is the format in which a picture of format f leaves: the same, but JPEG for HEIF and AVIF.
func (f Format) Output() Format {
	if f == HEIF || f == AVIF {
		return JPEG
	}
	return f
}

// Limits bound what is decoded at all.
type Limits struct {
	MaxBytes  int64 // size of the file
	MaxPixels int64 // width × height
}

// DefaultLimits are 256 MiB and 200 megapixels, the largest sensor sold in phones.
func DefaultLimits() Limits { return Limits{MaxBytes: 256 << 20, MaxPixels: 200_000_000} }

// CheckBytes is ErrTooLarge where a file of n bytes is over the limit.
func (l Limits) CheckBytes(n int64) error {
	if n > l.MaxBytes {
		return fmt.Errorf("%d bytes, at most %d allowed: %w", n, l.MaxBytes, ErrTooLarge)
	}
	return nil
}

// CheckSize is ErrTooLarge where a picture of w × h pixels is over the limit and ErrDamaged where
// it has no pixels.
func (l Limits) CheckSize(w, h int) error {
	if w <= 0 || h <= 0 {
		return fmt.Errorf("%d × %d pixels: %w", w, h, ErrDamaged)
	}
	if int64(w) > l.MaxPixels || int64(w)*int64(h) > l.MaxPixels {
		return fmt.Errorf("%d × %d pixels, at most %d allowed: %w", w, h, l.MaxPixels, ErrTooLarge)
	}
	return nil
}

// Info says what a picture is.
type Info struct {
	Format       Format `json:"format"`
	OutputFormat Format `json:"output_format"`
	Width        int    `json:"width"`  // upright, pixels
	Height       int    `json:"height"` // upright, pixels
	BitDepth     int    `json:"bit_depth"`
	HasAlpha     bool   `json:"has_alpha"`
	Lossy        bool   `json:"lossy"`       // the source's coding loses information
	Orientation  int    `json:"orientation"` // EXIF orientation of the source, 1–8; 1 for HEIF and AVIF
	ICCBytes     int    `json:"icc_bytes"`   // length of the ICC profile, 0 for none
}

// Header is what Parse reads without decoding.
type Header struct {
	Format        Format
	Width, Height int // as stored, before orientation
	Orientation   int // EXIF, 1–8
	BitDepth      int // of one sample as stored
	HasAlpha      bool
	Lossy         bool
	ICC           []byte     // a profile that parses, or nil
	PNGColour     []byte     // whole gAMA, cHRM, sRGB and cICP chunks of a PNG
	JPEG          *JPEGFrame // JPEG only
	TIFFPacked    bool       // TIFF only: the strips are compressed
}

// Info describes the picture as it will be once upright.
func (h Header) Info() Info {
	i := Info{
		Format: h.Format, OutputFormat: h.Format.Output(), Width: h.Width, Height: h.Height,
		BitDepth: h.BitDepth, HasAlpha: h.HasAlpha, Lossy: h.Lossy, Orientation: h.Orientation, ICCBytes: len(h.ICC),
	}
	if h.Orientation >= 5 {
		i.Width, i.Height = h.Height, h.Width
	}
	return i
}

// DerivativeName is the relative path of the derivative of the asset at rel: the same, but ending
// in .jpg where a HEIF or AVIF ending stood. A picture whose name does not tell that it is HEIF
// gets .jpg appended, so that the name never lies.
func DerivativeName(rel string, f Format) string {
	if f.Output() == f {
		return rel
	}
	ext := path.Ext(rel)
	switch strings.ToLower(ext) {
	case ".heic", ".heif", ".hif", ".avif":
		return strings.TrimSuffix(rel, ext) + ".jpg"
	case ".jpg", ".jpeg":
		return rel
	}
	return rel + ".jpg"
}

// FilmName is the relative path of the derivative of the film at rel. A film leaves as MP4, so another
// film's ending gives way to .mp4; where the name promises no film, .mp4 is appended. An M4V is an MP4.
func FilmName(rel string) string {
	ext := path.Ext(rel)
	switch strings.ToLower(ext) {
	case ".mp4", ".m4v":
		return rel
	case ".gif":
		return strings.TrimSuffix(rel, ext) + ".mp4"
	}
	if KindOfName(rel) == Video {
		return strings.TrimSuffix(rel, ext) + ".mp4"
	}
	return rel + ".mp4"
}

// PossibleNames are the relative paths that the derivative of the asset at rel can have, whatever its
// bytes are.
func PossibleNames(rel string) []string {
	names := []string{rel, DerivativeName(rel, HEIF), FilmName(rel)}
	slices.Sort(names)
	return slices.Compact(names)
}

// Kind of media that a file name promises.
type Kind string

// The kinds. A name that promises neither is NotMedia.
const (
	NotMedia Kind = ""
	Image    Kind = "image"
	Video    Kind = "video"
)

// KindOfName says what a file name promises. Folder scans take what is not NotMedia; what the file
// really is, its bytes say. Films that cannot be taken are in the list, so that nobody believes
// they were passed over because nobody is in them.
func KindOfName(name string) Kind {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".tif", ".tiff",
		".heic", ".heif", ".hif", ".avif", ".gif", ".bmp", ".dib":
		return Image
	case ".mp4", ".m4v", ".mov", ".qt", ".avi", ".divx", ".mkv", ".webm", ".mts", ".m2ts", ".m2t", ".ts",
		".3gp", ".3g2", ".mpg", ".mpeg", ".m2v", ".vob", ".wmv", ".asf", ".ogv", ".flv", ".f4v", ".mxf", ".dv":
		return Video
	}
	return NotMedia
}

// IsMediaName says whether a folder scan takes the file.
func IsMediaName(name string) bool { return KindOfName(name) != NotMedia }

// IsDoubtfulName says whether files of other kinds are called so as well: .ts is MPEG's transport
// stream, and TypeScript.
func IsDoubtfulName(name string) bool { return strings.EqualFold(path.Ext(name), ".ts") }

func damaged(format string, a ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, a...), ErrDamaged)
}

func unsupported(format string, a ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, a...), ErrUnsupported)
}

func dirty(format string, a ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, a...), ErrNotScrubbed)
}
