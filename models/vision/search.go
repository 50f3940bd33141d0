package vision

import (
	"context"
	"image"
	"image/color"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"github.com/consentry/consentry/internal/face"
)

const (
	crowdSure = 0.6  // score from which on a small face counts towards a crowd
	crowdFace = 20.0 // pixels of the finest level: what counts as small
)

// pyramid is a part of a picture at several scales, finest first.
type pyramid struct {
	part   image.Rectangle // of the picture
	plan   []level
	levels []scaledPicture
}

// scaledPicture is a part of a picture at one scale, with a margin on all sides in which the picture
// is mirrored: a face that the picture's edge cuts in half is made whole and found.
type scaledPicture struct {
	mat    gocv.Mat
	part   image.Rectangle // of the picture that is shown
	size   image.Point     // of the level without its margin, pixels
	margin int             // pixels
}

func buildPyramid(img gocv.Mat, part image.Rectangle, plan []level) *pyramid {
	p := &pyramid{part: part, plan: plan}
	src := img.Region(part)
	defer src.Close() //nolint:errcheck // frees memory only
	small := gocv.NewMat()
	defer small.Close() //nolint:errcheck // frees memory only
	for i, l := range plan {
		size := image.Pt(scaled(part.Dx(), l.scale), scaled(part.Dy(), l.scale))
		if i == 0 {
			resample(src, &small, size)
		} else {
			next := gocv.NewMat()
			resample(small, &next, size)
			small.Close() //nolint:errcheck,gosec // frees memory only
			small = next
		}
		p.levels = append(p.levels, withMargin(small, part, size))
	}
	return p
}

// withMargin copies a level and mirrors the picture around it.
func withMargin(small gocv.Mat, part image.Rectangle, size image.Point) scaledPicture {
	s := scaledPicture{mat: gocv.NewMat(), part: part, size: size, margin: min(mirrored, size.X-1, size.Y-1)}
	m := s.margin
	gocv.CopyMakeBorder(small, &s.mat, m, m, m, m, gocv.BorderReflect101, color.RGBA{})
	return s
}

func (p *pyramid) close() {
	for i := range p.levels {
		p.levels[i].mat.Close() //nolint:errcheck,gosec // frees memory only
	}
}

// scale is that of the level against the picture, across and down.
func (s scaledPicture) scale() (x, y float64) {
	return float64(s.size.X) / float64(s.part.Dx()), float64(s.size.Y) / float64(s.part.Dy())
}

// toPicture takes a box of the level to the picture.
func (s scaledPicture) toPicture(b face.Box) face.Box {
	sx, sy := s.scale()
	m := float64(s.margin)
	return face.Box{
		X: float64(s.part.Min.X) + (b.X-m)/sx, Y: float64(s.part.Min.Y) + (b.Y-m)/sy,
		W: b.W / sx, H: b.H / sy,
	}
}

// fromPicture takes a box of the picture to the level.
func (s scaledPicture) fromPicture(b face.Box) face.Box {
	sx, sy := s.scale()
	m := float64(s.margin)
	return face.Box{
		X: (b.X-float64(s.part.Min.X))*sx + m, Y: (b.Y-float64(s.part.Min.Y))*sy + m,
		W: b.W * sx, H: b.H * sy,
	}
}

// shownAt is the coarsest level on which the box is at least so many pixels large, or the finest.
func (p *pyramid) shownAt(b face.Box, pixels float64) scaledPicture {
	for i := len(p.levels) - 1; i > 0; i-- {
		if p.levels[i].fromPicture(b).Size() >= pixels {
			return p.levels[i]
		}
	}
	return p.levels[0]
}

// resample resizes; what is at most half as large is averaged.
func resample(src gocv.Mat, dst *gocv.Mat, size image.Point) {
	how := gocv.InterpolationLinear
	if 2*size.X <= src.Cols()+1 {
		how = gocv.InterpolationArea
	}
	gocv.Resize(src, dst, size, 0, 0, how)
}

// search runs the detector over a pyramid: every box, duplicates included, in coordinates of the
// picture. A crowd is searched at one finer level too. It says what the finest scale was.
func (f *Finder) search(ctx context.Context, img gocv.Mat, p *pyramid) (all []face.Face, finest float64, err error) {
	for _, l := range p.levels {
		found, err := f.searchLevel(ctx, l)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, found...)
	}
	finest = p.plan[0].scale
	finer := math.Min(2*finest, f.options.Enlarge)
	if finer <= finest || !f.crowded(all, finest) {
		return all, finest, nil
	}
	more := buildPyramid(img, p.part, []level{{scale: finer}})
	defer more.close()
	found, err := f.searchLevel(ctx, more.levels[0])
	return append(all, found...), finer, err
}

// crowded says whether there are many faces so small that more and smaller ones are likely.
func (f *Finder) crowded(found []face.Face, scale float64) bool {
	sure := slices.DeleteFunc(slices.Clone(found), func(c face.Face) bool {
		return c.Score < crowdSure || c.Box.Size()*scale >= crowdFace
	})
	return len(mergeDuplicates(sure)) >= f.options.Crowd
}

// searchLevel runs the detector over the tiles of one level. Boxes whose centre lies beyond the
// picture are its mirror images and dropped, and so are those too small to matter.
func (f *Finder) searchLevel(ctx context.Context, s scaledPicture) ([]face.Face, error) {
	var all []face.Face
	for _, t := range planTiles(image.Pt(s.mat.Cols(), s.mat.Rows()), f.options.Tile) {
		if err := ctx.Err(); err != nil {
			return nil, err //nolint:wrapcheck // the context's own error is what callers look for
		}
		view := s.mat.Region(t.area)
		found, err := f.detector.detect(view, f.options.Candidate)
		view.Close() //nolint:errcheck,gosec // frees memory only
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			c.Box.X += float64(t.area.Min.X)
			c.Box.Y += float64(t.area.Min.Y)
			if p := c.Box.Centre(); !t.owns(p.X, p.Y) {
				continue
			}
			c.Box = s.toPicture(c.Box)
			if c.Box.Size() >= f.options.Least && holds(s.part, c.Box.Centre()) {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

func holds(r image.Rectangle, p face.Point) bool {
	return p.X >= float64(r.Min.X) && p.X < float64(r.Max.X) && p.Y >= float64(r.Min.Y) && p.Y < float64(r.Max.Y)
}

// settle makes faces of candidates: duplicates merged, doubtful ones looked at again, parts of
// faces dropped, landmarks fitted, and one face kept of each head.
func (f *Finder) settle(ctx context.Context, img gocv.Mat, p *pyramid, raw []face.Face, finest float64) ([]face.Face, error) {
	var found []face.Face
	for _, c := range mergeDuplicates(raw) {
		if err := ctx.Err(); err != nil {
			return nil, err //nolint:wrapcheck // the context's own error is what callers look for
		}
		x, err := f.judge(img, p, c, finest)
		if err != nil {
			return nil, err
		}
		if x.Score >= f.options.Threshold {
			found = append(found, x)
		}
	}
	found = dropParts(found)
	for i := range found {
		l, err := f.landmarks.fit(img, found[i].Box)
		if err != nil {
			return nil, err
		}
		found[i].Landmarks = l
	}
	return f.dropDoubles(img, found, finest)
}
