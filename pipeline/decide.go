package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
)

// Rules that come from the way of working and not from a policy's clause.
const (
	RuleEveryone   = "mode-everyone"
	RuleNotCleared = "mode-cleared"
	RuleUnsure     = "unsure-match"
	RuleLookalikes = "lookalikes"
	RulePerson     = "person-decided"
)

// decide gives every face its outcome for the order's purpose.
func decide(asset string, faces []face.Face, matches []gallery.Match, order Order) ([]FaceResult, error) {
	if len(matches) != len(faces) {
		return nil, fmt.Errorf("deciding: %d matches for %d faces", len(matches), len(faces))
	}
	verdicts := make([]FaceResult, len(faces))
	for i, f := range faces {
		verdicts[i] = order.Judge(asset, f.Box, f.Score, matches[i])
	}
	return verdicts, nil
}

// Judge is what becomes of a face of the asset that matched so.
func (o Order) Judge(asset string, box face.Box, score float64, m gallery.Match) FaceResult {
	d := o.decide(o.Rulings.on(asset, box), m)
	v := FaceResult{Box: box, Score: score, Match: m, Outcome: d.Outcome, Rule: d.Rule, Reason: inWords(d)}
	if o.Mode != Everyone {
		v.Basis = o.Basis(m)
	}
	return v
}

func inWords(d consent.Decision) string {
	return strings.Join(append([]string{d.Text}, d.Notices...), "; ")
}

// decide asks the way of working, and a person's ruling where that leaves something open: what a
// person decided can always obscure, and shows only what the rules do not hide for sure.
func (o Order) decide(told *Ruling, m gallery.Match) consent.Decision {
	d := o.unruled(m)
	if o.Mode != Objectors && o.Mode != Cleared {
		return d
	}
	ruling, ok := o.ruled(told, m)
	if !ok || ruling.Outcome == consent.Show && d.Outcome == consent.Obscure && o.sure(m) {
		return d
	}
	return ruling
}

// unruled is what becomes of the face where no person has decided about it.
func (o Order) unruled(m gallery.Match) consent.Decision {
	switch o.Mode {
	case Objectors:
		return o.decideObjector(m)
	case Cleared:
		return o.decideCleared(m)
	}
	return consent.Decision{Outcome: consent.Obscure, Rule: RuleEveryone, Text: "every face is obscured in this mode"}
}

// sure says whether it is known who the face is, as far as that matters.
func (o Order) sure(m gallery.Match) bool {
	_, either := o.bothObscured(m)
	return either || m.Band == gallery.Confident
}

// decisionOn is what the policy and the register say of a subject.
func (o Order) decisionOn(subject string) consent.Decision {
	if o.For != "" {
		return consent.DecideInRecordOf(o.Policy, o.Register, subject, o.For, o.Purpose, o.On)
	}
	return consent.Decide(o.Policy, o.Register, subject, o.Purpose, o.On)
}

// unknownFace is what becomes of a face that matches nobody.
func (o Order) unknownFace() consent.Decision {
	if o.For != "" {
		return consent.UnknownFaceInRecordOf(o.Policy)
	}
	return consent.UnknownFace(o.Policy, o.UnknownFace)
}

func (o Order) decideObjector(m gallery.Match) consent.Decision {
	switch m.Band {
	case gallery.Confident:
		return o.decideMatched(m)
	case gallery.None:
		return o.unknownFace()
	}
	if d, ok := o.bothObscured(m); ok {
		return d
	}
	return consent.Decision{
		Outcome: consent.Review, Rule: RuleUnsure,
		Text: fmt.Sprintf("looks like %s, but not surely", m.Subject),
	}
}

func (o Order) decideCleared(m gallery.Match) consent.Decision {
	if m.Band == gallery.Confident {
		if d := o.decideMatched(m); d.Outcome == consent.Show || d.Rule == RuleLookalikes {
			return d
		}
	}
	return consent.Decision{
		Outcome: consent.Obscure, Rule: RuleNotCleared,
		Text: "not surely a pupil who may be shown",
	}
}

// decideMatched is the decision on the subject, unless somebody who looks like it would be treated
// otherwise: then a person tells them apart. Where a person has done so already, it holds.
func (o Order) decideMatched(m gallery.Match) consent.Decision {
	d := o.decisionOn(m.Subject)
	if m.Reason == gallery.ReasonPerson {
		return d
	}
	for _, other := range o.lookalikes(m.Subject) {
		if o.decisionOn(other).Outcome != d.Outcome {
			return consent.Decision{
				Outcome: consent.Review, Rule: RuleLookalikes,
				Text: fmt.Sprintf("%s and %s look alike, and only one of them may be shown", m.Subject, other),
			}
		}
	}
	return d
}

// bothObscured is for a face that is surely one of two who look alike: where neither may be shown,
// which of them it is need not be known.
func (o Order) bothObscured(m gallery.Match) (consent.Decision, bool) {
	if m.Reason != gallery.ReasonCloseRunnerUp || m.RunnerUp == "" {
		return consent.Decision{}, false
	}
	best, second := o.decisionOn(m.Subject), o.decisionOn(m.RunnerUp)
	if best.Outcome != consent.Obscure || second.Outcome != consent.Obscure {
		return consent.Decision{}, false
	}
	best.Text = fmt.Sprintf("either %s or %s, and neither may be shown: %s", m.Subject, m.RunnerUp, best.Text)
	return best, true
}

// lookalikes are those who may have been there and be taken for the subject: the ones that the
// register names, and the ones whose references are that much alike.
func (o Order) lookalikes(subject string) []string {
	all := slices.Concat(o.Register.Lookalikes(subject), o.Gallery.Alike(subject))
	slices.Sort(all)
	return o.attending(slices.Compact(all))
}

// attending are those of the subjects who may have been there.
func (o Order) attending(subjects []string) []string {
	return slices.DeleteFunc(subjects, func(id string) bool {
		_, there := slices.BinarySearch(o.Attending, id)
		return o.Attending != nil && !there
	})
}
