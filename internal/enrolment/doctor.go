package enrolment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
)

// Looker looks at one photograph at a time; pipeline.Vision is one. Decode takes up a photograph,
// the others speak of the one taken up last.
type Looker interface {
	Decode(ctx context.Context, data []byte) (media.Info, error)
	Find(ctx context.Context) ([]face.Face, error)
	Describe(ctx context.Context, faces []face.Face) ([]face.Face, error)
	Portrait(ctx context.Context, box face.Box) ([]byte, error)
}

// Candidate is a photograph that is good enough, and what was made of its face.
type Candidate struct {
	Digest    string         // SHA-256 of the file, hexadecimal
	Templates face.Templates // of both describers
	Quality   face.Quality
	Side      float64      // shorter side of the face's box, pixels
	Box       face.Box     // in the upright photograph
	Taken     consent.Date // the day it was taken, empty where the file does not say
	Portrait  []byte       // small JPEG of the face
}

// What a reference must be like. Measured on the 44 faces of 80 px and more, described by both
// describers, of 34 portraits of one main face each and of the six sample photographs. Each was
// blurred, darkened and brightened in steps, found and described again, and compared with itself as
// it was: 10 is the same photograph, 5 a confident match.
const (
	// MinSide is the shorter side of the face's box in pixels, as the schools' requirements say.
	MinSide = 80.0
	// MinSharpness, in the unit of face.Quality: of what is sharper, nine in ten score 6.5 and more
	// (median 8.0 from 20 to 30); from 15 to 20 it is 4.4, from 10 to 15 1.5. Good photographs have
	// 79 to 1,900.
	MinSharpness = 20.0
	// fullLight: less light lowers the sharpness measured, by its square, and not what can be
	// recognised. Held against this brightness the darkened faces all stay above MinSharpness, and
	// what it says of the blurred ones stays the same.
	fullLight = 80.0
	// MinBrightness is low on purpose: dark skin in good light has a mean of 50 to 80, and what counts
	// is whether the describers still see the face. Nine in ten score 7.1 and more down to 20;
	// below, a face is often not even found. A real photograph so dark has noise besides.
	MinBrightness = 30.0
	// MaxBrightness: washed-out faces lose their features. Above 220 half of them score below 5;
	// the brightest good portrait has 204.
	MaxBrightness = 220.0
	// MaxYaw, either way, in the unit of face.Quality. The portraits that have most to the side and
	// are still recognised among the others of the same person have 0.47, 0.55 and 0.61; beyond 0.8 are
	// three-quarter views and profiles, which the describers decline or take for anybody.
	MaxYaw = 0.7

	// A second face counts if it is at least this much of the largest one's size: what is smaller is
	// somebody in the background, or a picture on the wall.
	secondFace = 1.0 / 3
	// What the detector is less sure of is no second face: on the same photographs hands, knees and
	// blouses score up to 0.63, and no face of that size below 0.95.
	sureFace = 0.8
	// Two boxes that share this much of the smaller one are two views of one head.
	sameHead = 0.2
)

// Faults are all that is wrong with one photograph, the first being what to see to first. Each
// says what to do.
type Faults struct{ Texts []string }

func (f *Faults) Error() string { return strings.Join(f.Texts, "; ") }

// Examine checks one photograph on its own: one face, large, sharp, lit and frontal enough, and
// described by both describers. The error is a [*Faults] where the photograph was looked at and is
// not good enough. today bounds the date it can have been taken.
func Examine(ctx context.Context, data []byte, v Looker, today consent.Date) (Candidate, error) {
	if _, err := v.Decode(ctx, data); err != nil {
		return Candidate{}, err
	}
	faces, err := v.Find(ctx)
	if err != nil {
		return Candidate{}, err
	}
	f, err := single(faces)
	if err != nil {
		return Candidate{}, err
	}
	described, err := v.Describe(ctx, []face.Face{f})
	if err != nil {
		return Candidate{}, err
	}
	if len(described) != 1 {
		return Candidate{}, errors.New("the face could not be described")
	}
	f = described[0]
	if texts := faults(f); len(texts) > 0 {
		return Candidate{}, &Faults{texts}
	}
	portrait, err := v.Portrait(ctx, f.Box)
	if err != nil {
		return Candidate{}, err
	}
	return Candidate{
		Digest: digestOf(data), Templates: f.Templates, Quality: f.Quality, Side: side(f.Box), Box: f.Box,
		Taken: taken(data, today), Portrait: portrait,
	}, nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func side(b face.Box) float64 { return min(b.W, b.H) }

// single is the only face that counts.
func single(faces []face.Face) (face.Face, error) {
	counted := counting(faces)
	switch len(counted) {
	case 0:
		return face.Face{}, &Faults{[]string{"no face found; use a photograph that shows the face from the front, upright and not covered"}}
	case 1:
		return counted[0], nil
	}
	return face.Face{}, &Faults{[]string{fmt.Sprintf("%d faces found; cut the photograph so that only the one person is in it", len(counted))}}
}

// counting lists the faces that are surely faces and not small beside the largest, each head once.
// Where nothing is surely a face, the largest that may be one is left to the other checks.
func counting(faces []face.Face) []face.Face {
	sorted := slices.Clone(faces)
	slices.SortStableFunc(sorted, func(a, b face.Face) int { return compare(b.Box.Area(), a.Box.Area()) })
	sure := slices.DeleteFunc(slices.Clone(sorted), func(f face.Face) bool { return f.Score < sureFace })
	if len(sure) == 0 {
		return sorted[:min(1, len(sorted))]
	}
	var counted []face.Face
	for _, f := range sure {
		small := f.Box.Size() < secondFace*sure[0].Box.Size()
		if !small && !slices.ContainsFunc(counted, func(c face.Face) bool { return overlap(c.Box, f.Box) >= sameHead }) {
			counted = append(counted, f)
		}
	}
	return counted
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// overlap is the part of the smaller box that both cover.
func overlap(a, b face.Box) float64 { return a.Intersection(b) / min(a.Area(), b.Area()) }

// faults lists what is wrong with a described face as a reference.
func faults(f face.Face) []string {
	var texts []string
	add := func(wrong bool, format string, a ...any) {
		if wrong {
			texts = append(texts, fmt.Sprintf(format, a...))
		}
	}
	q := f.Quality
	// Written so that what is not a number is wrong.
	add(!(side(f.Box) >= MinSide), "the face is too small: %.0f pixels wide or high, at least %.0f are needed; use a larger photograph, or one from nearer", side(f.Box), MinSide)
	add(!(q.Sharpness >= sharpEnough(q.Brightness)), "the face is blurred (sharpness %.0f, at least %.0f is needed); use a sharp photograph", q.Sharpness, sharpEnough(q.Brightness))
	add(!(q.Brightness >= MinBrightness), "the face is too dark (brightness %.0f of 255, at least %.0f is needed); use a photograph with light on the face", q.Brightness, MinBrightness)
	add(q.Brightness > MaxBrightness, "the face is too bright (brightness %.0f of 255, at most %.0f is possible); use a photograph with less light on the face", q.Brightness, MaxBrightness)
	add(!(abs(q.Yaw) <= MaxYaw), "the face is turned to the side (%.0f %% of the way to a profile, at most %.0f is possible); use a photograph from the front", 100*abs(q.Yaw), 100*MaxYaw)
	add(!describedByBoth(f.Templates), "the face could not be described by both models; use a photograph from the front, eyes open and to the camera, without sunglasses, mask or hair over the face")
	return texts
}

// sharpEnough is the least sharpness of a face so bright.
func sharpEnough(brightness float64) float64 {
	light := min(1, brightness/fullLight)
	return MinSharpness * light * light
}

func abs(x float64) float64 { return max(x, -x) }

func describedByBoth(t face.Templates) bool {
	return len(t[face.DlibResNet]) > 0 && len(t[face.MobileFaceNet]) > 0
}
