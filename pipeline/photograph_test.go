package pipeline_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/clearance"
	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/pipeline"
)

// script is a Vision whose answers, and whose failures, a test writes down. The real one is run by
// the tests of the packages that implement it; failures of every single step cannot be had from it.
type script struct {
	fail    string // the step that fails
	err     error  // with this
	faces   []face.Face
	seen    *pipeline.Sighting // what the second look finds; nothing, and all in order, where nil
	file    []byte             // the derivative; a clean picture where nil
	regions []face.Region      // asked for
	calls   []string
}

const side = 64

func (s *script) call(step string) error {
	s.calls = append(s.calls, step)
	if s.fail == step {
		return s.err
	}
	return nil
}

func (s *script) Decode(context.Context, []byte) (media.Info, error) {
	return media.Info{Format: media.PNG, OutputFormat: media.PNG, Width: side, Height: side}, s.call("decode")
}

func (s *script) Find(context.Context) ([]face.Face, error) { return s.faces, s.call("find") }

func (s *script) Describe(_ context.Context, faces []face.Face) ([]face.Face, error) {
	return faces, s.call("describe")
}

func (s *script) Obscure(_ context.Context, regions []face.Region, _ obscure.Style) (pipeline.Derivative, error) {
	s.regions = regions
	file := s.file
	if file == nil {
		file = picture()
	}
	changed := make([]image.Rectangle, len(regions))
	for i := range changed {
		changed[i] = image.Rect(i, i, i+10, i+10)
	}
	return pipeline.Derivative{Data: file, Changed: changed}, s.call("obscure")
}

func (s *script) Inspect(context.Context, pipeline.Derivative) (pipeline.Sighting, error) {
	seen := pipeline.Sighting{Outside: media.Difference{Within: true}}
	if s.seen != nil {
		seen = *s.seen
	}
	if seen.Info.Width == 0 {
		seen.Info = media.Info{Width: side, Height: side}
	}
	return seen, s.call("inspect")
}

func (s *script) Thumbnail(context.Context, []byte) ([]byte, error) {
	return []byte("thumbnail"), s.call("thumbnail")
}

func (s *script) Portrait(context.Context, face.Box) ([]byte, error) {
	return []byte("portrait"), s.call("portrait")
}

func picture() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// person is a face with a template of its own: people with different numbers are far apart.
func person(n int) face.Face {
	v := make([]float32, 128)
	v[n] = 1
	m := make([]float32, 512)
	m[n] = 1
	return face.Face{
		Box: face.Box{X: float64(10 * n), Y: 5, W: 8, H: 8}, Score: 0.9, Quality: face.Quality{Sharpness: 60, Brightness: 120},
		Templates: face.Templates{face.DlibResNet: v, face.MobileFaceNet: m},
	}
}

func newGallery(t *testing.T, people map[string]int) *gallery.Gallery {
	t.Helper()
	var refs []gallery.Reference
	for id, n := range people {
		refs = append(refs, gallery.Reference{Subject: id, Digest: strings.Repeat("ab", 32), Templates: person(n).Templates})
	}
	g, err := gallery.New(refs, gallery.DefaultThresholds())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// newOrder: 4021 has refused the website, 4022 has granted it, 4023 has said nothing.
func newOrder(t *testing.T, change func(*pipeline.Order)) pipeline.Order {
	t.Helper()
	subjects := []consent.Subject{{AdmissionNumber: "4021"}, {AdmissionNumber: "4022"}, {AdmissionNumber: "4023"}}
	said := func(id string, answer consent.Answer) consent.Record {
		return consent.Record{AdmissionNumber: id, Party: consent.Guardian, Purpose: consent.Website, Decision: answer, Date: "2026-01-05"}
	}
	agrees := said("4022", consent.Granted)
	agrees.Party = consent.Pupil // lumen wants both
	register, err := consent.NewRegister(7, subjects, []consent.Record{said("4021", consent.Refused), said("4022", consent.Granted), agrees})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := consent.LoadPreset("perse")
	if err != nil {
		t.Fatal(err)
	}
	o := pipeline.Order{
		Purpose: consent.Website, Mode: pipeline.Objectors, Policy: policy, Register: register,
		Gallery: newGallery(t, map[string]int{"4021": 1, "4022": 2, "4023": 3}), Style: obscure.SecureBlur,
		On: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), ModelDigest: strings.Repeat("cd", 32),
	}
	if change != nil {
		change(&o)
	}
	return pipeline.NewOrder(o)
}

func key() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)) }

func take(t *testing.T, s *script, orders ...pipeline.Order) ([]pipeline.Result, error) {
	t.Helper()
	line := pipeline.Line{
		Vision: s, Key: key(), Step: func(string) {},
		Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
	}
	return line.Photograph(t.Context(), pipeline.Asset{Digest: strings.Repeat("ef", 32)}, orders)
}

func takeOne(t *testing.T, s *script, o pipeline.Order) pipeline.Result {
	t.Helper()
	results, err := take(t, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

func TestReleasedAndSealed(t *testing.T) {
	s := &script{faces: []face.Face{person(1), person(2), person(9)}}
	r := takeOne(t, s, newOrder(t, nil))
	if r.Outcome != pipeline.Released || len(s.regions) != 1 {
		t.Fatalf("outcome %s with %d regions, want released with 1: %s", r.Outcome, len(s.regions), r.Reason)
	}
	outcomes := []consent.Outcome{r.Faces[0].Outcome, r.Faces[1].Outcome, r.Faces[2].Outcome}
	if !slices.Equal(outcomes, []consent.Outcome{consent.Obscure, consent.Show, consent.Show}) {
		t.Errorf("outcomes %v", outcomes)
	}
	if r.Faces[0].Region == nil || r.Faces[1].Region != nil {
		t.Error("a region belongs to what is obscured, and to nothing else")
	}
	err := clearance.Verify(bytes.NewReader(r.Derivative), r.Clearance, "website", key().Public().(ed25519.PublicKey))
	if err != nil {
		t.Errorf("the clearance does not hold for the derivative: %v", err)
	}
	if bytes.Contains(r.Clearance, []byte("templates")) {
		t.Error("templates in a clearance")
	}
}

func TestNobodyInThePicture(t *testing.T) {
	s := &script{}
	if r := takeOne(t, s, newOrder(t, nil)); r.Outcome != pipeline.Released || len(s.regions) != 0 {
		t.Errorf("%s with %d regions: %s", r.Outcome, len(s.regions), r.Reason)
	}
}

func TestModes(t *testing.T) {
	faces := []face.Face{person(1), person(2), person(3), person(9)} // refused, granted, silent, unknown
	const show, hide, ask = consent.Show, consent.Obscure, consent.Review
	lumen := func(o *pipeline.Order) {
		p, err := consent.LoadPreset("lumen")
		if err != nil {
			t.Fatal(err)
		}
		o.Policy = p
	}
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		want   []consent.Outcome
	}{
		"objectors, opt-out":          {nil, []consent.Outcome{hide, show, show, show}},
		"objectors, opt-in":           {lumen, []consent.Outcome{hide, show, hide, hide}},
		"unknown faces obscured":      {func(o *pipeline.Order) { o.UnknownFace = hide }, []consent.Outcome{hide, show, show, hide}},
		"unknown faces held":          {func(o *pipeline.Order) { o.UnknownFace = ask }, []consent.Outcome{hide, show, show, ask}},
		"cleared, opt-out":            {func(o *pipeline.Order) { o.Mode = pipeline.Cleared }, []consent.Outcome{hide, show, show, hide}},
		"cleared, opt-in":             {func(o *pipeline.Order) { lumen(o); o.Mode = pipeline.Cleared }, []consent.Outcome{hide, show, hide, hide}},
		"everyone":                    {func(o *pipeline.Order) { o.Mode = pipeline.Everyone }, []consent.Outcome{hide, hide, hide, hide}},
		"a mode that nobody knows":    {func(o *pipeline.Order) { o.Mode = "nobody" }, []consent.Outcome{hide, hide, hide, hide}},
		"for a purpose not spoken of": {func(o *pipeline.Order) { lumen(o); o.Purpose = consent.Press }, []consent.Outcome{hide, hide, hide, hide}},
	} {
		t.Run(name, func(t *testing.T) {
			r := takeOne(t, &script{faces: slices.Clone(faces)}, newOrder(t, test.change))
			for i, f := range r.Faces {
				if f.Outcome != test.want[i] {
					t.Errorf("face %d: %s by %s, want %s", i+1, f.Outcome, f.Rule, test.want[i])
				}
				if f.Rule == "" || f.Reason == "" {
					t.Errorf("face %d: an outcome without an explanation", i+1)
				}
			}
			waits := slices.Contains(test.want, ask)
			if (r.Outcome == pipeline.Withheld) != waits {
				t.Errorf("%s, though waiting is %v", r.Outcome, waits)
			}
		})
	}
}

// Nothing is described, and so nothing compared, where everyone is obscured.
func TestEveryoneIsNotDescribed(t *testing.T) {
	s := &script{faces: []face.Face{person(1)}}
	o := newOrder(t, func(o *pipeline.Order) { o.Mode, o.Register, o.Gallery = pipeline.Everyone, nil, newGallery(t, nil) })
	if r := takeOne(t, s, o); r.Outcome != pipeline.Released {
		t.Fatalf("%s: %s", r.Outcome, r.Reason)
	}
	if slices.Contains(s.calls, "describe") {
		t.Error("faces were described")
	}
}

// The architecture's one rule: whatever fails, nothing is released.
func TestEveryFailureFailsClosed(t *testing.T) {
	for _, step := range []string{"decode", "find", "describe", "obscure", "inspect", "thumbnail"} {
		for _, cause := range []error{errors.New("odd"), pipeline.ErrCrashed, media.ErrDamaged, context.DeadlineExceeded} {
			s := &script{faces: []face.Face{person(1)}, fail: step, err: fmt.Errorf("in %s: %w", step, cause)}
			results, err := take(t, s, newOrder(t, nil))
			if !errors.Is(err, cause) || results != nil {
				t.Errorf("%s failing with %v: %v, %d results", step, cause, err, len(results))
			}
		}
	}
}

func TestFaultsOfTheDerivativeWithhold(t *testing.T) {
	within := media.Difference{Within: true}
	hidden := person(1)
	shown := person(5)
	again := shown // a little like the one who is gone
	again.Templates = hidden.Templates
	ghost, haze := face.Face{Box: hidden.Box, Score: 0.95}, face.Face{Box: hidden.Box, Score: 0.8}
	elsewhere := person(1)
	elsewhere.Box.X = 25
	doubtful := elsewhere
	doubtful.Templates = face.Templates{face.DlibResNet: hidden.Templates[face.DlibResNet]}
	for name, test := range map[string]struct {
		seen pipeline.Sighting
		want string // part of the reason; empty: released
	}{
		"in order":               {pipeline.Sighting{Outside: within}, ""},
		"changed outside":        {pipeline.Sighting{}, "outside of the obscured regions"},
		"other size":             {pipeline.Sighting{Outside: within, Info: media.Info{Width: side, Height: side - 1}}, "64 × 63"},
		"face still found":       {pipeline.Sighting{Outside: within, Faces: []face.Face{ghost}}, "still be found"},
		"hardly a face":          {pipeline.Sighting{Outside: within, Faces: []face.Face{haze}}, ""},
		"subject still matches":  {pipeline.Sighting{Outside: within, Faces: []face.Face{elsewhere}}, "4021"},
		"subject matches in one": {pipeline.Sighting{Outside: within, Faces: []face.Face{doubtful}}, "4021"},
		"judged before":          {pipeline.Sighting{Outside: within, Faces: []face.Face{again}}, ""},
		"somebody else there":    {pipeline.Sighting{Outside: within, Faces: []face.Face{person(4)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := takeOne(t, &script{faces: []face.Face{hidden, shown}, seen: &test.seen}, newOrder(t, nil))
			if test.want == "" {
				if r.Outcome != pipeline.Released {
					t.Errorf("%s: %s", r.Outcome, r.Reason)
				}
				return
			}
			if r.Outcome != pipeline.Withheld || !strings.Contains(r.Reason, test.want) {
				t.Errorf("%s (%s), want withheld for %q", r.Outcome, r.Reason, test.want)
			}
			if r.Derivative != nil || r.Clearance != nil || r.Thumbnail != nil {
				t.Error("something of a withheld derivative was handed on")
			}
		})
	}
}

func TestDirtyDerivativeIsNotReleased(t *testing.T) {
	dirty := append(picture(), []byte("trailing bytes")...)
	_, err := take(t, &script{file: dirty}, newOrder(t, nil))
	if !errors.Is(err, media.ErrNotScrubbed) || pipeline.KindOf(err) != pipeline.Hold {
		t.Errorf("%v, want it held as not clean", err)
	}
}

func TestKeyChangesWithWhatTheResultDependsOn(t *testing.T) {
	base := newOrder(t, nil)
	asset := strings.Repeat("ef", 32)
	if base.Key(asset) != newOrder(t, nil).Key(asset) {
		t.Fatal("the same order has two keys")
	}
	withdrawn := func(o *pipeline.Order) {
		r, err := consent.NewRegister(8, []consent.Subject{{AdmissionNumber: "4021"}, {AdmissionNumber: "4022"}, {AdmissionNumber: "4023"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		o.Register = r
	}
	changes := map[string]func(*pipeline.Order){
		"purpose":       func(o *pipeline.Order) { o.Purpose = consent.Press },
		"mode":          func(o *pipeline.Order) { o.Mode = pipeline.Cleared },
		"unknown faces": func(o *pipeline.Order) { o.UnknownFace = consent.Obscure },
		"style":         func(o *pipeline.Order) { o.Style = obscure.Solid },
		"models":        func(o *pipeline.Order) { o.ModelDigest = strings.Repeat("00", 32) },
		"gallery":       func(o *pipeline.Order) { o.Gallery = newGallery(t, map[string]int{"4021": 1}) },
		"register":      withdrawn,
	}
	seen := map[string]string{base.Key(asset): "base"}
	for name, change := range changes {
		k := newOrder(t, change).Key(asset)
		if other, taken := seen[k]; taken {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[k] = name
	}
	later := newOrder(t, func(o *pipeline.Order) { o.On = o.On.AddDate(0, 0, 1) })
	if later.Key(asset) != base.Key(asset) {
		t.Error("a day on which nothing changes makes another result")
	}
}
