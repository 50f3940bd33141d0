package redact

import (
	"context"
	"errors"
	"path"
	"slices"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/pipeline"
)

// wanted is one derivative that the run has to account for.
type wanted struct {
	first      // what the input is
	input      intake.File
	order      int    // index into the run's orders
	key        string // of the result, see keyOf
	result     pipeline.Result
	settled    bool // the result is final
	found      bool // it is an earlier run's
	unreadable bool // the input could not be read
}

// name is the path of the derivative below the output folder, with slashes.
func (w *wanted) name() string { return path.Join(string(w.result.Purpose), w.input.Output) }

// batch is all that is wanted, in the order of the inputs.
type batch struct {
	items    []*wanted
	orders   []pipeline.Order
	problems []intake.Problem // inputs that did not even become items
	films    bool             // there are films among them
}

// keyOf is the digest of everything that the order's result for the asset depends on.
func keyOf(order pipeline.Order, digest string, film bool) string {
	if film {
		return order.FilmKey(digest)
	}
	return order.Key(digest)
}

// newBatch reads every input once to learn its digest and what it is. An input that cannot be read
// is settled at once; the rest goes on. It is a *SetupError where there are films and no ffmpeg.
func newBatch(ctx context.Context, o Options, scan *intake.Batch, orders []pipeline.Order) (*batch, error) {
	b := &batch{orders: orders, problems: scan.Problems}
	for i := range scan.Files {
		file := &scan.Files[i]
		told := teller{}
		if file.Size >= largeFile {
			told = teller{progress: o.Progress, name: intake.Display(file.Rel)}
		}
		told.step("reading it")
		seen, err := look(ctx, *file, o)
		told.end()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if seen.film && !b.films {
			b.films = true
			if err := checkFFmpeg(); err != nil {
				return nil, err
			}
		}
		file.Output = outputName(*file, seen)
		for n := range orders {
			b.items = append(b.items, newWanted(*file, n, orders[n], seen, err))
		}
	}
	b.partCollisions(scan.Files)
	return b, nil
}

// largeFile is from where on the user is told that a file is being read: a second's worth on a slow disk.
const largeFile = 100 << 20

// outputName is File.Output, now that it is known what the file is.
func outputName(file intake.File, seen first) string {
	switch {
	case seen.film:
		return media.FilmName(file.Rel)
	case seen.format != "":
		return media.DerivativeName(file.Rel, seen.format)
	}
	return file.Output
}

// partCollisions settles inputs that would be written over each other, now that their formats are
// known.
func (b *batch) partCollisions(files []intake.File) {
	colliding := intake.Collisions(files, intake.Options{})
	for _, w := range b.items {
		if message, bad := colliding[w.input.Path]; bad {
			w.unreadable = true
			w.fail(errors.New(message))
		}
	}
}

// newWanted is settled already where the input could not be looked at.
func newWanted(file intake.File, index int, order pipeline.Order, seen first, err error) *wanted {
	w := &wanted{first: seen, input: file, order: index}
	w.result.Purpose = order.Purpose
	if err != nil {
		w.unreadable = pipeline.KindOf(err) != pipeline.Reject
		w.fail(err)
		if !w.unreadable && !errors.As(err, new(*unfit)) {
			w.result.Reason = pipeline.ReasonFor(err)
		}
		return w
	}
	w.key = keyOf(order, seen.digest, seen.film)
	return w
}

// groups are the wanted derivatives that are not settled, by asset: one asset is one job, however
// often the same file lies in the batch.
type groups [][]*wanted

func (g groups) count() int {
	n := 0
	for _, group := range g {
		n += len(group)
	}
	return n
}

// pending groups what is not settled, in the order of the inputs.
func (b *batch) pending() groups {
	var list groups
	index := map[string]int{}
	for _, w := range b.items {
		if w.settled {
			continue
		}
		i, ok := index[w.digest]
		if !ok {
			i = len(list)
			index[w.digest] = i
			list = append(list, nil)
		}
		list[i] = append(list[i], w)
	}
	return list
}

// apart tells the groups of photographs from those of films.
func (g groups) apart() (photographs, films groups) {
	for _, group := range g {
		if group[0].film {
			films = append(films, group)
		} else {
			photographs = append(photographs, group)
		}
	}
	return photographs, films
}

// of lists what is wanted of the asset.
func (b *batch) of(digest string) []*wanted {
	var group []*wanted
	for _, w := range b.items {
		if w.digest == digest {
			group = append(group, w)
		}
	}
	return group
}

// job is the job for a group: each result once.
func (b *batch) job(group []*wanted) (bus.Job, error) {
	var purposes, keys []string
	for _, w := range group {
		if !slices.Contains(keys, w.key) {
			keys = append(keys, w.key)
			purposes = append(purposes, string(b.orders[w.order].Purpose))
		}
	}
	kind := bus.KindImage
	if group[0].film {
		kind = bus.KindVideo
	}
	return newJob(kind, group[0].digest, purposes, keys)
}

// settle takes the job's result. A job that was given up does not know its purposes any more.
func (w *wanted) settle(r pipeline.Result) {
	r.Purpose = w.result.Purpose
	w.result, w.settled = r, true
}

// fail settles with an error that concerns this one derivative.
func (w *wanted) fail(err error) {
	w.settled = true
	w.result = pipeline.Result{
		Purpose: w.result.Purpose, Key: w.key, Outcome: pipeline.Failed, Reason: err.Error(),
	}
}

// interrupt withholds what was not reached.
func (b *batch) interrupt(reason string) {
	for _, w := range b.items {
		if !w.settled {
			w.settled = true
			w.result.Outcome, w.result.Key, w.result.Reason = pipeline.Withheld, w.key, reason
		}
	}
}
