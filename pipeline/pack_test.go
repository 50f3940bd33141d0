package pipeline_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/pipeline"
)

// What is packed comes back as it was, to the last byte of the clearance.
func TestPackedResultsComeBack(t *testing.T) {
	r := &reel{watched: footageOf(cast()...), file: cleanFilm(t), picture: []byte("jpeg")}
	all := newOrder(t, func(o *pipeline.Order) { o.Mode, o.Register, o.Gallery = pipeline.Everyone, nil, newGallery(t, nil) })
	results, err := shoot(t, r, newOrder(t, nil), all)
	if err != nil {
		t.Fatal(err)
	}
	for i := range results {
		results[i].DerivativePath = "" // is never stored
	}
	odd := results[0]
	odd.Clearance = bytes.Replace(odd.Clearance, []byte("  "), []byte("\t"), 1) // none that we write now
	photograph := pipeline.Result{Outcome: pipeline.Released, Faces: []pipeline.FaceResult{{Score: 0.3}}, Clearance: []byte{0xff, 0}, Thumbnail: []byte("jpeg")}
	for name, want := range map[string][]pipeline.Result{
		"films": results, "another clearance": {odd}, "a photograph": {photograph}, "withheld": {{Film: true, Faces: []pipeline.FaceResult{}}}, "nothing": {},
	} {
		data, err := pipeline.Pack(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pipeline.Unpack(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// Pictures are left out rather than the result lost, and what is said of the limit is true of what is stored.
func TestWhatIsPackedFitsTheLimit(t *testing.T) {
	picture := make([]byte, 6000)
	random := rand.NewChaCha8([32]byte{2})
	random.Read(picture)
	r := &reel{watched: footageOf(crowd(400, person(9))...), file: cleanFilm(t), picture: picture}
	line := filmLine(r)
	for _, limit := range []int{100_000, 300_000} {
		line.ResultBytes = limit
		results, err := line.Film(t.Context(), scratchAsset(t), []pipeline.Order{newOrder(t, nil)})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range results[0].Tracks {
			for k := range v.Pictures { // each another, as in a film
				picture = append([]byte(nil), picture...)
				random.Read(picture)
				v.Pictures[k].JPEG = picture
			}
		}
		data, err := pipeline.Pack(results)
		if n := len(data) * 4 / 3; err != nil || n > limit || n < limit/2 {
			t.Errorf("%d bytes at a limit of %d, %v", n, limit, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	data, err := pipeline.Pack([]pipeline.Result{{Film: true, Tracks: []pipeline.TrackResult{{ID: 1}, {ID: 2}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		results, err := pipeline.Unpack(data)
		if err != nil && results != nil {
			t.Error("results and an error")
		}
	})
}
