package track

import "testing"

// A weak track is what the thorough detector says it is; a strong one is not asked about.
func TestDoubts(t *testing.T) {
	for _, test := range []struct {
		name         string
		score        float64
		last         float64 // score of the last sighting
		accept       int     // the question that is answered with yes, from 1; 0: none
		asked, kept  int
		described    bool
		sightings    int
		neverAnswers bool
	}{
		{name: "strong", score: 0.95, last: 0.95, kept: 1, described: true, sightings: 30},
		{name: "weak, a face", score: 0.7, last: 0.7, accept: 1, asked: 1, kept: 1, described: true, sightings: 30},
		{name: "weak, no face", score: 0.7, last: 0.7, asked: 4, sightings: 30},
		{name: "weak, seen twice, no face", score: 0.7, last: 0.7, asked: 1, sightings: 2},
		{name: "weak, a face later", score: 0.7, last: 0.7, accept: 3, asked: 3, kept: 1, described: true, sightings: 30},
		{name: "weak, at last strong", score: 0.7, last: 0.95, asked: 4, kept: 1, described: true, sightings: 30},
		{name: "nobody to ask", score: 0.7, last: 0.7, asked: 30, kept: 1, described: true, sightings: 30, neverAnswers: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, asked, described := newReel(t, still{}), 0, false
			for i := range test.sightings {
				f := faceAt(100, 100, test.score)
				if i == test.sightings-1 {
					f.Score = test.last
				}
				r.search(f)
				for _, d := range r.b.Doubts() {
					if asked++; !test.neverAnswers {
						r.b.Confirm(d.Track, asked == test.accept)
					}
				}
				described = described || len(r.b.Wants()) > 0
			}
			if kept := len(r.b.Finish()); asked != test.asked || kept != test.kept || described != test.described {
				t.Errorf("asked %d times, %d tracks, described %t", asked, kept, described)
			}
		})
	}
}
