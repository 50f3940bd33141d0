package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/track"
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
		if results[i], err = l.redactFilm(ctx, &plan, i, asset, order); err != nil {
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
	p := plan{
		Asset: asset.Digest, Keys: filmKeys(asset.Digest, orders),
		Added: make([][]track.Track, len(orders)), Rounds: make([]int, len(orders)),
	}
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

// redactFilm makes the derivative for one purpose. Where a face can be seen in it that must not be, more is obscured and it is
// made again.
func (l *Line) redactFilm(ctx context.Context, p *plan, number int, asset Asset, order Order) (Result, error) {
	for {
		t := p.take(number, asset, order)
		result := newFilmResult(t, p.Verdicts[number])
		if why := waiting(result.Tracks); why != "" {
			return l.withholdFilm(ctx, t, result.withheld(why))
		}
		file, found, err := l.makeFilm(ctx, t, &result)
		switch {
		case err != nil:
			return Result{}, err
		case found.words == "":
			return l.letGo(t, result, file, found.pictures)
		case len(found.faces) == 0 || t.round >= mostRounds: // no picture either: it could show what the fault is about
			return result.withheld(found.words), nil
		}
		if err := l.obscureMore(p, t, found.faces); err != nil {
			return Result{}, err
		}
	}
}

// makeFilm renders the film once and says what is wrong with it then.
func (l *Line) makeFilm(ctx context.Context, t take, result *Result) (finished, fault, error) {
	file, err := l.render(ctx, result, t)
	if err != nil {
		return finished{}, fault{}, err
	}
	if err := l.scrubFilm(file); err != nil {
		return finished{}, fault{}, err
	}
	found, err := l.screen(ctx, t, *result)
	return file, found, err
}

// letGo releases a film with which nothing is wrong, unless a person has wanted something obscured that even the finished film did not
// show: only then is it certain that it is not found. There is no picture then, as one of the original could show it.
func (l *Line) letGo(t take, result Result, file finished, pictures [][]byte) (Result, error) {
	if lost := t.lostRulings(result.Tracks); len(lost) > 0 {
		return result.withheld("a person decided that a face is obscured which is not found there any more: " + listed(lost)), nil
	}
	if err := l.sealFilm(&result, file, t); err != nil {
		return Result{}, err
	}
	return l.releaseFilm(result, t, pictures)
}

// take is one way of an order through a film.
type take struct {
	asset  Asset
	order  Order
	seen   Watched // without templates, with what earlier rounds added
	number int     // of the order, from 0
	round  int     // from 0
	pass   int     // number of the pass in which it is rendered; it is screened in the next
	passes int
}

// take is the next way of the order with this number.
func (p *plan) take(number int, asset Asset, order Order) take {
	before, all := number, len(p.Keys) // how often films were rendered before, and are in all, as far as is known
	for i, rounds := range p.Rounds {
		all += rounds
		if i <= number {
			before += rounds
		}
	}
	return take{
		asset: asset, order: order, seen: p.seen(number), number: number, round: p.Rounds[number],
		pass: 2 + 2*before, passes: passes(all),
	}
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
		Tracks:  slices.Clone(verdicts), // those of the plan stay as they are
	}
}

// waiting says what needs a person's decision before anything is made; "" where nothing does.
func waiting(verdicts []TrackResult) string {
	var moments []string
	for _, v := range verdicts {
		if v.waits() {
			moments = append(moments, interval(v.From, v.To))
		}
	}
	if len(moments) == 0 {
		return ""
	}
	return countOf(len(moments), "face needs", "faces need") + " a person's decision: " + listed(moments)
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
