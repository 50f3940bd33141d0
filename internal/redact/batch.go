package redact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/intake"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/pipeline"
)

// wanted is one derivative that the run has to account for, in the order of the inputs.
type wanted struct {
	input   intake.File
	order   int // index into the run's orders
	digest  string
	key     string
	kind    media.Kind
	result  pipeline.Result
	name    string // path of the derivative below the output folder, slashes
	found   bool   // an earlier run's result serves
	settled bool   // the result is final
	problem string // the input could not be read
}

// batch is all that is wanted.
type batch struct {
	items  []*wanted
	orders []pipeline.Order
}

// newBatch reads every input once to learn its digest. An input that cannot be read is settled at
// once; the rest goes on.
func newBatch(ctx context.Context, o Options, scan *intake.Batch, orders []pipeline.Order) (*batch, error) {
	b := &batch{orders: orders}
	for _, file := range scan.Files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		digest, format, err := look(file.Path, o.Limits)
		for i := range orders {
			w := &wanted{input: file, order: i, digest: digest, kind: media.Image}
			w.name = derivativeName(orders[i], file.Rel, format)
			w.result = pipeline.Result{Purpose: orders[i].Purpose, Outcome: pipeline.Failed}
			b.items = append(b.items, w)
			if err != nil {
				w.refuse(err)
				continue
			}
			w.key = orders[i].Key(digest)
			if media.KindOfName(file.Rel) == media.Video {
				w.kind = media.Video
			}
		}
	}
	return b, nil
}

// refuse settles an input that cannot even be read.
func (w *wanted) refuse(err error) {
	w.settled = true
	w.result.Reason = err.Error()
	if pipeline.KindOf(err) != pipeline.Reject {
		w.problem = err.Error()
	}
}

// derivativeName is where the derivative lies below the output folder.
func derivativeName(o pipeline.Order, rel string, f media.Format) string {
	return filepath.ToSlash(filepath.Join(string(o.Purpose), media.DerivativeName(rel, f)))
}

// look reads a file's digest and, from its first bytes, its format; "" where it has none that we know.
func look(path string, limits media.Limits) (digest string, format media.Format, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", "", err
	}
	if info.Size() == 0 {
		return "", "", fmt.Errorf("the file is empty: %w", media.ErrDamaged)
	}
	if err := limits.CheckBytes(info.Size()); err != nil {
		return "", "", err
	}
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF {
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

// settle takes the job's result.
func (w *wanted) settle(r pipeline.Result) { w.result, w.settled = r, true }

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
