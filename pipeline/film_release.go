package pipeline

import (
	"context"
	"fmt"
)

// releaseFilm marks the result as released, with pictures cut out of the finished film when it was screened. The worker commits it; until
// then nobody sees it.
func (l *Line) releaseFilm(result Result, t take, pictures [][]byte) (Result, error) {
	l.Step("release")
	if err := result.takeAll(t.finishedStrips(result.Tracks), pictures); err != nil {
		return Result{}, fmt.Errorf("making the contact sheet's pictures: %w", err)
	}
	result.Outcome = Released
	result.DerivativePath = t.rendering(result.Tracks).Out
	return result, nil
}

// withholdFilm gives a withheld result pictures out of the original, in which every face that was found is obscured: but
// for that of a track that waits for a person, who has to see whom to decide about.
func (l *Line) withholdFilm(ctx context.Context, t take, result Result) (Result, error) {
	l.Step("withhold")
	if err := l.photographs(ctx, &result, t.asset.Path, t.strips(result.Tracks)); err != nil {
		return Result{}, fmt.Errorf("making safe pictures of what is withheld: %w", err)
	}
	return result, nil
}
