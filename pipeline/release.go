package pipeline

import (
	"context"
	"fmt"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/obscure"
)

// release marks the result as released. The worker commits it; until then nobody sees it.
func (l *Line) release(ctx context.Context, result Result, derivative Derivative) (Result, error) {
	l.Step("release")
	thumbnail, err := l.Vision.Thumbnail(ctx, derivative.Data)
	if err != nil {
		return Result{}, fmt.Errorf("making the contact sheet's picture: %w", err)
	}
	result.Outcome = Released
	result.Derivative = derivative.Data
	result.Thumbnail = thumbnail
	return result, nil
}

// withhold gives a withheld result a picture for the contact sheet, in which every face that was
// found is obscured.
func (l *Line) withhold(ctx context.Context, photo photograph, result Result) (Result, error) {
	l.Step("withhold")
	regions := make([]face.Region, len(photo.faces))
	for i, f := range photo.faces {
		regions[i] = face.HeadRegion(f)
	}
	safe, err := l.Vision.Obscure(ctx, regions, obscure.SecureBlur)
	if err != nil {
		return Result{}, fmt.Errorf("making a safe picture of what is withheld: %w", err)
	}
	if result.Thumbnail, err = l.Vision.Thumbnail(ctx, safe.Data); err != nil {
		return Result{}, fmt.Errorf("making a safe picture of what is withheld: %w", err)
	}
	return result, nil
}
