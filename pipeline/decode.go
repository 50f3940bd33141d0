package pipeline

import (
	"context"
	"fmt"

	"github.com/consentry/consentry/internal/media"
)

func (l *Line) decode(ctx context.Context, asset Asset) (media.Info, error) {
	l.Step("decode")
	info, err := l.Vision.Decode(ctx, asset.Data)
	if err != nil {
		return media.Info{}, fmt.Errorf("decoding: %w", err)
	}
	return info, nil
}
