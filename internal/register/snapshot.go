package register

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/internal/consent"
)

const (
	// loadTries is how often a head is read that does not fit the pages, because a writer has just
	// replaced it or because a member of the cluster lags behind. The pauses add up to two seconds.
	loadTries = 20
	loadPause = 10 * time.Millisecond // longer by as much with each try
	// atOnce is how many pages are under way to or from the server.
	atOnce = 8
)

// errMoved says that head and pages do not belong together yet, or not any more.
var errMoved = errors.New("it does not fit the pages that are there")

// snapshot is the register at one revision of the head. It never changes.
type snapshot struct {
	head     head
	revision uint64 // of the head in the bucket; 0 where there is none
	register *consent.Register
}

// entriesByKey are pages that were read, by key. What is under a key never changes.
type entriesByKey map[string][]consent.Entry

// load reads the register, where the head has at least the given revision in the bucket.
func (s *Store) load(ctx context.Context, atLeast uint64) (*snapshot, error) {
	read := make(entriesByKey) // kept from try to try, so that a busy writer cannot hold a reader up
	var err error
	for try := range loadTries {
		if err := pause(ctx, time.Duration(try)*loadPause); err != nil {
			return nil, fmt.Errorf("read the register: %w", err)
		}
		var snap *snapshot
		if snap, err = s.loadOnce(ctx, atLeast, read); err == nil {
			s.keep(snap)
			return snap, nil
		}
		if !errors.Is(err, errMoved) {
			return nil, fmt.Errorf("read the register: %w", err)
		}
	}
	return nil, fmt.Errorf("read the register: %w", damaged(err))
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (s *Store) loadOnce(ctx context.Context, atLeast uint64, read entriesByKey) (*snapshot, error) {
	r, err := s.bucket.Get(ctx, headKey)
	if errors.Is(err, bus.ErrNotFound) {
		return s.loadNone(ctx, atLeast)
	}
	if err != nil {
		return nil, err
	}
	if r.Revision < atLeast {
		return nil, fmt.Errorf("head: %w", errMoved)
	}
	from := s.known()
	if from == nil {
		from = &snapshot{}
	}
	if from.revision == r.Revision {
		return from, nil
	}
	h, err := parseHead(r.Value)
	if err != nil {
		return nil, damaged(err)
	}
	if err := s.fetch(ctx, from, h, read); err != nil {
		return nil, err
	}
	return from.advance(h, r.Revision, read)
}

// loadNone is the empty register, where really nothing is there: the head is written before any page.
func (s *Store) loadNone(ctx context.Context, atLeast uint64) (*snapshot, error) {
	if atLeast > 0 || s.known() != nil && s.known().revision > 0 {
		return nil, fmt.Errorf("the head is missing: %w", errMoved)
	}
	list, err := s.bucket.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if r.Key == headKey || strings.HasPrefix(r.Key, pagePrefix) {
			return nil, fmt.Errorf("the head is missing: %w", errMoved)
		}
	}
	empty, err := consent.NewRegister(0, nil, nil)
	return &snapshot{register: empty}, err
}

// fetch reads the pages of h that are not among those of the snapshot, nor read already.
func (s *Store) fetch(ctx context.Context, from *snapshot, h *head, read entriesByKey) error {
	var wanted []int
	for i, p := range h.pages {
		_, done := read[p.Key]
		if p.Key != "" && !done && p.Key != from.head.pages[i].Key {
			wanted = append(wanted, i)
		}
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, i := range wanted {
		g.Go(func() error {
			p := h.pages[i]
			entries, err := s.fetchPage(ctx, i, p)
			if err != nil {
				return fmt.Errorf("page %s: %w", pageNumber(i), err)
			}
			mu.Lock()
			defer mu.Unlock()
			read[p.Key] = entries
			return nil
		})
	}
	return g.Wait()
}

func (s *Store) fetchPage(ctx context.Context, number int, p ref) ([]consent.Entry, error) {
	r, err := s.bucket.Get(ctx, p.Key)
	if errors.Is(err, bus.ErrNotFound) {
		return nil, errMoved
	}
	if err != nil {
		return nil, err
	}
	entries, err := decodePage(number, p, r.Value)
	if err != nil {
		return nil, damaged(err)
	}
	return entries, nil
}

// advance gives the register of a newer head from this one and the pages that differ.
func (from *snapshot) advance(h *head, revision uint64, read entriesByKey) (*snapshot, error) {
	differs := func(i int) bool { return h.pages[i].Key != from.head.pages[i].Key }
	var changed []consent.Entry
	stays := make(map[string]bool)
	for i, p := range h.pages {
		if !differs(i) {
			if p != from.head.pages[i] {
				return nil, fmt.Errorf("page %s: %w (its digest has changed, and its key has not)", pageNumber(i), ErrDamaged)
			}
			continue
		}
		for _, e := range read[p.Key] {
			changed = append(changed, e)
			stays[e.Subject.AdmissionNumber] = true
		}
	}
	var removed []string
	for _, ids := range members(from.register, differs) {
		for _, id := range ids {
			if !stays[id] {
				removed = append(removed, id)
			}
		}
	}
	reg, err := from.register.With(h.revision, changed, removed)
	if err != nil {
		return nil, damaged(err)
	}
	return &snapshot{head: *h, revision: revision, register: reg}, nil
}
