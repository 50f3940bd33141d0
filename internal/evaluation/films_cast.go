package evaluation

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/evaluation/footage"
	"github.com/consentry/consentry/internal/face"
)

// Troupe are the people that made films show, and what could be enrolled of them.
type Troupe struct {
	Cast       footage.Cast
	References []Enrolment
}

// Enrolment is what is known of a person before the film is looked at.
type Enrolment struct {
	Person    string // as in the truth; no name
	Templates face.Templates
	Another   bool // of a photograph that is not in the films; else of a still that the films are made of
}

// GroupTroupe makes films' stills of a folder of group photographs: whole, with every face marked, and each head by itself. Each
// pair of same names two faces that are one person. The detector has a say in where faces are. References are of the same stills: there are no others.
func GroupTroupe(ctx context.Context, dir string, describe DescribeFile, detector Detector, same ...[2]FaceAt) (*Troupe, error) {
	t := &Troupe{}
	err := eachStill(ctx, dir, describe, detector, func(path string, picture *footage.Picture, faces []face.Face) {
		slices.SortFunc(faces, func(a, b face.Face) int { return cmp.Compare(a.Box.X, b.Box.X) })
		marks := make([]footage.Mark, len(faces))
		for i, f := range faces {
			marks[i] = footage.Mark{Person: personOf(FaceAt{filepath.Base(path), i}, same), Box: f.Box, Roll: f.Landmarks.Roll()}
			t.References = append(t.References, Enrolment{Person: marks[i].Person, Templates: f.Templates})
		}
		t.Cast.Add(picture, marks)
	})
	return t, err
}

// personOf names a face of a group by its place, or by that of the face that is the same person.
func personOf(at FaceAt, same [][2]FaceAt) string {
	for _, s := range same {
		if s[1] == at {
			return s[0].String()
		}
	}
	return at.String()
}

// SinglesTroupe makes films' stills of a folder as [LabelledFaces] reads it: of each photograph the main head. Of people with
// several photographs the one best for enrolling is kept out of the films and is the reference. Photographs of groups are left out.
func SinglesTroupe(ctx context.Context, dir string, describe DescribeFile, detector Detector) (*Troupe, error) {
	type shot struct {
		picture *footage.Picture
		face    face.Face
	}
	shots := map[string][]shot{}
	err := eachStill(ctx, dir, describe, detector, func(path string, picture *footage.Picture, faces []face.Face) {
		if len(faces) == 0 || isGroup(faces) {
			return
		}
		main := slices.MaxFunc(faces, func(a, b face.Face) int { return cmp.Compare(prominence(a), prominence(b)) })
		name := owner(dir, path)
		shots[name] = append(shots[name], shot{picture, main})
	})
	if err != nil {
		return nil, err
	}
	t := &Troupe{}
	for i, name := range sortedKeys(shots) {
		person, all := fmt.Sprintf("single#%d", i), shots[name]
		if len(all) > 1 {
			slices.SortStableFunc(all, func(a, b shot) int { return cmp.Compare(enrolling(b.face), enrolling(a.face)) })
			t.References = append(t.References, Enrolment{Person: person, Templates: all[0].face.Templates, Another: true})
			all = all[1:]
		}
		for _, s := range all {
			t.Cast.AddHead(s.picture, footage.Mark{Person: person, Box: s.face.Box, Roll: s.face.Landmarks.Roll()})
		}
	}
	return t, nil
}

// enrolling says how well a photograph serves as a reference: described by both, looking straight ahead.
func enrolling(f face.Face) float64 {
	return float64(len(f.Templates)) - math.Abs(f.Quality.Yaw) - math.Abs(f.Landmarks.Roll())
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// eachStill reads the photographs of a folder, and those of their faces that are large and sure.
func eachStill(ctx context.Context, dir string, describe DescribeFile, detector Detector, take func(string, *footage.Picture, []face.Face)) error {
	paths, err := photographs(dir)
	if err != nil {
		return err
	}
	for i, path := range paths {
		faces, err := describe(ctx, path)
		if err != nil {
			return fmt.Errorf("describing photograph %d: %w", i, err)
		}
		faces = large(faces)
		picture, err := readStill(path, detector, faces)
		if err != nil {
			return fmt.Errorf("reading photograph %d: %w", i, err)
		}
		take(path, picture, faces)
	}
	return nil
}

func readStill(path string, detector Detector, faces []face.Face) (*footage.Picture, error) {
	mat, err := readPicture(path)
	if err != nil {
		return nil, err
	}
	defer mat.Close() //nolint:errcheck // frees memory only
	if err := agree(mat, detector, faces); err != nil {
		return nil, err
	}
	img, err := mat.ToImage()
	if err != nil {
		return nil, fmt.Errorf("take its pixels: %w", err)
	}
	return footage.NewPicture(img), nil
}

// agree replaces the faces' boxes by the median of what a detector says at several sizes of the picture. At full size alone it is off by up
// to a third of the height: of the 22 faces of the samples six boxes took hair and neck in, and none of the medians does, as seen by eye.
func agree(picture gocv.Mat, detector Detector, faces []face.Face) error {
	seen := make([][]face.Box, len(faces))
	for i, f := range faces {
		seen[i] = []face.Box{f.Box}
	}
	largest := 0.0
	for _, f := range faces {
		largest = max(largest, f.Box.Size())
	}
	for _, size := range []float64{40, 60, 80, 110, 150, 200} { // pixels of the largest face
		if len(faces) == 0 || size > largest {
			break
		}
		found, err := detectAt(picture, size/largest, detector)
		if err != nil {
			return err
		}
		for i, f := range faces {
			for _, b := range found {
				if b.IoU(f.Box) >= sameFace {
					seen[i] = append(seen[i], b)
				}
			}
		}
	}
	for i := range faces {
		faces[i].Box = medianBox(seen[i])
	}
	return nil
}

// detectAt gives the boxes that are found in the picture at a scale, in the pixels of the whole one.
func detectAt(picture gocv.Mat, scale float64, detector Detector) ([]face.Box, error) {
	small := gocv.NewMat()
	defer small.Close() //nolint:errcheck // frees memory only
	gocv.Resize(picture, &small, image.Point{}, scale, scale, gocv.InterpolationArea)
	found, err := detector.Detect(small)
	if err != nil {
		return nil, fmt.Errorf("run the detector: %w", err)
	}
	boxes := make([]face.Box, len(found))
	for i, f := range found {
		boxes[i] = face.Box{X: f.Box.X / scale, Y: f.Box.Y / scale, W: f.Box.W / scale, H: f.Box.H / scale}
	}
	return boxes, nil
}

// medianBox has the median of each edge.
func medianBox(boxes []face.Box) face.Box {
	median := func(edge func(face.Box) float64) float64 {
		all := make([]float64, len(boxes))
		for i, b := range boxes {
			all[i] = edge(b)
		}
		slices.Sort(all)
		return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
	}
	left, top := median(func(b face.Box) float64 { return b.X }), median(func(b face.Box) float64 { return b.Y })
	right, bottom := median(func(b face.Box) float64 { return b.X + b.W }), median(func(b face.Box) float64 { return b.Y + b.H })
	return face.Box{X: left, Y: top, W: right - left, H: bottom - top}
}
