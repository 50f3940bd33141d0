package pipeline

import (
	"context"
	"crypto/ed25519"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
)

// Line is the line that assets travel along. One asset is on it at a time.
type Line struct {
	Vision Vision             // looks at pictures, in a process of its own
	Cinema Cinema             // looks at films, in a process of its own
	Key    ed25519.PrivateKey // signs clearances
	Now    func() time.Time   // the clock that clearances are dated by
	Step   func(step string)  // told before each step; it is the heartbeat of the job
	Told   func(Progress)     // told how far the work on a film is; it is the heartbeat between steps. May be nil

	// Watched is given what was seen of a film, without templates, before anything is made of it; an error ends the
	// attempt. May be nil.
	Watched func(asset string, seen Watched) error
	// ResultBytes is how much the results of one film may take up, all orders together, packed by [Pack] and in base64, before
	// pictures are left out. 0 is DefaultResultBytes.
	ResultBytes int
}

// photograph is what is known of the asset once it has been looked at.
type photograph struct {
	asset Asset
	info  media.Info
	faces []face.Face
}

// Photograph takes one photograph the whole way, once for each order: it is looked at once and
// redacted for each purpose. An error concerns the asset and so all orders; [KindOf] says what is
// to be done about it. A result that needs a person is no error, but has the outcome Withheld.
func (l *Line) Photograph(ctx context.Context, asset Asset, orders []Order) ([]Result, error) {
	info, err := l.decode(ctx, asset)
	if err != nil {
		return nil, err
	}
	faces, err := l.find(ctx)
	if err != nil {
		return nil, err
	}
	faces, err = l.describe(ctx, faces, orders)
	if err != nil {
		return nil, err
	}
	photo := photograph{asset: asset, info: info, faces: withRuled(faces, rulingsOf(asset, orders))}
	results := make([]Result, len(orders))
	for i, order := range orders {
		if results[i], err = l.redact(ctx, photo, order); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// redact makes the derivative for one purpose.
func (l *Line) redact(ctx context.Context, photo photograph, order Order) (Result, error) {
	l.Step("match")
	matches := match(photo.asset.Digest, photo.faces, order)
	l.Step("decide")
	verdicts, err := decide(photo.asset.Digest, photo.faces, matches, order)
	if err != nil {
		return Result{}, err
	}
	result := newResult(photo, order, verdicts)
	if waiting := result.waiting(); waiting > 0 {
		return l.withhold(ctx, photo, result.withheld(countOf(waiting, "face needs", "faces need")+" a person's decision"))
	}
	derivative, err := l.obscure(ctx, &result, photo.faces, order.Style)
	if err != nil {
		return Result{}, err
	}
	l.Step("scrub")
	if err := scrubbed(derivative); err != nil {
		return Result{}, err
	}
	fault, err := l.inspect(ctx, derivative, photo, result, order)
	if err != nil {
		return Result{}, err
	}
	if fault != "" { // no picture either: it could show what the fault is about
		return result.withheld(fault), nil
	}
	if err := l.seal(&result, photo, derivative, order); err != nil {
		return Result{}, err
	}
	return l.release(ctx, result, derivative)
}

func newResult(photo photograph, order Order, verdicts []FaceResult) Result {
	return Result{
		Purpose: order.Purpose,
		Key:     order.Key(photo.asset.Digest),
		Width:   photo.info.Width,
		Height:  photo.info.Height,
		Faces:   verdicts,
	}
}

// waiting counts the faces that need a person's decision: all that are neither shown nor obscured.
func (r Result) waiting() int {
	n := 0
	for _, f := range r.Faces {
		if f.Outcome != consent.Show && f.Outcome != consent.Obscure {
			n++
		}
	}
	return n
}

// withheld is the result, withheld for the reason. No region has changed in a file that is not made.
func (r Result) withheld(reason string) Result {
	r.Outcome, r.Reason = Withheld, reason
	for i := range r.Faces {
		r.Faces[i].Region = nil
	}
	for i := range r.Tracks {
		r.Tracks[i].Region = nil
	}
	r.Remuxed = false
	return r
}

// rulingsOf are those on the asset; the orders of one job share them.
func rulingsOf(asset Asset, orders []Order) []Ruling {
	if len(orders) == 0 {
		return nil
	}
	return orders[0].Rulings[asset.Digest]
}
