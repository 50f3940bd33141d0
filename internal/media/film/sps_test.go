package film

import (
	"bytes"
	"errors"
	"testing"

	"github.com/consentry/consentry/internal/media"
)

// TestUnits: units of HEVC of another layer, and parameter sets that end early, are found.
func TestUnits(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		hevc bool
		ok   bool
	}{
		"layer 0":   {[]byte{0, 0, 0, 3, 1 << 1, 1, 9}, true, true},
		"layer 1":   {[]byte{0, 0, 0, 3, 1 << 1, 1<<3 | 1, 9}, true, false},
		"layer 32":  {[]byte{0, 0, 0, 3, 1<<1 | 1, 1, 9}, true, false},
		"no head":   {[]byte{0, 0, 0, 1, 1 << 1}, true, false},
		"slice":     {[]byte{0, 0, 0, 1, 1}, false, true},
		"short set": {[]byte{0, 0, 0, 3, 7, 66, 0}, false, false},
		"short sps": {[]byte{0, 0, 0, 3, 33 << 1, 1, 0}, true, false},
	} {
		err := coding{hevc: c.hevc, length: 4}.units(bytes.NewReader(c.data), extent{0, int64(len(c.data))})
		if c.ok != (err == nil) || err != nil && !errors.Is(err, media.ErrNotScrubbed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzHidesNothing: whatever the bytes, reading ends, and says nothing but what is not allowed.
func FuzzHidesNothing(f *testing.F) {
	f.Add([]byte{0x67, 0x42, 0xc0, 0x0b, 0xd9, 0x0c, 0x9a, 0x10}, false)
	f.Add(make([]byte, 40), true)
	f.Fuzz(func(t *testing.T, data []byte, hevc bool) {
		if err := hidesNothing(data, hevc); err != nil && !errors.Is(err, media.ErrNotScrubbed) {
			t.Error(err)
		}
	})
}
