package register

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

// cleanUpTime bounds the erasing after a change. It goes on where the caller was told to stop, since
// a change without it leaves on the disk what was withdrawn.
const cleanUpTime = 2 * time.Minute

// draft is a change on its way: the next head and the pages that it brings.
type draft struct {
	base  *snapshot
	next  *consent.Register
	head  head
	pages map[int][]byte // what to store, by number; the keys are in head
}

// commit makes next the register, if it still is the one of base. Where nothing differs, nothing is
// written and base is the answer. With ErrNotErased comes the new snapshot, with all others none.
func (s *Store) commit(ctx context.Context, base *snapshot, next *consent.Register) (*snapshot, error) {
	differ := base.register.Differences(next)
	if len(differ) == 0 {
		return base, nil
	}
	base, err := s.begin(ctx, base)
	if err != nil {
		return nil, err
	}
	d, err := newDraft(base, next, differ)
	if err != nil {
		return nil, err
	}
	if err := s.writePages(ctx, d); err != nil {
		return nil, errors.Join(err, s.discard(ctx, d, &base.head))
	}
	revision, err := s.writeHead(ctx, d)
	if err != nil {
		return nil, err
	}
	snap := &snapshot{head: d.head, revision: revision, register: d.next}
	s.keep(snap)
	if err := s.sweep(ctx, snap); err != nil {
		return snap, fmt.Errorf("%w (%w)", ErrNotErased, err)
	}
	return snap, nil
}

// begin writes the head of an empty register where there is none. From then on pages without a head
// mean that the head was lost.
func (s *Store) begin(ctx context.Context, base *snapshot) (*snapshot, error) {
	if base.revision > 0 {
		return base, nil
	}
	empty := head{}
	data, err := empty.encode()
	if err != nil {
		return nil, err
	}
	revision, err := s.bucket.Create(ctx, headKey, data)
	if errors.Is(err, bus.ErrConflict) {
		return nil, ErrConflict
	}
	return &snapshot{revision: revision, register: base.register}, err
}

// newDraft makes the pages of all subjects that differ. Nothing is written yet, so that a page that
// is too large costs nothing.
func newDraft(base *snapshot, next *consent.Register, differ []string) (*draft, error) {
	next, err := next.With(base.head.revision+1, nil, nil)
	if err != nil {
		return nil, err
	}
	d := &draft{base: base, next: next, head: base.head, pages: make(map[int][]byte)}
	d.head.revision++
	touched := make(map[int]bool)
	for _, id := range differ {
		touched[pageOf(id)] = true
	}
	ids := members(next, func(p int) bool { return touched[p] })
	values := make([][]byte, pageCount)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for p := range touched {
		g.Go(func() (err error) {
			values[p], d.head.pages[p], err = pageFor(next, p, ids[p])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for p, value := range values {
		if value != nil {
			d.pages[p] = value
		}
	}
	return d, nil
}

// pageFor is the page with these subjects, under a new key; nothing where there are none.
func pageFor(reg *consent.Register, number int, ids []string) ([]byte, ref, error) {
	if len(ids) == 0 {
		return nil, ref{}, nil
	}
	entries := make([]consent.Entry, len(ids))
	for i, id := range ids {
		entries[i], _ = reg.Entry(id) // the register lists it
	}
	value, r, err := encodePage(number, entries)
	if err != nil {
		return nil, ref{}, err
	}
	r.Key = newKey(number)
	return value, r, nil
}

func (s *Store) writePages(ctx context.Context, d *draft) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for p, value := range d.pages {
		g.Go(func() error {
			_, err := s.bucket.Create(ctx, d.head.pages[p].Key, value)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("write the pages of the register; nothing was taken: %w", err)
	}
	return nil
}

// writeHead is the change itself. It waits for the server's word even where the caller is told to
// stop, and asks again where that word was lost.
func (s *Store) writeHead(ctx context.Context, d *draft) (uint64, error) {
	data, err := d.head.encode()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return 0, errors.Join(err, s.discard(ctx, d, &d.base.head))
	}
	ctx = context.WithoutCancel(ctx) // the bus bounds each request
	revision, err := s.bucket.Update(ctx, headKey, data, d.base.revision)
	if err == nil {
		return revision, nil
	}
	now, look := s.bucket.Get(ctx, headKey)
	if look != nil {
		return 0, fmt.Errorf("%w (%w; %w)", ErrUnknown, err, look)
	}
	if bytes.Equal(now.Value, data) {
		return now.Revision, nil
	}
	if !errors.Is(err, bus.ErrConflict) && !errors.Is(err, bus.ErrFull) && !errors.Is(err, bus.ErrInvalid) {
		return 0, fmt.Errorf("%w (%w)", ErrUnknown, err) // it may still come, and the pages with it
	}
	return 0, s.refused(ctx, d, now.Value, err)
}

// refused is for a head that was not taken: what was written for it is erased.
func (s *Store) refused(ctx context.Context, d *draft, now []byte, err error) error {
	h, look := parseHead(now)
	if look != nil {
		return damaged(look)
	}
	if errors.Is(err, bus.ErrConflict) {
		err = ErrConflict
	}
	return errors.Join(err, s.discard(ctx, d, h))
}

// discard erases the pages of a change that was not taken. (Those that the present head names stay:
// a change that was taken after all is then not destroyed.)
func (s *Store) discard(ctx context.Context, d *draft, present *head) error {
	var keys []string
	for p := range d.pages {
		if key := d.head.pages[p].Key; !present.names(key) {
			keys = append(keys, key)
		}
	}
	return s.eraseAll(ctx, keys)
}

// sweep erases every page that the register no longer has and that nobody can bring into it: those
// written before its head. A writer reads the head first, then writes its pages, and then replaces
// the head that it has read; so a page that is older than the present head and not named by it
// belongs to one that is bound to be refused, to a killed one, or to the past. This needs no clocks.
func (s *Store) sweep(ctx context.Context, snap *snapshot) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	list, err := s.bucket.List(ctx)
	if err != nil {
		return err
	}
	named := make(map[string]bool)
	for _, p := range snap.head.pages {
		named[p.Key] = true
	}
	var keys []string
	for _, r := range list {
		if strings.HasPrefix(r.Key, pagePrefix) && !named[r.Key] && r.Revision < snap.revision {
			keys = append(keys, r.Key)
		}
	}
	return s.eraseAll(ctx, keys)
}

func (s *Store) eraseAll(ctx context.Context, keys []string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, key := range keys {
		g.Go(func() error { return s.bucket.Erase(ctx, key) })
	}
	return g.Wait()
}
