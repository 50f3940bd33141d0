package film

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/consentry/consentry/internal/media"
)

func checkFile(t testing.TB, path string) error {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return CheckScrubbed(f, stat.Size())
}

// finished makes a film as it leaves, with pictures and sound.
func finished(t testing.TB) []byte {
	t.Helper()
	c := clip{file: "f.mp4", make: args(picture(""), tone("440"), x264, "-c:a aac -t 0.4")}
	data, err := os.ReadFile(roundTrip(t, c.film(t), Part{}, cheap(), 100).out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func check(data []byte) error { return CheckScrubbed(bytes.NewReader(data), int64(len(data))) }

// insert puts a box at the end of the first box of the path, and corrects the sizes around it and the places of the media.
func insert(t testing.TB, data, box []byte, path ...string) []byte {
	t.Helper()
	out, from, to := bytes.Clone(data), int64(0), int64(len(data))
	for _, kind := range path {
		in, err := boxes(bytes.NewReader(data), from, to)
		if err != nil {
			t.Fatal(err)
		}
		b, err := find(bytes.NewReader(data), in, kind)
		if err != nil {
			t.Fatal(err)
		}
		binary.BigEndian.PutUint32(out[b.at:], uint32(b.stop-b.at)+uint32(len(box)))
		from, to = b.body, b.stop
		if kind == "stsd" { // heads of the table and of the entry
			from += 8
		}
		if kind == "avc1" {
			from += 78
		}
	}
	out = append(append(bytes.Clone(out[:to]), box...), out[to:]...)
	for at := 0; path[0] == "moov"; {
		k := bytes.Index(out[at:], []byte("stco"))
		if k < 0 {
			return out
		}
		at += k + 4
		for i := range be32(out[at+4:]) {
			row := out[at+8+4*int(i):]
			binary.BigEndian.PutUint32(row, be32(row)+uint32(len(box)))
		}
	}
	return out
}

// set changes bytes at a place in the contents of a box.
func set(t testing.TB, data []byte, at int, change string, path ...string) []byte {
	t.Helper()
	r := bytes.NewReader(data)
	in, err := boxes(r, 0, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	b, err := find(r, in, path...)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(data)
	if at < 0 {
		at += int(b.stop - b.body)
	}
	copy(out[int(b.body)+at:], change)
	return out
}

// TestCheckScrubbedFinds: whatever is added to a finished film, or changed in it to hold something, is found.
func TestCheckScrubbedFinds(t *testing.T) {
	if testing.Short() {
		t.Skip("many films are made")
	}
	film := finished(t)
	if err := check(film); err != nil {
		t.Fatal(err)
	}
	note, bare, quietly := []byte("Secret"), args("-i y.mp4 -map 0 -c copy -map_metadata:s -1 -fflags +bitexact"), "-bsf:v filter_units=remove_types=6"
	if err := check(clipBytes(t, clip{file: "x.mp4", make: bare, before: [][]string{args(picture(""), x264, quietly, "y.mp4")}})); err != nil {
		t.Fatal(err)
	}
	stbl := []string{"moov", "trak", "mdia", "minf", "stbl"}
	in := func(more ...string) []string { return append(append([]string{}, stbl...), more...) }
	for name, data := range map[string][]byte{
		"behind":             append(bytes.Clone(film), note...),
		"box behind":         append(bytes.Clone(film), isoBox("free", note)...),
		"uuid behind":        append(bytes.Clone(film), isoBox("uuid", note)...),
		"second media":       append(bytes.Clone(film), isoBox("mdat", note)...),
		"media not used":     insert(t, film, note, "mdat"),
		"text":               insert(t, film, isoBox("udta", isoBox("name", note)), "moov", "trak"),
		"track metadata":     insert(t, film, isoBox("meta", words32(0), note), "moov", "trak"),
		"free in index":      insert(t, film, isoBox("free", note), "moov"),
		"second metadata":    insert(t, film, isoBox("udta", note), "moov"),
		"item":               insert(t, film, isoBox("\xa9nam", note), "moov", "udta"),
		"box among tables":   insert(t, film, isoBox("senc", note), stbl...),
		"box in description": insert(t, film, isoBox("uuid", note), in("stsd", "avc1")...),
		"colour profile":     insert(t, film, isoBox("colr", []byte("prof"), note), in("stsd", "avc1")...),
		"data elsewhere":     insert(t, film, isoBox("url ", words32(0), note), "moov", "trak", "mdia", "minf", "dinf", "dref"),
		"time of the film":   set(t, film, 4, "\x01", "moov", "mvhd"),
		"time of a track":    set(t, film, 11, "\x01", "moov", "trak", "tkhd"),
		"time of media":      set(t, film, 5, "\x01", "moov", "trak", "mdia", "mdhd"),
		"language":           set(t, film, 20, "\x15\xc7", "moov", "trak", "mdia", "mdhd"),
		"name":               set(t, film, 20, "Secret", "moov", "trak", "mdia", "hdlr"),
		"maker":              set(t, film, 12, "Appl", "moov", "trak", "mdia", "hdlr"),
		"another track":      set(t, film, 8, "text", "moov", "trak", "mdia", "hdlr"),
		"turned":             set(t, film, 40, "\xff", "moov", "trak", "tkhd"),
		"encoder":            set(t, film, 8+8+42, "\x06Secret", in("stsd")...),
		"preview":            set(t, film, 72, "\x01", "moov", "mvhd"),
		"brand":              set(t, film, 8, "Secr", "ftyp"),
		"hidden beginning":   set(t, film, 8+4, "\x00\x00\x40\x00", "moov", "trak", "edts", "elst"),
		"hidden end":         set(t, film, 8, "\x00\x00\x00\x01", "moov", "trak", "edts", "elst"),
		"speed":              set(t, film, 16, "\x00\x02", "moov", "trak", "edts", "elst"),
		"sample left out":    set(t, film, 8, "\x00\x00\x00\x01", in("stsz")...),
		"note in a picture":  set(t, film, 4, "\x06", "mdat"),
		"note in parameters": set(t, film, 8+8+78+8+8, "\x06", in("stsd")...),
		"truncated":          film[:len(film)-10],
		"index only":         film[:bytes.Index(film, []byte("mdat"))-4],
		"nothing":            nil,
		"text file":          []byte("#EXTM3U\n"),
		"a film as it came":  clipBytes(t, clip{file: "x.mp4", make: args(picture(""), x264)}),
		"notes in pictures":  clipBytes(t, clip{file: "x.mp4", make: bare, before: [][]string{args(picture(""), x264, "y.mp4")}}),
		"subtitles":          clipBytes(t, clip{file: "x.mp4", make: bare, before: [][]string{args(picture(""), "-i s.srt", x264, quietly, "-c:s mov_text y.mp4")}}),
		"two films":          clipBytes(t, clip{file: "x.mp4", make: bare, before: [][]string{args(picture(""), picture(""), "-map 0 -map 1", x264, quietly, "y.mp4")}}),
		"sound only":         clipBytes(t, clip{file: "x.mp4", make: args(tone("440"), "-c:a aac -fflags +bitexact")}),
		"fragments":          clipBytes(t, clip{file: "x.mp4", make: append(bare, "-movflags", "frag_keyframe+empty_moov"), before: [][]string{args(picture(""), x264, quietly, "y.mp4")}}),
		"another coding":     clipBytes(t, clip{file: "x.mp4", make: bare, before: [][]string{args(picture(""), "-c:v mpeg4 y.mp4")}}),
	} {
		err := check(data)
		if !errors.Is(err, media.ErrNotScrubbed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func clipBytes(t testing.TB, c clip) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Clean(c.film(t)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func FuzzCheckScrubbed(f *testing.F) {
	if !testing.Short() { // making the film takes a second
		film := finished(f)
		f.Add(film)
		f.Add(film[:len(film)/2])
	}
	f.Add(append(isoBox("ftyp", []byte("isom\x00\x00\x02\x00isom")), isoBox("moov")...))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := check(data)
		if err != nil && !errors.Is(err, media.ErrNotScrubbed) {
			t.Error(err)
		}
		if err == nil && bytes.Contains(data, []byte("Secret")) {
			t.Error("a film with a note in it passed")
		}
	})
}
