package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// marked is a JPEG that can be told from others on the sheet.
func marked(t testing.TB, text string) []byte {
	t.Helper()
	return append(tinyJPEG(t), text...)
}

// film is a report of one film with as many tracks of each outcome.
func film(outcome string, tracks map[string]int) Report {
	r := sample()
	a := r.Assets[4]
	a.Tracks, a.Outcome, a.Frames, a.Seconds = nil, outcome, 1000, 39.96
	if outcome == Released {
		a.Reason, a.Derivative, a.DerivativeSHA256 = "", "press/event/v.mp4", digest("1")
	}
	for _, o := range []string{Show, Obscure, Review} {
		for range tracks[o] {
			n := len(a.Tracks)
			a.Tracks = append(a.Tracks, Track{
				ID: n + 1, FirstFrame: 10 * n, LastFrame: 10*n + 9, From: 0.4 * float64(n), To: 0.4*float64(n) + 0.36,
				Face: fmt.Sprintf("%012x", n), Match: Match{Band: None}, Outcome: o, Rule: "r",
			})
		}
	}
	r.Assets = []Asset{a}
	return r
}

// strips gives each track two pictures and a bare one, each of them marked with the track's number.
func strips(t testing.TB) Pictures {
	return Pictures{Track: func(_, n int) ([]Picture, error) {
		return []Picture{
			{At: 1, JPEG: marked(t, fmt.Sprintf("strip %d", n))},
			{At: 2, JPEG: marked(t, "second")},
			{At: 1, Bare: true, JPEG: marked(t, fmt.Sprintf("bare %d", n))},
		}, nil
	}}
}

// pictured says which of the marked pictures are on the sheet.
func pictured(t *testing.T, sheet, mark string) bool {
	t.Helper()
	img, err := newStill(marked(t, mark))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(strings.ReplaceAll(sheet, "&#43;", "+"), string(img.URL)+`"`)
}

// The promise of the sheet: a bare face only of who waits for a person, folded away, and it says so.
func TestBareFacesOnlyOfWhoWaits(t *testing.T) {
	sheet := render(t, film(Withheld, map[string]int{Show: 1, Obscure: 1, Review: 1}), strips(t))
	for n := range 3 {
		if !pictured(t, sheet, fmt.Sprintf("strip %d", n)) {
			t.Errorf("the strip of track %d is missing", n+1)
		}
		if pictured(t, sheet, fmt.Sprintf("bare %d", n)) != (n == 2) {
			t.Errorf("whether track %d is bare is wrong", n+1)
		}
	}
	_, fold, _ := strings.Cut(sheet, `<details class="bare">`)
	fold, _, _ = strings.Cut(fold, "</details>")
	if !pictured(t, fold, "bare 2") || !strings.Contains(fold, "for the person who decides; do not pass on") {
		t.Error("the bare face is not folded away under a warning:", text(fold))
	}
	if strings.Contains(sheet, `<details class="bare" open`) {
		t.Error("the fold stands open")
	}
	head, _, _ := strings.Cut(sheet, "<main")
	if !strings.Contains(text(head), "Do not pass this sheet on. It holds 1 picture of a bare face") {
		t.Error("the head does not say that faces are bare")
	}
	released := render(t, film(Released, map[string]int{Show: 1, Obscure: 2}), strips(t))
	if strings.Contains(text(released), "Do not pass") || strings.Contains(released, `<details class="bare"`) || strings.Contains(text(released), "bare face") {
		t.Error("a sheet without bare faces speaks of some")
	}
}

// Others on the machine do not see a sheet with bare faces.
func TestSheetWithBareFacesIsItsOwnersOnly(t *testing.T) {
	for name, test := range map[string]struct {
		tracks map[string]int
		shared bool
	}{
		"waits":    {map[string]int{Review: 1}, false},
		"obscured": {map[string]int{Obscure: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Write(dir, film(Withheld, test.tracks), strips(t)); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(filepath.Join(dir, HTMLName))
			if err != nil {
				t.Fatal(err)
			}
			other, err := os.Stat(filepath.Join(dir, JSONName))
			if err != nil {
				t.Fatal(err)
			}
			if same := info.Mode() == other.Mode(); same != test.shared || !test.shared && info.Mode().Perm() != ownerOnly {
				t.Errorf("modes are %v and %v", info.Mode(), other.Mode())
			}
		})
	}
}

func TestTracksThatWaitComeFirst(t *testing.T) {
	r := film(Withheld, map[string]int{Show: 2, Obscure: 20, Review: 15})
	r.StateKept = true
	sheet := render(t, r, strips(t))
	last := -1
	for _, want := range []string{`<details class="group review" open>`, `<details class="group obscure">`, `<details class="group show" open>`} {
		at := strings.Index(sheet, want)
		if at <= last {
			t.Errorf("%s at %d, after %d expected", want, at, last)
		}
		last = at
	}
	words := text(sheet)
	for _, want := range []string{
		"Needs a decision (15)", "Would be obscured (20)", "Would be shown (2)", "face 000000000016", "consentry review decide FACE --is 4021",
		"Nothing of it is released until every track is decided.", "37 tracks: 15 need a decision, 20 obscured, 2 shown",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(words, "face 000000000000") {
		t.Error("a track that does not wait has a code")
	}
	r.StateKept = false
	if words := text(render(t, r, strips(t))); strings.Contains(words, "consentry review decide") || strings.Contains(words, "face 0000") {
		t.Error("tells how to decide where nothing is kept")
	}
}

// Where there are too many tracks some go without pictures, and the sheet says how many.
func TestPicturesLeftOut(t *testing.T) {
	r := film(Released, map[string]int{Show: 30, Obscure: 70})
	for name, test := range map[string]struct {
		pictured int
		want     string
	}{
		"all":  {100, ""},
		"some": {60, "There are too many tracks for a picture of each: 40 have none here."},
		"most": {99, "There are too many tracks for a picture of each: 1 has none here."},
		"none": {0, "No pictures of single tracks are kept on this sheet."},
	} {
		t.Run(name, func(t *testing.T) {
			all := strips(t)
			words := text(render(t, r, Pictures{Track: func(i, n int) ([]Picture, error) {
				if n >= test.pictured {
					return nil, nil
				}
				return all.Track(i, n)
			}}))
			if test.want != "" && !strings.Contains(words, test.want) {
				t.Errorf("%q is missing", test.want)
			}
			if n := strings.Count(words, "none here") + strings.Count(words, "No pictures"); test.want == "" && n > 0 {
				t.Error("pictures are said to be left out")
			}
		})
	}
}

func TestPictureOfATrackThatCannotBeUsed(t *testing.T) {
	for name, pictures := range map[string]Pictures{
		"error":   {Track: func(int, int) ([]Picture, error) { return nil, os.ErrPermission }},
		"no JPEG": {Track: func(int, int) ([]Picture, error) { return []Picture{{JPEG: []byte("<svg onload=alert(1)>")}}, nil }},
		"empty":   {Track: func(int, int) ([]Picture, error) { return []Picture{{}}, nil }},
	} {
		for _, tracks := range []map[string]int{{Review: 1}, {Show: 1}} {
			dir := t.TempDir()
			if err := Write(dir, film(Withheld, tracks), pictures); err == nil {
				t.Errorf("%s: no error", name)
			}
			if _, err := os.Stat(filepath.Join(dir, HTMLName)); err == nil {
				t.Errorf("%s: a sheet lies there", name)
			}
		}
	}
}

func TestClock(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0:00.0", 12.04: "0:12.0", 59.96: "1:00.0", 83.45: "1:23.5", 599.94: "9:59.9", 3599.99: "1:00:00.0", 3725.26: "1:02:05.3", -0.5: "−0:00.5",
	} {
		if got := clock(seconds); got != want {
			t.Errorf("%v is %s, want %s", seconds, got, want)
		}
	}
}

// The line of a track stays within the film's, wherever its frames are said to be.
func TestTrackWithinTheFilm(t *testing.T) {
	for _, test := range []struct {
		frames, first, last int
		start, span         string
	}{
		{1000, 0, 999, "0.0", "1000.0"},
		{1000, 500, 749, "500.0", "250.0"},
		{1000, 999, 999, "992.0", "8.0"},
		{1000, 2000, 3000, "992.0", "8.0"},
		{1000, -5, -1, "0.0", "8.0"},
		{1, 0, 0, "", ""},
		{0, 0, 10, "", ""},
	} {
		c := card{Asset: &Asset{Frames: test.frames}}
		start, span := c.within(&Track{FirstFrame: test.first, LastFrame: test.last})
		if start != test.start || span != test.span {
			t.Errorf("%+v: %s, %s", test, start, span)
		}
	}
}
