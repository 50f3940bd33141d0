package consent

import (
	"fmt"
	"time"
)

// DecideInRecordOf says what becomes of the subject's face in a picture that goes into the record of
// the owner, such as a learning journey. The owner is shown unless somebody has refused that, a
// consent to it has run out, or the policy leaves it to a person. Everybody else is shown only where
// [Decide] shows, and a grant for this purpose stands: that nobody has objected is not enough in
// another's record. What Decide leaves to a person stays with a person.
func DecideInRecordOf(p Policy, reg *Register, subject, owner string, purpose Purpose, on time.Time) Decision {
	var m matter
	if d, ok := m.open(&p, reg, subject, purpose, on); !ok {
		return d
	}
	v := m.judge()
	switch {
	case subject == owner && v.outcome == Obscure && !m.refused() && len(m.heard.ended()) == 0:
		v = verdict{outcome: Show, ground: p.inRecord(), grants: true, but: "this is the subject's own record"}
	case subject != owner && v.outcome == Show && !v.grants:
		v = verdict{outcome: Obscure, ground: p.inRecord(), but: m.silence() + ", and the record is another's"}
	}
	return m.explain(v)
}

// UnknownFaceInRecordOf says what becomes of a face that matches nobody in somebody's record: it is
// obscured, since nobody knows whether there is a consent.
func UnknownFaceInRecordOf(p Policy) Decision {
	if !p.usable() {
		return noPolicy()
	}
	g := p.inRecord()
	return Decision{
		Outcome: Obscure, Rule: g.Rule, Clause: g.Clause, Records: []Record{},
		Text: fmt.Sprintf("a face that matches nobody is %s in another's record%s", outcomeWord(Obscure), inBrackets(g)),
	}
}

// inRecord is the policy's ground for pictures in somebody's record.
func (p *Policy) inRecord() Ground {
	if g := p.GroupRecord; g != nil && g.ground().usable() {
		return g.ground()
	}
	return Ground{RuleInRecordOf, "in the record of one subject, every other is shown only with a consent for that"}
}
