package redact

import (
	"context"
	"errors"
	"sync"

	"github.com/consentry/consentry/internal/bus"
	"github.com/consentry/consentry/pipeline"
)

// errRulesChanged says that the register, the gallery or a person's decision has changed while the
// run was at work, so that results may come out otherwise.
var errRulesChanged = errors.New("what the run goes by has changed")

// watch tells session.dirty whenever somebody changes what the run goes by. It returns as soon as
// no change can be missed any more. With a server inside this process nobody else can change anything.
func (s *session) watch(ctx context.Context) {
	s.dirty = make(chan error, 1)
	if s.options.NATSURL == "" {
		return
	}
	var caughtUp sync.WaitGroup
	for _, b := range []*bus.Bucket{s.bus.Register(), s.bus.Gallery(), s.bus.Rulings()} {
		caughtUp.Add(1)
		s.watchers.Go(func() { s.watchBucket(ctx, b, sync.OnceFunc(caughtUp.Done)) })
	}
	caughtUp.Wait()
}

// watchBucket ends with the context, or tells of the error that ends it.
func (s *session) watchBucket(ctx context.Context, b *bus.Bucket, caughtUp func()) {
	defer caughtUp()
	now := false
	for change, err := range b.Watch(ctx) {
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.tell(err)
			return
		case change.CaughtUp:
			now = true
			caughtUp()
		case now:
			if b == s.bus.Gallery() {
				s.galleryChanged.Store(true)
			}
			s.tell(nil)
		}
	}
}

// tell leaves word, if none is waiting.
func (s *session) tell(err error) {
	select {
	case s.dirty <- err:
	default:
	}
}

// heed ends the run with errRulesChanged once results would come out otherwise.
func (s *session) heed(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.dirty:
			if err != nil {
				return err
			}
			err = s.stillHolds(ctx)
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it was told to stop
			}
			if err != nil {
				return err
			}
		}
	}
}

// stillHolds is asked at the end: word of the last change may still be on its way.
func (s *session) stillHolds(ctx context.Context) error {
	if s.options.NATSURL == "" {
		return nil
	}
	changed, err := s.changed(ctx)
	if err != nil || changed {
		return errors.Join(err, errRulesChanged)
	}
	return nil
}

// changed says whether the run would now go by other orders. What cannot be found out counts as a
// change.
func (s *session) changed(ctx context.Context) (bool, error) {
	o := s.options
	o.Progress = silent{}
	rules, err := readRules(ctx, o, s.policy, s.bus, s.register)
	if err != nil {
		return true, err
	}
	orders, err := s.source().settle(ctx, o, rules)
	if err != nil {
		return true, err
	}
	return !sameOrders(orders, s.batch), nil
}

// sameOrders compares the keys of every result wanted.
func sameOrders(orders []pipeline.Order, b *batch) bool {
	for _, w := range b.items {
		if w.key != "" && keyOf(orders[w.order], w.digest, w.film) != w.key {
			return false
		}
	}
	return true
}

// silent tells nobody anything.
type silent struct{}

func (silent) Enrolling(int, int)  {}
func (silent) Processing(int, int) {}
func (silent) Film(FilmProgress)   {}
func (silent) Note(string)         {}
