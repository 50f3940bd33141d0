package consent

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rules that rest on no clause of a policy but on the way consentry works.
const (
	RuleNotAPurpose    = "not-a-publication-purpose" // identification, biometric or an unknown word: nothing may be published
	RuleNoDate         = "no-date"                   // no day was given to judge consents for
	RuleNoPolicy       = "no-policy"                 // the policy does not say what it must
	RuleNotRegistered  = "not-registered"            // matched, but unknown to the register
	RuleUnknownFaceSet = "unknown-face-set"          // the run was told what becomes of unknown faces
)

// Decision is what becomes of a face, and why. Every part but the lists is always filled in.
type Decision struct {
	Outcome   Outcome    `json:"outcome"`
	Rule      string     `json:"rule"`                // name of the rule that decided
	Clause    string     `json:"clause"`              // what the written policy says
	Records   []Record   `json:"records"`             // those that the outcome rests on; may be empty
	Overruled []Overrule `json:"overruled,omitempty"` // those on the same purpose that did not decide
	Text      string     `json:"text"`                // the whole in plain words, without anybody's name
}

// Overrule is a record that did not decide, and why not.
type Overrule struct {
	Record Record `json:"record"`
	Why    string `json:"why"`
}

// Decide says what becomes of the subject's face in a picture that is published for the purpose on
// the given day (in the school's local time; see [DateOf]).
//
// In this version any party's refusal obscures, else any party's grant shows, else the policy's
// default holds. Of one party the latest record on the purpose stands, where a record on
// [AnyPurpose] speaks of all purposes, with two limits on the side of caution: on one date a refusal
// beats a grant, and a grant of everything does not take back the refusal of this very purpose.
// Records dated later than the day, and grants that have expired before it, do not count.
func Decide(p Policy, reg *Register, subject string, purpose Purpose, on time.Time) Decision {
	day := DateOf(on)
	switch {
	case !purpose.IsPublication():
		return cautious(Obscure, RuleNotAPurpose, "this is no purpose that anything is published for")
	case day == "":
		return cautious(Obscure, RuleNoDate, "no day was given for which consents are to be judged")
	case !p.usable():
		return cautious(Obscure, RuleNoPolicy, "the policy does not say all that it must")
	case !reg.Has(subject):
		return p.ask(cautious(Review, RuleNotRegistered, "the face matches somebody whom the register does not know"))
	}
	return p.ask(p.apply(subject, purpose, hear(reg.Records(subject), purpose, day)))
}

// apply is the policy's rule for what the parties have said. It is the place where a party's weight
// by age, year group and policy comes in.
func (p Policy) apply(subject string, purpose Purpose, h hearing) Decision {
	granted, refused := h.standing(Granted), h.standing(Refused)
	var d Decision
	switch {
	case len(refused) > 0:
		d = explained(Obscure, p.Refused, refused)
		d.Overruled = overrule(granted, "another party has refused")
	case len(granted) > 0:
		d = explained(Show, p.Granted, granted)
	default:
		d = explained(p.NothingSaid.Outcome, p.NothingSaid.ground(), nil)
	}
	d.Overruled = append(d.Overruled, h.set...)
	d.Text = fmt.Sprintf("%s for %s: %s (%s: %s)", outcomeText(subject, d.Outcome), purpose, said(d.Records), d.Rule, d.Clause)
	return d
}

// UnknownFace says what becomes of a face that matches nobody: what the run was told, or the
// policy's own answer where the override is empty.
func UnknownFace(p Policy, override Outcome) Decision {
	if !p.usable() {
		return cautious(Obscure, RuleNoPolicy, "the policy does not say all that it must")
	}
	d := explained(p.UnknownFace.Outcome, p.UnknownFace.ground(), nil)
	if override != "" {
		d = cautious(Obscure, RuleUnknownFaceSet, "the run was told what becomes of faces that match nobody")
		if _, ok := parseWord(string(override), Outcomes()); ok {
			d.Outcome = override
		}
	}
	d.Text = fmt.Sprintf("a face that matches nobody is %s (%s: %s)", outcomeWord(d.Outcome), d.Rule, d.Clause)
	return p.ask(d)
}

// cautious is a decision that rests on no policy.
func cautious(outcome Outcome, rule, clause string) Decision {
	d := explained(outcome, Ground{Rule: rule, Clause: clause}, nil)
	d.Text = fmt.Sprintf("%s: %s", outcomeWord(outcome), clause)
	return d
}

func explained(outcome Outcome, g Ground, used []Record) Decision {
	if used == nil {
		used = []Record{} // [] in JSON, not null
	}
	return Decision{Outcome: outcome, Rule: g.Rule, Clause: g.Clause, Records: used}
}

// ask adds who decides to what a person must decide.
func (p Policy) ask(d Decision) Decision {
	if d.Outcome == Review {
		d.Text += fmt.Sprintf("; ask %s (%s)", p.Doubt.Ask, p.Doubt.Rule)
	}
	return d
}

func outcomeText(subject string, outcome Outcome) string {
	return fmt.Sprintf("subject %s is %s", subject, outcomeWord(outcome))
}

func outcomeWord(outcome Outcome) string {
	switch outcome {
	case Show:
		return "shown"
	case Review:
		return "left for a person to decide"
	}
	return "obscured"
}

// said puts records into words: "guardian refused press on 2024-05-01".
func said(records []Record) string {
	if len(records) == 0 {
		return "nobody has said anything that counts"
	}
	parts := make([]string, len(records))
	for i, r := range records {
		what := string(r.Purpose)
		if r.Purpose == AnyPurpose {
			what = "every purpose"
		}
		parts[i] = fmt.Sprintf("%s %s %s on %s", r.Party, r.Decision, what, r.Date)
	}
	return strings.Join(parts, ", ")
}

func overrule(records []Record, why string) []Overrule {
	var list []Overrule
	for _, r := range records {
		list = append(list, Overrule{Record: r, Why: why})
	}
	return list
}

// hearing is what the parties say of one subject and purpose on one day.
type hearing struct {
	stands []Record   // at most one of each party, in the order of Parties
	set    []Overrule // all others on the purpose, and why they do not stand
}

// standing lists the grants, or all that is not a grant.
func (h hearing) standing(answer Answer) []Record {
	return slices.DeleteFunc(slices.Clone(h.stands), func(r Record) bool {
		return r.grants() != (answer == Granted)
	})
}

// hear finds for each party the record that stands. The records are those of one subject, ordered
// by compareRecords.
func hear(records []Record, purpose Purpose, day Date) hearing {
	var h hearing
	counting := make(map[Party][]Record)
	for _, r := range records {
		if !r.speaksOf(purpose) {
			continue
		}
		if why := notCounting(r, day); why != "" {
			h.set = append(h.set, Overrule{Record: r, Why: why})
			continue
		}
		counting[r.Party] = append(counting[r.Party], r)
	}
	for _, party := range Parties() {
		if len(counting[party]) > 0 {
			h.hearParty(counting[party])
		}
	}
	return h
}

// speaksOf says whether the record is about the purpose. AnyPurpose is about publications only: a
// grant of everything is no consent to be enrolled.
func (r Record) speaksOf(purpose Purpose) bool {
	return r.Purpose == purpose || r.Purpose == AnyPurpose && purpose.IsPublication()
}

// notCounting says why the record has no say on the day, or nothing.
func notCounting(r Record, day Date) string {
	switch {
	case day.before(r.Date):
		return "is dated later"
	case r.grants() && r.Expires.before(day):
		return "has expired"
	}
	return ""
}

// hearParty sets the record of one party that stands, and the others aside.
func (h *hearing) hearParty(records []Record) {
	stands := records[len(records)-1]
	why := "the same party has spoken later"
	if i := lastOnPurpose(records); i >= 0 && !records[i].grants() && stands.grants() {
		stands, why = records[i], "a refusal of this very purpose stands until this very purpose is granted"
	}
	h.stands = append(h.stands, stands)
	for _, r := range records {
		if r != stands {
			h.set = append(h.set, Overrule{Record: r, Why: whyNot(r, stands, why)})
		}
	}
}

// lastOnPurpose is the place of the last record that names the purpose itself, or -1.
func lastOnPurpose(records []Record) int {
	for i, r := range slices.Backward(records) {
		if r.Purpose != AnyPurpose {
			return i
		}
	}
	return -1
}

func whyNot(r, stands Record, why string) string {
	switch {
	case r.Date != stands.Date:
		return why
	case r.grants() == stands.grants():
		return "the same party has said the same on the same date"
	}
	return "the same party has said both on the same date, and then the refusal stands"
}
