package redact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"slices"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/pipeline"
)

// wanted is one derivative that the run has to account for.
type wanted struct {
	input      intake.File
	order      int    // index into the run's orders
	digest     string // SHA-256 of the input; empty where it could not be read
	key        string // of the result, see pipeline.Order.Key
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
}

// newBatch reads every input once to learn its digest and its format. An input that cannot be read
// is settled at once; the rest goes on.
func newBatch(ctx context.Context, o Options, scan *intake.Batch, orders []pipeline.Order) (*batch, error) {
	b := &batch{orders: orders, problems: scan.Problems}
	for i := range scan.Files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		file := &scan.Files[i]
		digest, format, err := look(*file, o.Limits)
		if format != "" {
			file.Output = media.DerivativeName(file.Rel, format)
		}
		for n := range orders {
			b.items = append(b.items, newWanted(*file, n, orders[n], digest, err))
		}
	}
	b.partCollisions(scan.Files)
	return b, nil
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
func newWanted(file intake.File, index int, order pipeline.Order, digest string, err error) *wanted {
	w := &wanted{input: file, order: index, digest: digest}
	w.result.Purpose = order.Purpose
	if err != nil {
		w.unreadable = pipeline.KindOf(err) != pipeline.Reject
		w.fail(err)
		if !w.unreadable {
			w.result.Reason = pipeline.ReasonFor(err)
		}
		return w
	}
	w.key = order.Key(digest)
	return w
}

// look reads a file's digest and, from its first bytes, its format; "" where it has none that we know.
func look(file intake.File, limits media.Limits) (digest string, format media.Format, err error) {
	f, err := file.Open()
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", "", err
	}
	if err := limits.CheckBytes(info.Size()); err != nil {
		return "", "", err
	}
	head := make([]byte, media.SniffBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", "", err
	}
	if format, err = media.Sniff(head[:n]); err != nil {
		format = "" // the worker says what is wrong with it
	}
	h := sha256.New()
	h.Write(head[:n])
	if _, err := io.Copy(h, f); err != nil {
		return "", "", err
	}
	return hex.EncodeToString(h.Sum(nil)), format, nil
}

// groups are the wanted derivatives that are not settled, by asset: one asset is one job, however
// often the same photograph lies in the batch.
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
	return newJob(group[0].digest, purposes, keys)
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
