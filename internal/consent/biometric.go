package consent

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rules of the Protection of Freedoms Act 2012, chapter 2 of part 1 (biometric information of
// children in schools), by section and subsection, and one of caution.
const (
	RuleParentConsents    = "pfa2012-26-3a"       // at least one parent consents
	RuleParentObjects     = "pfa2012-26-3b"       // no parent has withdrawn or objected
	RuleChildObjects      = "pfa2012-26-5"        // the child's own objection wins over every consent
	RuleAdultDecides      = "pfa2012-28-1"        // a child is a person under 18; who is older decides alone
	RuleAuthorityObjects  = "biometric-authority" // not in the Act: a placing authority that refuses is heard
	ageOfMajority         = 18                    // section 28(1)
	clauseParentConsents  = "at least one parent must consent in writing (Protection of Freedoms Act 2012, s26(3)(a))"
	clauseParentObjects   = "no parent may have objected or withdrawn (Protection of Freedoms Act 2012, s26(3)(b))"
	clauseChildObjects    = "the child's own objection wins over any parent's consent (Protection of Freedoms Act 2012, s26(5))"
	clauseAdultDecides    = "who is 18 or older decides alone (Protection of Freedoms Act 2012, s28(1): a child is a person under 18)"
	clauseAuthorityObject = "the authority that placed the child has refused, and any refusal wins"
)

// Permit says whether a subject may be enrolled (templates of the face made and kept), and why.
// Rule, Clause and Text are always filled in.
type Permit struct {
	Allowed   bool       `json:"allowed"`
	Rule      string     `json:"rule"`
	Clause    string     `json:"clause"`
	Text      string     `json:"text"`                // in plain words: which record, and what to do
	Records   []Record   `json:"records"`             // those that the answer rests on; may be empty, never nil
	Overruled []Overrule `json:"overruled,omitempty"` // all others on biometric consent
}

// MayEnrol says whether the subject may be enrolled on the day (in the school's local time). This is
// a consent of its own: one for publication, [AnyPurpose] included, never counts as one. A guardian
// must have agreed, and no guardian, not the placing authority and not the subject may have refused.
// Who is known to be 18 or older must have agreed in person; then guardians have no say. (Who was
// enrolled by a guardian's consent may so be enrolled no longer from the 18th birthday on.) Whose
// day of birth is not known counts as a child.
func MayEnrol(reg *Register, subject string, on time.Time) Permit {
	day := DateOf(on)
	n := reg.node(subject)
	switch {
	case n == nil:
		return forbidden(subject, RuleNotRegistered, "the register does not know this subject")
	case day == "":
		return forbidden(subject, RuleNoDate, "no day was given for which consents are to be judged")
	}
	a := application{subject: subject}
	a.heard.hear(n.Records, Biometric, term{day: day})
	age, known := n.Subject.age(day)
	a.adult = known && age >= ageOfMajority
	return a.permit()
}

// application is one question whether somebody may be enrolled.
type application struct {
	subject string
	adult   bool
	heard   hearing
}

func (a *application) permit() Permit {
	objects := func(role Party) bool { return a.heard.says(role, false) == Refused }
	switch {
	case objects(Pupil) && a.adult:
		return a.refuse(Ground{RuleAdultDecides, clauseAdultDecides}, Pupil)
	case objects(Pupil):
		return a.refuse(Ground{RuleChildObjects, clauseChildObjects}, Pupil)
	case objects(Guardian) && !a.adult:
		return a.refuse(Ground{RuleParentObjects, clauseParentObjects}, Guardian)
	case objects(PlacingAuthority):
		return a.refuse(Ground{RuleAuthorityObjects, clauseAuthorityObject}, PlacingAuthority)
	}
	ground, who := Ground{RuleParentConsents, clauseParentConsents}, Guardian
	if a.adult {
		ground, who = Ground{RuleAdultDecides, clauseAdultDecides}, Pupil
	}
	if a.heard.says(who, false) != Granted {
		return a.lack(ground, who)
	}
	p := a.account(Permit{Allowed: true, Rule: ground.Rule, Clause: ground.Clause}, who, Granted, "is not what is needed")
	p.Text = fmt.Sprintf("%s may be enrolled: biometric consent %s", a.subject, answered(p.Records))
	return p
}

// refuse says whose refusal it is.
func (a *application) refuse(g Ground, who Party) Permit {
	p := a.account(Permit{Rule: g.Rule, Clause: g.Clause}, who, Refused, "somebody has refused")
	p.Text = fmt.Sprintf("%s may not be enrolled: biometric consent %s", a.subject, answered(p.Records))
	return p
}

// lack says whose consent is missing, and how it is recorded.
func (a *application) lack(g Ground, who Party) Permit {
	p := a.account(Permit{Rule: g.Rule, Clause: g.Clause}, who, Granted, "does not replace the consent of "+roleWord(who))
	lack := "no guardian has granted biometric consent"
	if who == Pupil {
		lack = "is of age and has not granted biometric consent in person"
	}
	for _, r := range a.heard.ended() {
		if r.Party.Role() == who {
			lack = fmt.Sprintf("the biometric consent of %s ended on %s", r.Party, r.Expires)
		}
	}
	p.Text = fmt.Sprintf("%s may not be enrolled: %s; record it with: consentry register set %s --party %s --purpose %s --decision %s",
		a.subject, lack, a.subject, who, Biometric, Granted)
	return p
}

// account divides the records into those that the answer rests on, which are those of one role, and
// all others.
func (a *application) account(p Permit, who Party, answer Answer, against string) Permit {
	p.Records = []Record{}
	for _, r := range slices.Concat(a.heard.standing(Refused), a.heard.standing(Granted)) {
		switch role := r.Party.Role(); {
		case role == who && r.grants() == (answer == Granted):
			p.Records = append(p.Records, r)
		case a.adult && role == Guardian:
			p.Overruled = append(p.Overruled, Overrule{Record: r, Why: "the subject is of age and decides alone"})
		default:
			p.Overruled = append(p.Overruled, Overrule{Record: r, Why: against})
		}
	}
	p.Overruled = append(p.Overruled, a.heard.setAside()...)
	return p
}

// answered puts records into words: "refused by guardian on 2025-09-01".
func answered(records []Record) string {
	parts := make([]string, len(records))
	for i := range records {
		parts[i] = fmt.Sprintf("%s by %s on %s", records[i].Decision, records[i].Party, records[i].Date)
	}
	return strings.Join(parts, ", ")
}

func forbidden(subject, rule, clause string) Permit {
	if ValidAdmissionNumber(subject) != nil {
		subject = "the subject" // what is no number may be a name
	}
	return Permit{Rule: rule, Clause: clause, Text: subject + " may not be enrolled: " + clause, Records: []Record{}}
}
