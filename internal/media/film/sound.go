package film

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/consentry/consentry/internal/media"
)

// copied are the codecs of sound that MP4 has a registered name for and that ffmpeg 5.1 writes there. Vorbis and PCM it
// writes in ways that few players know, or not at all.
func copied() []string {
	return []string{"aac", "mp3", "mp2", "ac3", "eac3", "dts", "opus", "alac", "flac"}
}

func (p probed) audio() []Audio {
	var out []Audio
	for _, s := range p.Streams {
		if s.Type == "audio" {
			out = append(out, Audio{Stream: s.Index, Codec: s.Codec, Copy: slices.Contains(copied(), s.Codec)})
		}
	}
	return out
}

// packet is one coded piece of sound. It is kept small: two hours have 340 000 in each stream.
type packet struct {
	at, length time.Duration
	digest     [16]byte // the first half of the SHA-256 of its bytes
}

// How far times may be off. Matroska's ticks are milliseconds. An encoder fills its last packet up, and begins with one that
// is not to be heard: 2 × 1024 samples are 93 ms at 22 kHz and less at all usual rates.
const (
	packetSlack = 2 * time.Millisecond
	lengthSlack = 100 * time.Millisecond
)

// SameSound compares the finished film's sound with the source's: as many streams, the packets of each stream that
// was copied identical and at their times (for a part: those of the part), the length of each that was transcoded
// within 0.1 s. It wraps ErrDifferent.
func (t Tools) SameSound(ctx context.Context, derivative, source string, info Info, part Part, e Encoding, limits Limits) error {
	made, err := t.Probe(ctx, derivative, limits)
	if err != nil {
		return fmt.Errorf("looking at the finished film's sound: %w", err)
	}
	if e.Mute {
		info.Audio = nil
	}
	want, err := t.wanted(ctx, source, info, part, limits)
	if err != nil {
		return fmt.Errorf("reading the source's sound: %w", err)
	}
	if len(made.Audio) != len(want) {
		return fmt.Errorf("%d audio streams instead of %d: %w", len(made.Audio), len(want), ErrDifferent)
	}
	got, err := t.packets(ctx, derivative, made, limits)
	if err != nil {
		return fmt.Errorf("reading the finished film's sound: %w", err)
	}
	for i, w := range want {
		if err := w.same(got[i]); err != nil {
			return fmt.Errorf("audio stream %d: %w", i+1, err)
		}
	}
	return nil
}

// strand is the sound that one stream of the finished film must have.
type strand struct {
	Audio
	packets []packet
}

// wanted lists the streams of which there is something within the part: of an empty one nothing is written.
func (t Tools) wanted(ctx context.Context, source string, info Info, part Part, limits Limits) ([]strand, error) {
	if len(info.Audio) == 0 {
		return nil, nil
	}
	first, err := t.firstFrame(ctx, source, info, part, limits)
	if err != nil {
		return nil, err
	}
	all, err := t.packets(ctx, source, info, limits)
	if err != nil {
		return nil, err
	}
	var out []strand
	for i, a := range info.Audio {
		if p := ofPart(all[i], part, first, a.Copy); len(p) > 0 {
			out = append(out, strand{a, p})
		}
	}
	return out, nil
}

// firstFrame is when the part's first frame is shown.
func (t Tools) firstFrame(ctx context.Context, source string, info Info, part Part, limits Limits) (time.Duration, error) {
	if part.Whole() {
		return 0, nil
	}
	d, err := t.Open(ctx, source, info, part, limits)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	var f Frame
	if err := d.Next(&f); err != nil {
		return 0, fmt.Errorf("looking for the part's first frame: %w", err)
	}
	return f.At, nil
}

// ofPart are the packets that belong to a part, on its own clock. Of what is transcoded, also those that reach into it.
func ofPart(all []packet, part Part, first time.Duration, whole bool) []packet {
	if part.Whole() {
		return all
	}
	var out []packet
	for _, p := range all {
		if part.To > 0 && p.at >= part.To {
			continue
		}
		if p.at >= first {
			out = append(out, packet{p.at - first, p.length, p.digest})
		} else if end := p.at + p.length; !whole && end > first {
			out = append(out, packet{at: 0, length: end - first})
		}
	}
	return out
}

// same compares one stream.
func (w strand) same(got []packet) error {
	want := w.packets
	if !w.Copy {
		if d := span(got) - span(want); d.Abs() > lengthSlack {
			return fmt.Errorf("%v longer than the source: %w", d, ErrDifferent)
		}
		return nil
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d packets instead of %d: %w", len(got), len(want), ErrDifferent)
	}
	for i := range got {
		if got[i].digest != want[i].digest {
			return fmt.Errorf("packet %d is another: %w", i, ErrDifferent)
		}
		if d := got[i].at - want[i].at; d.Abs() > packetSlack {
			return fmt.Errorf("packet %d is heard %v late: %w", i, d, ErrDifferent)
		}
	}
	return nil
}

// span is the time from when a stream begins to be heard to its end; what lies before zero is not heard.
func span(packets []packet) time.Duration {
	if len(packets) == 0 {
		return 0
	}
	last := packets[len(packets)-1]
	return last.at + last.length - max(0, packets[0].at)
}

// packets lists the packets of each audio stream, in order, on the film's own clock.
func (t Tools) packets(ctx context.Context, path string, info Info, limits Limits) ([][]packet, error) {
	if len(info.Audio) == 0 {
		return nil, nil
	}
	in, err := input(info.Container, path)
	if err != nil {
		return nil, err
	}
	args := append(append(append(quiet(), "-xerror", "-copyts"), info.clock()...), in...)
	for i, a := range info.Audio {
		args = append(args, "-map", fmt.Sprintf("0:%d", a.Stream))
		if a.Codec == "aac" { // a transport stream's packets have heads that MP4's do not have
			args = append(args, fmt.Sprintf("-bsf:a:%d", i), "aac_adtstoasc")
		}
	}
	args = append(args, "-c", "copy", "-f", "framehash", "-hash", "sha256", "pipe:1")
	out := make([][]packet, len(info.Audio))
	err = run(ctx, t.FFmpeg, args, limits.Stall, media.ErrDamaged, func(r io.Reader) error { return readPackets(r, out) })
	return out, err
}

// readPackets reads what ffmpeg's framehash writes: "#tb 0: 1/44100" for each stream, and for each packet its stream,
// dts, pts, length, size and digest with commas between.
func readPackets(r io.Reader, out [][]packet) error {
	bases := make([]float64, len(out)) // seconds a tick
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if rest, found := strings.CutPrefix(lines.Text(), "#tb "); found {
			number, base, _ := strings.Cut(rest, ": ")
			i, err := strconv.Atoi(number)
			a, b, ok := fraction(base, "/")
			if err != nil || !ok || i < 0 || i >= len(bases) {
				return damaged("list of packets")
			}
			bases[i] = float64(a) / float64(b)
			continue
		}
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		i, p, err := readPacket(lines.Text(), bases)
		if err != nil {
			return err
		}
		out[i] = append(out[i], p)
	}
	if lines.Err() != nil {
		return errors.Join(damaged("list of packets"), lines.Err())
	}
	return nil
}

func readPacket(line string, bases []float64) (int, packet, error) {
	fields := strings.Split(line, ",")
	if len(fields) < 6 {
		return 0, packet{}, damaged("list of packets")
	}
	var n [4]int64
	for k := range n {
		v, err := strconv.ParseInt(strings.TrimSpace(fields[k]), 10, 64)
		if err != nil {
			return 0, packet{}, damaged("a packet without a time stamp")
		}
		n[k] = v
	}
	if n[0] < 0 || n[0] >= int64(len(bases)) {
		return 0, packet{}, damaged("list of packets")
	}
	base := bases[n[0]]
	at := func(ticks int64) time.Duration { return time.Duration(float64(ticks) * base * float64(time.Second)) }
	p := packet{at: at(n[2]), length: at(n[3])}
	digest, err := hex.DecodeString(strings.TrimSpace(fields[5]))
	if err != nil || copy(p.digest[:], digest) < len(p.digest) {
		return 0, packet{}, damaged("a packet without a digest")
	}
	return int(n[0]), p, nil
}
