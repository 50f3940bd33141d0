package pipeline

import (
	"context"
	"fmt"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/obscure"
)

// obscure makes the finished file and notes in the result what changed for which face.
// Whatever is not to be shown is obscured: an outcome that nobody knows too.
func (l *Line) obscure(ctx context.Context, result *Result, faces []face.Face, style obscure.Style) (Derivative, error) {
	l.Step("obscure")
	var regions []face.Region
	var hidden []int
	for i, f := range faces {
		if result.Faces[i].Outcome != consent.Show {
			regions = append(regions, face.HeadRegion(f))
			hidden = append(hidden, i)
		}
	}
	derivative, err := l.Vision.Obscure(ctx, regions, style)
	if err != nil {
		return Derivative{}, fmt.Errorf("obscuring: %w", err)
	}
	if len(derivative.Changed) != len(regions) {
		return Derivative{}, fmt.Errorf("obscuring: %d regions changed of %d", len(derivative.Changed), len(regions))
	}
	for n, i := range hidden {
		result.Faces[i].Region = &derivative.Changed[n]
	}
	return derivative, nil
}
