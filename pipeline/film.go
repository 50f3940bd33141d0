package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/consentry/consentry/internal/consent"
)

// Film takes one film the whole way, once for each order: it is watched once, and rendered for each purpose. Errors
// and results are as those of [Line.Photograph]. A job that was broken off goes on where it was, as far as its scratch
// folder knows.
func (l *Line) Film(ctx context.Context, asset Asset, orders []Order) ([]Result, error) {
	options, err := together(orders)
	if err != nil {
		return nil, err
	}
	plan, found := l.planned(asset, orders)
	if !found {
		if plan, err = l.planAnew(ctx, asset, options, orders); err != nil {
			return nil, err
		}
	}
	if l.Watched != nil {
		if err := l.Watched(asset.Digest, plan.Watched); err != nil {
			return nil, err
		}
	}
	results := make([]Result, len(orders))
	for i, order := range orders {
		if results[i], err = l.redactFilm(ctx, plan.take(i, asset, order, len(orders)), plan.Verdicts[i]); err != nil {
			return nil, err
		}
	}
	return fitting(results, l.ResultBytes), nil
}

// planAnew watches the film, says what becomes of every track for each order, and writes that down: all that
// takes a face to be compared with others is done then, and templates are forgotten.
func (l *Line) planAnew(ctx context.Context, asset Asset, options FilmOptions, orders []Order) (plan, error) {
	if err := emptied(asset); err != nil {
		return plan{}, err
	}
	watched, err := l.watch(ctx, asset, options, orders)
	if err != nil {
		return plan{}, err
	}
	p := plan{Asset: asset.Digest, Keys: filmKeys(asset.Digest, orders)}
	for _, order := range orders {
		told := order.Rulings.onTracks(asset.Digest, watched)
		l.Step("match")
		who := l.identify(watched, told, order)
		l.Step("decide")
		p.Verdicts = append(p.Verdicts, decideTracks(watched, told, who, order))
	}
	p.Watched = withoutTemplates(watched)
	return p, l.keep(p, asset)
}

// redactFilm makes the derivative for one purpose.
func (l *Line) redactFilm(ctx context.Context, t take, verdicts []TrackResult) (Result, error) {
	result := newFilmResult(t, verdicts)
	if why := t.waiting(verdicts); why != "" {
		return l.withholdFilm(ctx, t, result.withheld(why))
	}
	file, err := l.render(ctx, &result, t)
	if err != nil {
		return Result{}, err
	}
	if err := l.scrubFilm(file); err != nil {
		return Result{}, err
	}
	fault, err := l.screen(ctx, t, result)
	if err != nil {
		return Result{}, err
	}
	if fault != "" { // no picture either: it could show what the fault is about
		return result.withheld(fault), nil
	}
	if err := l.sealFilm(&result, file, t); err != nil {
		return Result{}, err
	}
	return l.releaseFilm(ctx, result, t)
}

// take is one order's way through a film.
type take struct {
	asset  Asset
	order  Order
	seen   Watched // without templates
	number int     // of the order, from 0
	orders int     // how many there are
}

func (p *plan) take(number int, asset Asset, order Order, orders int) take {
	return take{asset: asset, order: order, seen: p.Watched, number: number, orders: orders}
}

func (t *take) film() Film { return Film{Path: t.asset.Path, Part: t.order.Film.Part} }

func newFilmResult(t take, verdicts []TrackResult) Result {
	times := t.seen.Times
	return Result{
		Purpose: t.order.Purpose,
		Key:     t.order.FilmKey(t.asset.Digest),
		Width:   t.seen.Info.Width,
		Height:  t.seen.Info.Height,
		Faces:   []FaceResult{},
		Film:    true,
		Frames:  len(times),
		Seconds: (times[len(times)-1] - times[0]).Seconds(),
		Tracks:  verdicts,
	}
}

// waiting says what needs a person's decision before anything is made; "" where nothing does.
func (t *take) waiting(verdicts []TrackResult) string {
	var moments []string
	for _, v := range verdicts {
		if v.waits() {
			moments = append(moments, clock(v.From)+"–"+clock(v.To))
		}
	}
	if len(moments) > 0 {
		return countOf(len(moments), "face needs", "faces need") + " a person's decision: " + listed(moments)
	}
	if lost := t.lostRulings(verdicts); len(lost) > 0 {
		return "a person decided that a face is obscured which is not found there any more: " + listed(lost)
	}
	return ""
}

// waits says that the track needs a person's decision: it is neither shown nor obscured.
func (v *TrackResult) waits() bool {
	return v.Outcome != consent.Show && v.Outcome != consent.Obscure
}

// together are the options that all orders of a film have in common: it is watched once for all.
func together(orders []Order) (FilmOptions, error) {
	if len(orders) == 0 {
		return FilmOptions{}, errors.New("a film without orders")
	}
	first := orders[0].Film
	for _, o := range orders {
		if o.Film.Part != first.Part || o.Film.Every != first.Every {
			return FilmOptions{}, fmt.Errorf("the orders for %s and %s are for different parts of the film", orders[0].Purpose, o.Purpose)
		}
	}
	return first, nil
}

func filmKeys(asset string, orders []Order) []string {
	keys := make([]string, len(orders))
	for i, o := range orders {
		keys[i] = o.FilmKey(asset)
	}
	return keys
}
