package film

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/media"
)

// TestSame: sound that lacks a packet, has one too many, another one, or comes late, is not the same.
func TestSame(t *testing.T) {
	of := func(starts ...int) []packet {
		var out []packet
		for i, s := range starts {
			out = append(out, packet{time.Duration(s) * time.Millisecond, 20 * time.Millisecond, [16]byte{byte(i)}})
		}
		return out
	}
	want := of(0, 20, 40)
	other := of(0, 20, 40)
	other[1].digest[0]++
	for name, c := range map[string]struct {
		got  []packet
		copy bool
		same bool
	}{
		"same":                {of(0, 20, 40), true, true},
		"within a tick":       {of(0, 21, 40), true, true},
		"one less":            {of(0, 20), true, false},
		"one more":            {of(0, 20, 40, 60), true, false},
		"another":             {other, true, false},
		"late":                {of(3, 23, 43), true, false},
		"transcoded":          {of(-20, 0, 20, 60, 80), false, true},
		"transcoded, short":   {nil, false, true},
		"transcoded, to long": {of(0, 200), false, false},
	} {
		err := strand{Audio{Copy: c.copy}, want}.same(c.got)
		if c.same != (err == nil) || err != nil && !errors.Is(err, ErrDifferent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOfPart: of what is copied, the packets that begin within the part; of what is transcoded, also what reaches into it.
func TestOfPart(t *testing.T) {
	all := []packet{{at: 0, length: 20}, {at: 20, length: 20}, {at: 40, length: 20}, {at: 60, length: 20}}
	for name, c := range map[string]struct {
		part   Part
		first  time.Duration
		copied bool
		want   []packet
	}{
		"whole":      {Part{}, 0, true, all},
		"copied":     {Part{From: 25, To: 60}, 30, true, []packet{{at: 10, length: 20}}},
		"transcoded": {Part{From: 25, To: 60}, 30, false, []packet{{at: 0, length: 10}, {at: 10, length: 20}}},
		"to the end": {Part{From: 40}, 40, true, []packet{{at: 0, length: 20}, {at: 20, length: 20}}},
		"nothing":    {Part{From: 90}, 90, true, nil},
	} {
		got := ofPart(all, c.part, c.first, c.copied)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v", name, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v", name, got)
			}
		}
	}
}

func FuzzReadPackets(f *testing.F) {
	digest := strings.Repeat("5f", 32)
	f.Add("#tb 0: 1/44100\n#stream#, dts, pts, duration, size, hash\n0, 0, 0, 1024, 2, " + digest + "\n")
	f.Add("0, 0, 0, 1024, 2, " + digest + ", S=1, 10, 82af\n")
	f.Add("#tb 7: 1/0\n9, a, b\n")
	f.Fuzz(func(t *testing.T, text string) {
		if err := readPackets(strings.NewReader(text), make([][]packet, 2)); err != nil && !errors.Is(err, media.ErrDamaged) {
			t.Error(err)
		}
	})
}
