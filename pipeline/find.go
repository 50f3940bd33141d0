package pipeline

import (
	"context"
	"fmt"

	"github.com/consentry/consentry/internal/face"
)

func (l *Line) find(ctx context.Context) ([]face.Face, error) {
	l.Step("find faces")
	faces, err := l.Vision.Find(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding faces: %w", err)
	}
	return faces, nil
}
