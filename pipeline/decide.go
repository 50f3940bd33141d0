package pipeline

import (
	"fmt"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// Rules that come from the way of working and not from a policy's clause.
const (
	RuleEveryone   = "mode-everyone"
	RuleNotCleared = "mode-cleared"
	RuleUnsure     = "unsure-match"
)

// decide gives every face its outcome for the order's purpose.
func decide(faces []face.Face, matches []gallery.Match, order Order) ([]FaceResult, error) {
	if len(matches) != len(faces) {
		return nil, fmt.Errorf("deciding: %d matches for %d faces", len(matches), len(faces))
	}
	verdicts := make([]FaceResult, len(faces))
	for i, f := range faces {
		verdicts[i] = order.Judge(f.Box, f.Score, matches[i])
	}
	return verdicts, nil
}

// Judge is what becomes of a face that matched so. It depends on the match alone, so that a result
// read back from a clearance is explained as it was at first.
func (o Order) Judge(box face.Box, score float64, m gallery.Match) FaceResult {
	d := o.decide(m)
	return FaceResult{Box: box, Score: score, Match: m, Outcome: d.Outcome, Rule: d.Rule, Reason: d.Text}
}

func (o Order) decide(m gallery.Match) consent.Decision {
	switch o.Mode {
	case Objectors:
		return o.decideObjector(m)
	case Cleared:
		return o.decideCleared(m)
	}
	return consent.Decision{Outcome: consent.Obscure, Rule: RuleEveryone, Text: "every face is obscured in this mode"}
}

func (o Order) decideObjector(m gallery.Match) consent.Decision {
	switch m.Band {
	case gallery.Confident:
		return consent.Decide(o.Policy, o.Register, m.Subject, o.Purpose, o.On)
	case gallery.None:
		return consent.UnknownFace(o.Policy, o.UnknownFace)
	}
	return consent.Decision{
		Outcome: consent.Review, Rule: RuleUnsure,
		Text: fmt.Sprintf("looks like %s, but not surely", m.Subject),
	}
}

func (o Order) decideCleared(m gallery.Match) consent.Decision {
	if m.Band == gallery.Confident {
		if d := consent.Decide(o.Policy, o.Register, m.Subject, o.Purpose, o.On); d.Outcome == consent.Show {
			return d
		}
	}
	return consent.Decision{
		Outcome: consent.Obscure, Rule: RuleNotCleared,
		Text: "not surely a pupil who may be shown",
	}
}
