package sandbox

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/track"
)

// The templates of a long film's tracks are most of what is told of it, and in JSON three times as large as they are: 130 MB
// instead of 40 for 3600 tracks. They go as bytes in the body, in the order of tracks and views.

// templateRef says which template comes next, and how many numbers it has, four bytes each (little-endian).
type templateRef struct {
	Describer face.Describer `json:"describer"`
	Numbers   int            `json:"numbers"`
}

// packTemplates takes the templates out of the views.
func packTemplates(tracks []track.Track) (refs [][]templateRef, body []byte) {
	for i := range tracks {
		for k := range tracks[i].Views {
			f := &tracks[i].Views[k].Face
			var of []templateRef
			for _, d := range slices.Sorted(maps.Keys(f.Templates)) {
				of = append(of, templateRef{d, len(f.Templates[d])})
				for _, x := range f.Templates[d] {
					body = binary.LittleEndian.AppendUint32(body, math.Float32bits(x))
				}
			}
			refs, f.Templates = append(refs, of), nil
		}
	}
	return refs, body
}

// unpackTemplates puts them back. It refuses what JSON could not have carried.
func unpackTemplates(tracks []track.Track, refs [][]templateRef, body []byte) error {
	for i := range tracks {
		for k := range tracks[i].Views {
			if len(refs) == 0 {
				return fmt.Errorf("%w: templates are missing", errFrame)
			}
			for _, ref := range refs[0] {
				numbers, rest, err := readNumbers(body, ref.Numbers)
				if err != nil {
					return err
				}
				f := &tracks[i].Views[k].Face
				if f.Templates == nil {
					f.Templates = face.Templates{}
				}
				f.Templates[ref.Describer], body = numbers, rest
			}
			refs = refs[1:]
		}
	}
	if len(refs) > 0 || len(body) > 0 {
		return fmt.Errorf("%w: templates of no view", errFrame)
	}
	return nil
}

func readNumbers(body []byte, n int) (numbers []float32, rest []byte, err error) {
	if n < 0 || n > len(body)/4 {
		return nil, nil, fmt.Errorf("%w: a template of %d numbers in %d bytes", errFrame, n, len(body))
	}
	numbers = make([]float32, n)
	for i := range numbers {
		x := math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, nil, fmt.Errorf("%w: a template with something that is no number", errFrame)
		}
		numbers[i] = x
	}
	return numbers, body[4*n:], nil
}
