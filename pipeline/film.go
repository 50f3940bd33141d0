package pipeline

import (
	"context"
	"errors"
)

// Film takes one film the whole way, once for each order: it is watched once, and rendered for each purpose. Errors
// and results are as those of [Line.Photograph].
func (l *Line) Film(ctx context.Context, asset Asset, orders []Order) ([]Result, error) {
	return nil, errors.New("films are not processed yet")
}
