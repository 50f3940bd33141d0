package film

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/media"
)

// CheckScrubbed proves by an allow-list of boxes and streams that a finished MP4 holds one video stream, the sound, and
// nothing else: no metadata, no names, no positions, no times of making, nothing between or behind the boxes, no byte of
// media that is not a picture or sound, no picture that is not shown, and in the pictures of H.264 and HEVC only
// slices and parameter sets, which cut off no more of the pictures than what fills their last blocks. It wraps media.ErrNotScrubbed, also where the file is damaged.
//
// What it cannot see is what hides in the pictures and the sound themselves, and in the slack of their coding.
func CheckScrubbed(r io.ReaderAt, size int64) error {
	c := &scrub{r: r, size: size}
	if err := c.file(); err != nil {
		if !isNotScrubbed(err) {
			err = fmt.Errorf("%w: %w", media.ErrNotScrubbed, err)
		}
		return fmt.Errorf("checking what the film holds: %w", err)
	}
	return nil
}

// scrub is one check.
type scrub struct {
	r      io.ReaderAt
	size   int64
	ticks  uint32 // of the film's clock, a second
	videos int
	media  []extent // of each sample
}

// extent is a run of bytes in the file.
type extent struct{ at, stop int64 }

// file checks the boxes of the file. ffmpeg writes them in this order, with an empty box where the index was to go.
func (c *scrub) file() error {
	top, err := boxes(c.r, 0, c.size)
	if err != nil {
		return err
	}
	if err := allowed(top, "ftyp", "moov", "free?", "mdat"); err != nil {
		return err
	}
	var movie, data box
	for _, b := range top {
		switch b.kind {
		case "ftyp":
			err = c.contents(b, checkBrands)
		case "free":
			err = c.contents(b, empty)
		case "moov":
			movie = b
		case "mdat":
			data = b
		}
		if err != nil {
			return err
		}
	}
	if err := c.movie(movie); err != nil {
		return err
	}
	return c.covered(data)
}

// allowed says whether the boxes are of these kinds, each as often as it may be.
func allowed(in []box, kinds ...string) error {
	count := map[string]int{}
	for _, b := range in {
		count[b.kind]++
	}
	for _, k := range kinds {
		name, how := strings.TrimRight(k, "?+"), k[4:]
		n := count[name]
		if n == 0 && how != "?" || n > 1 && how != "+" {
			return notScrubbed("%d boxes %q", n, name)
		}
		delete(count, name)
	}
	for name := range count {
		return notScrubbed("a box %q", name)
	}
	return nil
}

// contents reads a box and checks what is in it.
func (c *scrub) contents(b box, check func([]byte) error) error {
	data, err := b.bytes(c.r)
	if err != nil {
		return err
	}
	if err := check(data); err != nil {
		return fmt.Errorf("box %q: %w", b.kind, err)
	}
	return nil
}

func empty(data []byte) error {
	if len(data) > 0 {
		return notScrubbed("it holds %d bytes", len(data))
	}
	return nil
}

// checkBrands: what the file is compatible with.
func checkBrands(data []byte) error {
	if len(data) < 8 || len(data)%4 != 0 || len(data) > 64 || be32(data[4:]) > 0x200 {
		return notScrubbed("brands of %d bytes", len(data))
	}
	for at := 0; at < len(data); at += 4 {
		if at == 4 { // the version
			continue
		}
		if !slices.Contains([]string{"isom", "iso2", "iso4", "iso5", "iso6", "avc1", "hvc1", "dby1", "mp41", "mp42"}, string(data[at:at+4])) {
			return notScrubbed("a brand that is not known")
		}
	}
	return nil
}

// udta is what ffmpeg writes for a film without metadata: a list of none.
const udta = "\x00\x00\x00\x35meta\x00\x00\x00\x00\x00\x00\x00\x21hdlr\x00\x00\x00\x00\x00\x00\x00\x00mdirappl" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08ilst"

func (c *scrub) movie(moov box) error {
	in, err := moov.inside(c.r)
	if err != nil {
		return err
	}
	if err := allowed(in, "mvhd", "trak+", "udta?"); err != nil {
		return err
	}
	for _, b := range in {
		switch b.kind {
		case "mvhd":
			err = c.contents(b, c.movieHeader)
		case "udta":
			err = c.contents(b, func(data []byte) error {
				if string(data) != udta {
					return notScrubbed("metadata")
				}
				return nil
			})
		}
		if err != nil {
			return err
		}
	}
	for _, b := range in {
		if b.kind == "trak" {
			if err := c.track(b); err != nil {
				return err
			}
		}
	}
	if c.videos != 1 {
		return notScrubbed("%d video streams", c.videos)
	}
	return nil
}

// header splits off what versions 0 and 1 of mvhd, tkhd and mdhd begin with, the times of making and change, which must be
// zero; between is how many bytes of numbers and length follow in version 0, wider in version 1.
func header(data []byte, narrow, wide int) (numbers, rest []byte, err error) {
	if len(data) < 4 || data[0] > 1 {
		return nil, nil, notScrubbed("header of an unknown version")
	}
	times, length := 8, narrow
	if data[0] == 1 {
		times, length = 16, wide
	}
	if len(data) < 4+times+length {
		return nil, nil, notScrubbed("header of %d bytes", len(data))
	}
	if !zero(data[4 : 4+times]) {
		return nil, nil, notScrubbed("the time of making")
	}
	return data[4+times : 4+times+length], data[4+times+length:], nil
}

func zero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func (c *scrub) movieHeader(data []byte) error {
	numbers, rest, err := header(data, 8, 12)
	if err != nil {
		return err
	}
	c.ticks = be32(numbers)
	want := slices.Concat(words32(1<<16), []byte{1, 0}, make([]byte, 10), unity(), make([]byte, 24))
	if c.ticks == 0 || len(rest) != len(want)+4 || !bytes.Equal(rest[:len(want)], want) {
		return notScrubbed("film header")
	}
	return nil
}

// covered makes sure that the media are samples, each byte of them of one.
func (c *scrub) covered(data box) error {
	slices.SortFunc(c.media, func(a, b extent) int { return cmp.Compare(a.at, b.at) })
	at := data.body
	for _, e := range c.media {
		if e.at != at {
			return notScrubbed("%d bytes of media at %d belong to nothing", e.at-at, at)
		}
		at = e.stop
	}
	if at != data.stop {
		return notScrubbed("%d bytes of media at the end belong to nothing", data.stop-at)
	}
	return nil
}
