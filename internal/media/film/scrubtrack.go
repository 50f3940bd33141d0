package film

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/media"
)

func isNotScrubbed(err error) bool { return errors.Is(err, media.ErrNotScrubbed) }

// notScrubbed is an error about what should not be in a finished film.
func notScrubbed(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, media.ErrNotScrubbed)...)
}

// lane is one track while it is checked.
type lane struct {
	*scrub
	video   bool
	ticks   uint32 // of the track's clock, a second
	edits   []edit
	coding  coding
	samples []sample
}

// edit is a row of an edit list (ISO/IEC 14496-12 §8.6.6); from is -1 where nothing is shown.
type edit struct{ length, from int64 }

// track checks one track: its headers, then what it is made of.
func (c *scrub) track(trak box) error {
	in, err := trak.inside(c.r)
	if err != nil {
		return err
	}
	if err := allowed(in, "tkhd", "edts?", "mdia"); err != nil {
		return err
	}
	l := &lane{scrub: c}
	for _, b := range in {
		switch b.kind {
		case "tkhd":
			err = c.contents(b, trackHeader)
		case "edts":
			err = l.children(b, map[string]func([]byte) error{"elst": l.editList}, "elst")
		case "mdia":
			err = l.mediaBox(b)
		}
		if err != nil {
			return err
		}
	}
	if l.video {
		c.videos++
	}
	return l.allShown()
}

// children checks the boxes in b: which there are, and the contents of those that have a check.
func (l *lane) children(b box, checks map[string]func([]byte) error, kinds ...string) error {
	in, err := b.inside(l.r)
	if err != nil {
		return err
	}
	if err := allowed(in, kinds...); err != nil {
		return fmt.Errorf("in %q: %w", b.kind, err)
	}
	for _, b := range in {
		if check, found := checks[b.kind]; found {
			if err := l.contents(b, check); err != nil {
				return err
			}
		}
	}
	return nil
}

// trackHeader: an upright track of whatever number, volume and size.
func trackHeader(data []byte) error {
	_, rest, err := header(data, 12, 16) // number, reserved, length
	if err != nil {
		return err
	}
	// Reserved, layer, alternate group, volume, reserved, matrix, width, height.
	if len(rest) != 60 || !zero(rest[:10]) || rest[10] != 0 || rest[11] > 32 || !zero(rest[14:16]) || !bytes.Equal(rest[16:52], unity()) {
		return notScrubbed("track header")
	}
	return nil
}

func (l *lane) editList(data []byte) error {
	width := 12
	if len(data) > 0 && data[0] == 1 {
		width = 20
	}
	rows, err := table(data, 0, width)
	if err != nil {
		return err
	}
	for ; len(rows) > 0; rows = rows[width:] {
		e := edit{int64(be32(rows)), int64(int32(be32(rows[4:])))}
		if width == 20 {
			e = edit{int64(binary.BigEndian.Uint64(rows)), int64(binary.BigEndian.Uint64(rows[8:]))}
		}
		if be32(rows[width-4:]) != 1<<16 {
			return notScrubbed("an edit of another speed")
		}
		l.edits = append(l.edits, e)
	}
	return nil
}

// mediaBox checks the headers first, as they say what the tables are to be.
func (l *lane) mediaBox(mdia box) error {
	err := l.children(mdia, map[string]func([]byte) error{"mdhd": l.mediaHeader, "hdlr": l.handler}, "mdhd", "hdlr", "minf")
	if err != nil {
		return err
	}
	in, err := mdia.inside(l.r)
	if err != nil {
		return err
	}
	minf, err := find(l.r, in, "minf")
	if err != nil {
		return err
	}
	kind, head := "smhd", make([]byte, 8)
	if l.video {
		kind, head = "vmhd", append([]byte{0, 0, 0, 1}, make([]byte, 8)...)
	}
	err = l.children(minf, map[string]func([]byte) error{kind: exactly(head)}, kind, "dinf", "stbl")
	if err != nil {
		return err
	}
	if in, err = minf.inside(l.r); err != nil {
		return err
	}
	// The media lie in this file: the only entry has the flag that says so, and no text.
	here := words32(0, 1, 12, binary.BigEndian.Uint32([]byte("url ")), 1)
	dinf, err := find(l.r, in, "dinf")
	if err == nil {
		err = l.children(dinf, map[string]func([]byte) error{"dref": exactly(here)}, "dref")
	}
	if err != nil {
		return err
	}
	stbl, err := find(l.r, in, "stbl")
	if err != nil {
		return err
	}
	return l.tables(stbl)
}

func exactly(want []byte) func([]byte) error {
	return func(data []byte) error {
		if !bytes.Equal(data, want) {
			return notScrubbed("%d bytes that are not as always", len(data))
		}
		return nil
	}
}

// undetermined is the language "und" (ISO/IEC 14496-12 §8.4.2).
const undetermined = 0x55c4

func (l *lane) mediaHeader(data []byte) error {
	numbers, rest, err := header(data, 8, 12)
	if err != nil {
		return err
	}
	l.ticks = be32(numbers)
	if l.ticks == 0 || !bytes.Equal(rest, words32(undetermined<<16)) {
		return notScrubbed("a language")
	}
	return nil
}

// handler: the kind of track. Its name is what ffmpeg calls all of them.
func (l *lane) handler(data []byte) error {
	if len(data) < 20 || !zero(data[:8]) || !zero(data[12:20]) {
		return notScrubbed("handler of %d bytes", len(data))
	}
	name := strings.TrimRight(string(data[20:]), "\x00")
	l.video = string(data[8:12]) == "vide"
	switch {
	case !l.video && string(data[8:12]) != "soun":
		return notScrubbed("a track that is neither picture nor sound")
	case !slices.Contains([]string{"", "VideoHandler", "SoundHandler"}, strings.TrimLeft(name, "\x00")):
		return notScrubbed("the name of a track")
	}
	return nil
}

// tables checks the sample tables and, of pictures, the units in each.
func (l *lane) tables(stbl box) error {
	err := l.children(stbl, map[string]func([]byte) error{"stsd": l.description, "sgpd": groups, "sbgp": groupRuns},
		"stsd", "stts", "stss?", "ctts?", "stsc", "stsz", "stco?", "co64?", "sgpd?", "sbgp?")
	if err != nil {
		return err
	}
	if l.samples, err = samplesOf(l.r, stbl, l.size); err != nil {
		return err
	}
	for _, s := range l.samples {
		e := extent{s.at, s.at + int64(s.size)}
		if e.at < 0 || e.stop > l.size {
			return damaged("a sample outside of the file")
		}
		if l.video {
			if err := l.coding.units(l.r, e); err != nil {
				return err
			}
		}
		if s.size > 0 {
			l.media = append(l.media, e)
		}
	}
	return nil
}

// groups: how far decoding rolls in ("roll", "prol"), one number each (ISO/IEC 14496-12 §10.1).
func groups(data []byte) error {
	if len(data) < 16 || data[0] != 1 || !zero(data[1:4]) || !rolls(data[4:8]) || be32(data[8:]) != 2 ||
		be32(data[12:]) > 4 || len(data) != 16+2*int(be32(data[12:])) {
		return notScrubbed("groups of samples")
	}
	return nil
}

func rolls(kind []byte) bool { return string(kind) == "roll" || string(kind) == "prol" }

func groupRuns(data []byte) error {
	if len(data) < 12 || be32(data) != 0 || !rolls(data[4:8]) {
		return notScrubbed("groups of samples")
	}
	rows, err := table(data, 4, 8)
	for ; err == nil && len(rows) > 0; rows = rows[8:] {
		if be32(rows[4:]) > 4 {
			return notScrubbed("groups of samples")
		}
	}
	return err
}

// soundSlack is how many seconds of sound an edit list may hide at either end: codecs need some to swing in. ffmpeg reads a
// second of what an edit list cut off in front (measured), and it leaves with the rest, as sound is copied bit for bit.
const soundSlack = 1.1

// allShown makes sure that the edit list hides nothing: one cut out of a longer film would leave with what was cut off.
func (l *lane) allShown() error {
	edits := l.edits
	if len(edits) > 1 && edits[0].from == -1 {
		edits = edits[1:]
	}
	if len(edits) == 0 || len(l.samples) == 0 {
		return nil
	}
	if len(edits) > 1 || edits[0].from < 0 {
		return notScrubbed("%d edits", len(edits))
	}
	first, last := l.samples[0].dts+int64(l.samples[0].cts), int64(0)
	for _, s := range l.samples {
		first, last = min(first, s.dts+int64(s.cts)), max(last, s.dts+int64(s.cts))
	}
	slack := 0.0
	if !l.video {
		slack = soundSlack
	}
	ticks := float64(l.ticks)
	begin := float64(edits[0].from) / ticks
	end := begin + float64(edits[0].length+1)/float64(l.scrub.ticks)
	if begin > float64(first)/ticks+slack || end < float64(last)/ticks-slack {
		return notScrubbed("an edit list that hides something")
	}
	return nil
}
