package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/consentry/consentry/internal/atomicfile"
)

func digest(c string) string { return strings.Repeat(c, 64) }

// sample is a small report with one asset of each outcome, out of the order of the sheet.
func sample() Report {
	return Report{
		Version: Version, Started: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Finished: time.Date(2026, 5, 4, 3, 5, 0, 0, time.UTC),
		Policy: "lumen", Mode: "objectors", RegisterRevision: 17,
		Assets: []Asset{
			{
				Path: "event/a.jpg", SHA256: digest("a"), Kind: KindImage, Purpose: "press", Outcome: Released, Key: digest("c"),
				Derivative: "press/event/a.jpg", DerivativeSHA256: digest("b"), Width: 1920, Height: 1280,
				Faces: []Face{
					{
						Box: [4]float64{10, 20, 300, 400}, DetectorScore: 0.98, Match: Match{Subject: "4021", Band: Confident, Score: 0.41, RunnerUp: "4107"},
						Outcome: Obscure, Rule: "perse-2.5b", Reason: "The guardian has refused.", Region: &[4]float64{0, 0, 400, 500},
					},
					{Box: [4]float64{900, 20, 300, 400}, DetectorScore: 0.9, Match: Match{Band: None, Reason: "not described"}, Outcome: Show, Rule: "unknown-face"},
				},
			},
			{Path: "event/b.jpg", SHA256: digest("d"), Kind: KindImage, Purpose: "press", Outcome: Failed, Reason: "The file is cut off."},
			{
				Path: "event/c.jpg", SHA256: digest("e"), Kind: KindImage, Purpose: "press", Outcome: Withheld, Reason: "1 face needs a person's decision", Width: 800, Height: 600,
				Faces: []Face{
					{Box: [4]float64{100, 110, 50, 60}, Match: Match{Subject: "4021", Band: Unsure, Score: 0.3, RunnerUp: "4188"}, Outcome: Review, Rule: "unsure"},
					{Box: [4]float64{300, 110, 50, 60}, Match: Match{Band: None}, Outcome: Show, Rule: "unknown-face"},
				},
			},
			{Path: "event/empty.jpg", SHA256: digest("f"), Kind: KindImage, Purpose: "press", Outcome: Released, Derivative: "press/event/empty.jpg", DerivativeSHA256: digest("f"), Width: 10, Height: 10, Faces: []Face{}},
			{
				Path: "event/v.mp4", SHA256: digest("0"), Kind: KindVideo, Purpose: "press", Outcome: Withheld, Reason: "1 track needs a person's decision", Width: 10, Height: 10,
				Frames: 250, Seconds: 9.96,
				Tracks: []Track{
					{
						ID: 3, FirstFrame: 12, LastFrame: 240, Match: Match{Band: None}, Outcome: Obscure, Rule: "unknown-face",
						From: 0.48, To: 9.6, Frame: 100, At: 4, Box: [4]float64{1, 2, 3, 4}, DetectorScore: 0.9, Seen: 70,
					},
					{
						ID: 4, FirstFrame: 20, LastFrame: 30, Match: Match{Subject: "4021", Band: Unsure, Score: 0.3, RunnerUp: "4188"}, Outcome: Review, Rule: "unsure-match",
						From: 0.8, To: 1.2, Frame: 25, At: 1, Box: [4]float64{5, 2, 3, 4}, DetectorScore: 0.8, Seen: 4, Face: "0123456789ab", Basis: "b",
					},
				},
			},
		},
	}
}

// A run that is killed while it writes leaves only what the next run knows to clear away.
func TestHalfAReportIsClearedAway(t *testing.T) {
	dir := t.TempDir()
	var names []string
	err := Write(dir, sample(), Pictures{Asset: func(int) ([]byte, error) {
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			if e.Name() != JSONName && !atomicfile.IsTemp(e.Name()) {
				t.Errorf("%s lies there meanwhile", e.Name())
			}
			names = append(names, e.Name())
		}
		return nil, err
	}})
	if err != nil || len(names) == 0 {
		t.Fatalf("%v, %v", names, err)
	}
}

func tinyJPEG(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// everywhere gives every asset a picture and every track three, the last of them bare.
func everywhere(t testing.TB) Pictures {
	return Pictures{
		Asset: func(int) ([]byte, error) { return tinyJPEG(t), nil },
		Track: func(int, int) ([]Picture, error) {
			return []Picture{{At: 0.5, JPEG: tinyJPEG(t)}, {At: 9.8, JPEG: tinyJPEG(t)}, {At: 0.7, Bare: true, JPEG: tinyJPEG(t)}}, nil
		},
	}
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWrittenReportReadsBack(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // the second time over the first
		if err := Write(dir, sample(), Pictures{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{HTMLName, JSONName}, names(t, dir)); diff != "" {
		t.Error("files:", diff)
	}
}

// The contract of the command line: names of fields, what is there and what is not.
func TestJSONHasTheFieldsOfTheContract(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, sample(), Pictures{}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, JSONName))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Assets []map[string]any
	}
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	face := map[string]any{
		"box": []any{10., 20., 300., 400.}, "detector_score": 0.98,
		"match":   map[string]any{"subject": "4021", "band": "confident", "score": 0.41, "runner_up": "4107"},
		"outcome": "obscure", "rule": "perse-2.5b", "reason": "The guardian has refused.", "region": []any{0., 0., 400., 500.},
	}
	if diff := cmp.Diff(face, r.Assets[0]["faces"].([]any)[0]); diff != "" {
		t.Error(diff)
	}
	if faces, ok := r.Assets[3]["faces"].([]any); !ok || len(faces) != 0 {
		t.Errorf("an image without faces has %v, want an empty list", r.Assets[3]["faces"])
	}
	track := map[string]any{
		"id": 3., "first_frame": 12., "last_frame": 240., "outcome": "obscure", "rule": "unknown-face",
		"match": map[string]any{"subject": "", "band": "none", "score": 0., "runner_up": ""},
		"from":  0.48, "to": 9.6, "frame": 100., "at": 4., "box": []any{1., 2., 3., 4.}, "detector_score": 0.9, "seen": 70.,
	}
	if diff := cmp.Diff(track, r.Assets[4]["tracks"].([]any)[0]); diff != "" {
		t.Error(diff)
	}
	if r.Assets[4]["kind"] != "video" || r.Assets[4]["frames"] != 250. || r.Assets[4]["seconds"] != 9.96 {
		t.Errorf("the video is %v", r.Assets[4])
	}
	if _, has := r.Assets[0]["tracks"]; has {
		t.Error("an image has tracks")
	}
	if _, has := r.Assets[4]["faces"]; has {
		t.Error("a video has faces")
	}
	if _, has := r.Assets[1]["derivative"]; has {
		t.Error("a failed asset names a derivative")
	}
}

func TestContradictionsAreNeitherWrittenNorRead(t *testing.T) {
	for name, alter := range map[string]func(*Report){
		"version":                       func(r *Report) { r.Version = 2 },
		"no path":                       func(r *Report) { r.Assets[0].Path = "" },
		"kind":                          func(r *Report) { r.Assets[0].Kind = "sound" },
		"outcome":                       func(r *Report) { r.Assets[0].Outcome = "fine" },
		"released without a file":       func(r *Report) { r.Assets[0].Derivative = "" },
		"released without a digest":     func(r *Report) { r.Assets[0].DerivativeSHA256 = "" },
		"withheld with a file":          func(r *Report) { r.Assets[2].Derivative = "press/event/c.jpg" },
		"withheld with a digest":        func(r *Report) { r.Assets[2].DerivativeSHA256 = digest("1") },
		"derivative elsewhere":          func(r *Report) { r.Assets[0].Derivative = "../x.jpg" },
		"absolute derivative":           func(r *Report) { r.Assets[0].Derivative = "/x.jpg" },
		"negative size":                 func(r *Report) { r.Assets[0].Width = -1 },
		"released with a face to judge": func(r *Report) { r.Assets[0].Faces[1].Outcome = Review },
		"face outcome":                  func(r *Report) { r.Assets[0].Faces[0].Outcome = "" },
		"face band":                     func(r *Report) { r.Assets[0].Faces[0].Match.Band = "" },
		"track outcome":                 func(r *Report) { r.Assets[4].Tracks[0].Outcome = "hide" },
		"track that ends first":         func(r *Report) { r.Assets[4].Tracks[0].LastFrame = 11 },
		"track out of time":             func(r *Report) { r.Assets[4].Tracks[0].To = 0.4 },
		"released with a track to judge": func(r *Report) {
			a := &r.Assets[4]
			a.Outcome, a.Derivative, a.DerivativeSHA256 = Released, "press/event/v.mp4", digest("1")
		},
		"negative length":   func(r *Report) { r.Assets[4].Seconds = -1 },
		"film with faces":   func(r *Report) { r.Assets[4].Faces = r.Assets[0].Faces },
		"image with tracks": func(r *Report) { r.Assets[2].Tracks = r.Assets[4].Tracks[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			r := sample()
			alter(&r)
			dir := t.TempDir()
			if err := Write(dir, r, Pictures{}); !errors.Is(err, ErrInvalid) {
				t.Errorf("Write: got %v, want %v", err, ErrInvalid)
			}
			if left := names(t, dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parse(data); !errors.Is(err, ErrInvalid) {
				t.Errorf("parse: got %v, want %v", err, ErrInvalid)
			}
		})
	}
	r := sample()
	r.Assets[0].Faces[0].Box[2] = math.NaN()
	if err := Write(t.TempDir(), r, Pictures{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("NaN: got %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), dir) {
		t.Errorf("no report: got %v", err)
	}
	path := filepath.Join(dir, JSONName)
	for name, content := range map[string]string{
		"empty":             "",
		"text":              "hello",
		"cut off":           `{"version": 1, "assets": [`,
		"other version":     `{"version": 2}`,
		"unknown field":     `{"version": 1, "name": "x"}`,
		"something after":   `{"version": 1} {}`,
		"number too large":  `{"version": 1, "assets": [{"width": 1e99}]}`,
		"box of three":      `{"version": 1, "assets": [{"path": "a", "kind": "image", "outcome": "failed", "faces": [{"box": "x"}]}]}`,
		"wrong kind of box": `{"version": 1, "assets": {}}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want %v", name, err, ErrInvalid)
		}
	}
	if err := os.Truncate(path, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); !errors.Is(err, ErrInvalid) {
		t.Errorf("too large: got %v", err)
	}
}

// A picture that cannot be used must not cost the sheet that was there before.
func TestFailureKeepsTheEarlierSheet(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, sample(), Pictures{}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, HTMLName))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("store is gone")
	for name, thumbs := range map[string]func(int) ([]byte, error){
		"error":    func(int) ([]byte, error) { return nil, broken },
		"no JPEG":  func(int) ([]byte, error) { return []byte("<svg onload=alert(1)>"), nil },
		"cut JPEG": func(int) ([]byte, error) { return tinyJPEG(t)[:20], nil },
	} {
		if err := Write(dir, sample(), Pictures{Asset: thumbs}); err == nil {
			t.Errorf("%s: no error", name)
		} else if name == "error" && !errors.Is(err, broken) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	after, err := os.ReadFile(filepath.Join(dir, HTMLName))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the sheet changed (%v)", err)
	}
	if diff := cmp.Diff([]string{HTMLName, JSONName}, names(t, dir)); diff != "" {
		t.Error("files:", diff)
	}
	if err := Write(filepath.Join(dir, "absent"), sample(), Pictures{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	good, err := json.Marshal(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":1,"assets":[{"path":"<script>","kind":"video","outcome":"failed","tracks":[{"outcome":"show","match":{"band":"none"}}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parse(data)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		var html bytes.Buffer
		if err := Render(&html, r, Pictures{}); err != nil {
			t.Fatal("read, but cannot be shown:", err)
		}
		if s := strings.ToLower(html.String()); strings.Contains(s, "<script") || strings.Contains(s, "<img") {
			t.Fatal("a report smuggles an element into the sheet")
		}
	})
}
