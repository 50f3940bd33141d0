package consent

import (
	"slices"
	"time"
)

// Rules that rest on no clause of a policy but on the way consentry works.
const (
	RuleNotAPurpose    = "not-a-publication-purpose" // identification, biometric or an unknown word: nothing may be published
	RuleNoDate         = "no-date"                   // no day was given to judge consents for
	RuleNoPolicy       = "no-policy"                 // the policy does not say what it must
	RuleNotRegistered  = "not-registered"            // matched, but unknown to the register
	RuleUnknownFaceSet = "unknown-face-set"          // the run was told what becomes of unknown faces
	RuleInRecordOf     = "in-record-of"              // in another's record, where the policy has no rule for that
)

// Decision is what becomes of a face, and why. Outcome, Rule, Clause and Text are always filled in.
type Decision struct {
	Outcome   Outcome    `json:"outcome"`
	Rule      string     `json:"rule"`                // name of the rule that decided
	Clause    string     `json:"clause"`              // what the written policy says
	Records   []Record   `json:"records"`             // those that the outcome rests on; may be empty, never nil
	Overruled []Overrule `json:"overruled,omitempty"` // all others on the same purpose
	Notices   []string   `json:"notices,omitempty"`   // what the policy wants done because of this, such as whom to tell
	Approval  *Approval  `json:"approval,omitempty"`  // nil: the policy wants none for this purpose
	Text      string     `json:"text"`                // the whole in plain words, without anybody's name
}

// Overrule is a record that did not decide, and why not.
type Overrule struct {
	Record Record `json:"record"`
	Why    string `json:"why"`
}

// Approval is what must be had before a picture on which the subject is shown goes to a third party.
type Approval struct {
	By     string `json:"by"` // an office or a document
	Rule   string `json:"rule"`
	Clause string `json:"clause"`
}

// Decide says what becomes of the subject's face in a picture that is published for the purpose on
// the given day (in the school's local time; see [DateOf]). Records dated later than the day do not
// count, nor do grants that have expired before it or have lapsed with the subject's leaving; of one
// party the latest word stands (see hear for its limits). Then, in this order:
//
//  1. Somebody has refused: obscured, unless an entry of the policy's Precedence fits, which may
//     leave it to a person.
//  2. The policy is opt-out, and somebody's last word was a grant that has run out: as Lapsed says.
//  3. All that Consent.Needs asks for is there: shown.
//  4. Else as NothingSaid says.
func Decide(p Policy, reg *Register, subject string, purpose Purpose, on time.Time) Decision {
	var m matter
	if d, ok := m.open(&p, reg, subject, purpose, on); !ok {
		return d
	}
	return m.explain(m.judge())
}

// UnknownFace says what becomes of a face that matches nobody: what the run was told, or the
// policy's own answer where the override is empty.
func UnknownFace(p Policy, override Outcome) Decision {
	if !p.usable() {
		return noPolicy()
	}
	outcome, g := p.UnknownFace.Outcome, p.UnknownFace.ground()
	if override != "" {
		outcome, g = Obscure, Ground{RuleUnknownFaceSet, "the run was told what becomes of faces that match nobody"}
		if _, ok := parseWord(string(override), Outcomes()); ok {
			outcome = override
		}
	}
	d := Decision{Outcome: outcome, Rule: g.Rule, Clause: g.Clause, Records: []Record{}}
	d.Text = "a face that matches nobody is " + outcomeWord(outcome) + inBrackets(g)
	return p.ask(d)
}

// matter is one question, with all that the answer rests on.
type matter struct {
	p       *Policy
	subject *Subject
	purpose Purpose
	day     Date
	heard   hearing
}

// verdict is the answer before it is put into words.
type verdict struct {
	outcome  Outcome
	ground   Ground
	grants   bool   // rests on the grants that stand
	refusals bool   // rests on the refusals that stand
	against  string // why the standing records that it does not rest on did not decide
	but      string // what is wrong with what was said, in words; may be empty
	notice   string
}

// open takes up the question. Where it cannot be one, ok is false and the decision is the cautious
// answer.
func (m *matter) open(p *Policy, reg *Register, subject string, purpose Purpose, on time.Time) (d Decision, ok bool) {
	day := DateOf(on)
	switch {
	case !purpose.IsPublication():
		return cautious(Obscure, RuleNotAPurpose, "this is no purpose that anything is published for"), false
	case day == "":
		return cautious(Obscure, RuleNoDate, "no day was given for which consents are to be judged"), false
	case !p.usable():
		return noPolicy(), false
	}
	n := reg.node(subject) // shared and never changed
	if n == nil {
		return p.ask(cautious(Review, RuleNotRegistered, "the face matches somebody whom the register does not know")), false
	}
	m.p, m.subject, m.purpose, m.day = p, &n.Subject, purpose, day
	m.heard.hear(n.Records, purpose, p.Leaving.term(m.subject, day))
	return Decision{}, true
}

// term says which records of the subject count on the day.
func (l *Leaving) term(s *Subject, day Date) term {
	return term{
		day:  day,
		gone: l.Consents != Stay && s.Leaves != "" && s.Leaves.addYears(l.AfterYears).before(day),
		keep: l.KeepWithExpiry,
	}
}

func (m *matter) judge() verdict {
	if m.refused() {
		return m.judgeRefusal()
	}
	return m.judgeConsent()
}

// refused says whether a refusal of anybody stands.
func (m *matter) refused() bool {
	for _, role := range Parties() {
		if m.heard.says(role, false) == Refused {
			return true
		}
	}
	return false
}

// judgeRefusal obscures, or leaves it to a person where the policy has an entry for that.
func (m *matter) judgeRefusal() verdict {
	v := verdict{outcome: Obscure, ground: m.p.Refused, refusals: true, against: "another party has refused"}
	for i := range m.p.Precedence {
		e := &m.p.Precedence[i]
		if !m.fits(e) {
			continue
		}
		v.ground, v.notice = Ground{e.Rule, e.Clause}, e.Notice
		if e.Outcome == Review {
			v.outcome, v.grants = Review, true
		}
		return v
	}
	for i := range m.p.RefusedFor {
		if slices.Contains(m.p.RefusedFor[i].Purposes, m.purpose) {
			v.ground = m.p.RefusedFor[i].ground()
		}
	}
	return v
}

// fits says whether the parties disagree as the entry says, and the subject is of the years that it
// speaks of. An entry that leaves the refusal to a person fits only where nobody else refuses, and
// where the subject would be shown, or left to a person, if the refusals had not been.
func (m *matter) fits(e *Precedence) bool {
	age, known := m.subject.age(m.day)
	if !e.YearGroups.holds(m.subject.YearGroup) || !e.Ages.holds(age, known) {
		return false
	}
	for role, want := range e.Said.all() {
		says := m.heard.says(role, false)
		if want != "" && says != want || want == "" && says == Refused && e.Outcome != Obscure {
			return false
		}
	}
	return e.Outcome == Obscure || m.judgeConsent().outcome != Obscure
}

// all yields what each role must have said.
func (s *Said) all() func(yield func(Party, Answer) bool) {
	return func(yield func(Party, Answer) bool) {
		_ = yield(Pupil, s.Pupil) && yield(Guardian, s.Guardian) && yield(PlacingAuthority, s.PlacingAuthority)
	}
}

// judgeConsent judges what was said without regard to refusals.
func (m *matter) judgeConsent() verdict {
	if len(m.p.Consent.Needs) == 0 {
		return m.judgeOptOut()
	}
	v := verdict{outcome: m.p.NothingSaid.Outcome, ground: m.p.Consent.ground()}
	switch {
	case m.agreed(false):
		v.outcome, v.grants = Show, true
	case m.heard.term.gone && m.agreed(true):
		v.ground = m.p.Leaving.ground()
		v.but = "what was agreed to lapsed when the subject left on " + string(m.subject.Leaves)
	case m.heard.silent():
		v.ground, v.but = m.p.NothingSaid.ground(), m.silence()
	default:
		v.but = m.missing()
	}
	v.against = "is not enough: " + v.but
	return v
}

// judgeOptOut judges where nobody must have said yes.
func (m *matter) judgeOptOut() verdict {
	ended := len(m.heard.ended()) > 0
	granted := len(m.heard.standing(Granted)) > 0
	switch {
	case ended && (m.p.Lapsed.Outcome != Show || !granted):
		but := m.silence()
		return verdict{outcome: m.p.Lapsed.Outcome, ground: m.p.Lapsed.ground(), against: "does not outweigh that " + but, but: but}
	case granted:
		return verdict{outcome: Show, ground: m.p.Consent.ground(), grants: true}
	}
	return verdict{outcome: m.p.NothingSaid.Outcome, ground: m.p.NothingSaid.ground(), but: m.silence()}
}

// agreed says whether all have said yes who must have. With before, it says whether they had before
// the subject left.
func (m *matter) agreed(before bool) bool {
	c := &m.p.Consent
	if c.PupilIfRecorded && m.heard.voices[placePupil].lapsed && m.heard.says(Pupil, before) != Granted {
		return false
	}
	for _, parties := range c.Needs {
		if len(parties) > 0 && !slices.ContainsFunc(parties, func(role Party) bool {
			return m.heard.says(role, before) != Granted
		}) {
			return true
		}
	}
	return false
}
