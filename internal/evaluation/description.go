package evaluation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// DescribeFile finds and describes all faces of a photograph.
type DescribeFile func(ctx context.Context, path string) ([]face.Face, error)

// FaceAt is a face of a photograph, counted from the picture's left by the box's left edge, from 0.
type FaceAt struct {
	Photograph string // file name
	FromLeft   int
}

// LabelledFace is a face of which it is known whose it is.
type LabelledFace struct {
	Photograph string
	Subject    string // the same for the same person; never empty
	Group      bool   // from a group photograph: nothing is known of its kinship with faces of other groups
	Templates  face.Templates
}

// ErrNoPhotographs says that a folder holds nothing to measure on.
var ErrNoPhotographs = errors.New("no labelled photographs")

const (
	// smallestDescribed is the side in pixels of the smallest face that counts; MobileFaceNet's chip
	// shows a face of this size at about twice its size.
	smallestDescribed = 40
	// surelyFace is the detector's score from which on a detection counts as a face.
	surelyFace = 0.9
	// groupFaces of at least half of the largest one's area make a photograph a group.
	groupFaces = 3
)

// LabelledFaces reads a folder of photographs whose names say whose they are: NAME[N].jpg, NAME-N.jpg
// or, for a subject with a folder, NAME/anything.jpg. Of each the main face counts: the one with the
// largest product of area and sharpness, so that neither a bystander out of focus nor a pattern
// on a wall is taken for the subject.
//
// A photograph with three or more faces of similar size is a group. Its faces are strangers to each
// other and, which is for whoever fills the folder to see to, to every person of whom there are several
// photographs; what they are to the rest is not known. Each pair of same names two faces that are one person all the same.
func LabelledFaces(ctx context.Context, dir string, describe DescribeFile, same ...[2]FaceAt) ([]LabelledFace, error) {
	paths, err := photographs(dir)
	if err != nil {
		return nil, err
	}
	var labelled []LabelledFace
	for i, p := range paths {
		faces, err := describe(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("describing photograph %d: %w", i, err)
		}
		labelled = append(labelled, label(dir, p, large(faces))...)
	}
	for _, s := range same {
		rename(labelled, s[1].String(), s[0].String())
	}
	return labelled, nil
}

func (f FaceAt) String() string { return fmt.Sprintf("%s#%d", f.Photograph, f.FromLeft) }

func rename(faces []LabelledFace, from, to string) {
	for i := range faces {
		if faces[i].Subject == from {
			faces[i].Subject = to
		}
	}
}

func photographs(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		ext := strings.ToLower(filepath.Ext(path))
		if err == nil && !d.IsDir() && (ext == ".jpg" || ext == ".jpeg" || ext == ".png") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing labelled photographs: %w", err)
	}
	if len(paths) == 0 {
		return nil, ErrNoPhotographs
	}
	slices.Sort(paths)
	return paths, nil
}

// large leaves out what is small or doubtful, and of boxes that overlap all but the most prominent.
func large(faces []face.Face) []face.Face {
	sorted := slices.Clone(faces)
	slices.SortStableFunc(sorted, func(a, b face.Face) int { return cmp.Compare(prominence(b), prominence(a)) })
	var kept []face.Face
	for _, f := range sorted {
		doubled := slices.ContainsFunc(kept, func(k face.Face) bool { return seenTwice(k.Box, f.Box) })
		if f.Box.Size() >= smallestDescribed && f.Score >= surelyFace && !doubled {
			kept = append(kept, f)
		}
	}
	return kept
}

// seenTwice says whether two boxes are of one face: the centre of one lies in the other, or a
// tenth of both together is common.
func seenTwice(a, b face.Box) bool {
	in := func(p face.Point, b face.Box) bool {
		return p.X >= b.X && p.X <= b.X+b.W && p.Y >= b.Y && p.Y <= b.Y+b.H
	}
	return in(a.Centre(), b) || in(b.Centre(), a) || a.IoU(b) > 0.1
}

// label says whose the faces of one photograph are.
func label(dir, path string, faces []face.Face) []LabelledFace {
	if len(faces) == 0 {
		return nil
	}
	name := filepath.Base(path)
	if isGroup(faces) {
		slices.SortFunc(faces, func(a, b face.Face) int { return cmp.Compare(a.Box.X, b.Box.X) })
		all := make([]LabelledFace, len(faces))
		for i, f := range faces {
			all[i] = LabelledFace{Photograph: name, Subject: FaceAt{name, i}.String(), Group: true, Templates: f.Templates}
		}
		return all
	}
	f := slices.MaxFunc(faces, func(a, b face.Face) int { return cmp.Compare(prominence(a), prominence(b)) })
	return []LabelledFace{{Photograph: name, Subject: owner(dir, path), Templates: f.Templates}}
}

func prominence(f face.Face) float64 { return f.Box.Area() * f.Quality.Sharpness }

func isGroup(faces []face.Face) bool {
	var largest float64
	for _, f := range faces {
		largest = max(largest, f.Box.Area())
	}
	n := 0
	for _, f := range faces {
		if f.Box.Area() >= largest/2 {
			n++
		}
	}
	return n >= groupFaces
}

// owner is the name that a path gives to its subject.
func owner(dir, path string) string {
	if parent := filepath.Dir(path); filepath.Clean(parent) != filepath.Clean(dir) {
		return filepath.Base(parent)
	}
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if before, after, ok := strings.Cut(stem, "-"); ok && after != "" && strings.Trim(after, "0123456789") == "" {
		return before
	}
	if name := strings.TrimRightFunc(stem, unicode.IsDigit); name != "" {
		return name
	}
	return stem // all digits: an admission number
}

// known says whether it is known if two faces are of one person or of two.
func known(a, b LabelledFace, photographsOf map[string]int) bool {
	switch {
	case a.Subject == b.Subject || a.Photograph == b.Photograph:
		return true
	case a.Group && b.Group:
		return false
	case a.Group:
		return photographsOf[b.Subject] > 1
	case b.Group:
		return photographsOf[a.Subject] > 1
	}
	return true
}

// voice restricts a face to some describers.
type voice struct {
	name       string
	describers []face.Describer
}

func voices() []voice {
	return []voice{
		{"go-face alone", []face.Describer{face.DlibResNet}},
		{"MobileFaceNet alone", []face.Describer{face.MobileFaceNet}},
		{"fused", []face.Describer{face.DlibResNet, face.MobileFaceNet}},
	}
}

func (v voice) score(a, b face.Templates) (float64, bool) {
	return gallery.Score(v.only(a), v.only(b))
}

func (v voice) only(t face.Templates) face.Templates {
	o := face.Templates{}
	for _, d := range v.describers {
		if x, ok := t[d]; ok {
			o[d] = x
		}
	}
	return o
}
