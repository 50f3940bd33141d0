package pipeline

import (
	"context"
	"fmt"

	"github.com/consentry/consentry/internal/face"
)

// describe adds templates to the faces, unless no order would use them: where everyone is
// obscured nobody is compared with anybody, and what is not made cannot leak.
func (l *Line) describe(ctx context.Context, faces []face.Face, orders []Order) ([]face.Face, error) {
	if len(faces) == 0 || !compared(orders) {
		return faces, nil
	}
	l.Step("describe")
	described, err := l.Vision.Describe(ctx, faces)
	if err != nil {
		return nil, fmt.Errorf("describing faces: %w", err)
	}
	if len(described) != len(faces) {
		return nil, fmt.Errorf("describing faces: %d came back of %d", len(described), len(faces))
	}
	return described, nil
}

func compared(orders []Order) bool {
	for _, o := range orders {
		if o.Mode != Everyone {
			return true
		}
	}
	return false
}
