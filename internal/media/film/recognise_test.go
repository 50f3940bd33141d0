package film

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/consentry/consentry/internal/media"
)

// gif makes a GIF of n pictures of one pixel.
func gif(n int) string {
	return "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff" +
		strings.Repeat("\x21\xf9\x04\x00\x0a\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00", n) + "\x3b"
}

func ftyp(brands string) string {
	return string(isoBox("ftyp", []byte(brands[:4]), make([]byte, 4), []byte(brands)))
}

func TestRecognise(t *testing.T) {
	packet := "\x47\x1f\xff\x10" + strings.Repeat("\xff", 184)
	camera := "\x01\x02\x03\x04" + packet
	for name, c := range map[string]struct{ data, want string }{
		"mp4":                 {ftyp("isom") + string(isoBox("moov")), "mp4"},
		"mov":                 {ftyp("qt  ") + string(isoBox("moov")), "mp4"},
		"old mov":             {string(isoBox("wide")) + string(isoBox("mdat", []byte("x"))) + string(isoBox("moov")), "mp4"},
		"boxes without index": {string(isoBox("wide")) + string(isoBox("mdat", []byte("xxxx"))), ""},
		"heic":                {ftyp("heic") + string(isoBox("meta")), ""},
		"moving heic":         {ftyp("msf1") + string(isoBox("moov")), ""},
		"avif":                {ftyp("avif") + string(isoBox("meta")), ""},
		"moving avif":         {ftyp("avis") + string(isoBox("moov")), ""},
		"matroska":            {"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska", "matroska"},
		"webm":                {"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x84webm", "matroska"},
		"other ebml":          {"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x84blah", ""},
		"avi":                 {"RIFF\x00\x01\x00\x00AVI LIST", "avi"},
		"wave":                {"RIFF\x00\x01\x00\x00WAVEfmt ", ""},
		"webp":                {"RIFF\x00\x01\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02", ""},
		"transport stream":    {strings.Repeat(packet, 4), "mpegts"},
		"camera's":            {strings.Repeat(camera, 4), "mpegts"},
		"two packets":         {strings.Repeat(packet, 2), ""},
		"moving gif":          {gif(2), "gif"},
		"still gif":           {gif(1), ""},
		"cut gif":             {gif(2)[:40], ""},
		"playlist":            {"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n", ""},
		"concat":              {"ffconcat version 1.0\nfile /etc/passwd\n", ""},
		"session":             {"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n", ""},
		"manifest":            {`<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>`, ""},
		"png":                 {"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", ""},
		"jpeg":                {"\xff\xd8\xff\xe0\x00\x10JFIF", ""},
		"mp3":                 {"ID3\x04\x00\x00\x00\x00\x00\x00", ""},
		"g's":                 {strings.Repeat("G", 500), ""},
		"empty":               {"", ""},
	} {
		got, ok := Recognise(strings.NewReader(c.data), int64(len(c.data)))
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
}

// TestPlaylists: what points elsewhere is no film, whatever it is called.
func TestPlaylists(t *testing.T) {
	dir := t.TempDir()
	ffmpeg(t, dir, args(picture(""), "-c:v mjpeg real.avi")...)
	for name, text := range map[string]string{
		"list.mp4":  "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nreal.avi\n#EXT-X-ENDLIST\n",
		"list.avi":  "ffconcat version 1.0\nfile real.avi\n",
		"list.m3u8": "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
		"list.sdp":  "v=0\nm=video 5004 RTP/AVP 96\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := tools(t).Probe(t.Context(), path, limits()); !errors.Is(err, media.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	for _, s := range []string{gif(2), gif(1), ftyp("isom") + string(isoBox("moov")), "RIFF\x04\x00\x00\x00AVI ", "\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska\x18\x53\x80\x67\x81\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		container, ok := Recognise(r, r.Size())
		if ok != (container != "") {
			t.Errorf("%q, %v", container, ok)
		}
		if err := checkWhole(r, r.Size(), container); err != nil && !errors.Is(err, media.ErrDamaged) {
			t.Error(err)
		}
	})
}
