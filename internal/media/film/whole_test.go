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

// TestUnfinished: a film in fragments that ends between two of them is not whole, unless it says how long all of them are.
func TestUnfinished(t *testing.T) {
	if testing.Short() {
		t.Skip("films are made")
	}
	for name, how := range map[string]string{
		"empty index":  "-movflags frag_keyframe+empty_moov",
		"filled index": "-movflags frag_keyframe",
		"dash":         "-movflags dash+frag_keyframe",
		"cmaf":         "-movflags cmaf+frag_keyframe",
	} {
		data := clipBytes(t, clip{file: "f.mp4", make: args(picture(""), x264, how)})
		whole := func(data []byte) error { return checkWhole(bytes.NewReader(data), int64(len(data)), containerMP4) }
		if err := whole(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		cut := data[:bytes.LastIndex(data, []byte("moof"))-4]
		if err := whole(cut); !errors.Is(err, media.ErrDamaged) || !strings.Contains(err.Error(), "not finished") {
			t.Errorf("%s: %v", name, err)
		}
		long := isoBox("mvex", isoBox("mehd", words32(0, 1000)))
		if err := whole(insert(t, cut, long[8:], "moov", "mvex")); err != nil {
			t.Errorf("%s, with its length: %v", name, err)
		}
	}
}

// TestBegunLate: a stream that begins in the middle of a group of pictures is called so.
func TestBegunLate(t *testing.T) {
	if testing.Short() {
		t.Skip("films are made")
	}
	dir := t.TempDir()
	ffmpeg(t, dir, args(picture(""), "-c:v libx264 -preset ultrafast -bf 0 -g 10 whole.ts")...)
	data, err := os.ReadFile(filepath.Join(dir, "whole.ts"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "late.ts")
	if err := os.WriteFile(path, data[188*50:], 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := readAll(t, path, limits())
	if !errors.Is(err, media.ErrDamaged) || !strings.Contains(err.Error(), "begin") {
		t.Errorf("%d frames, then %v", n, err)
	}
}
