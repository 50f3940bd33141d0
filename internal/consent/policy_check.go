package consent

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Names and rules go into reports, clearances and metric labels.
var ruleName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$`)

// Bounds that only a slip of the pen passes.
const (
	maxYears  = 100
	maxMonths = 12 * maxYears
	maxAge    = 120
)

var (
	errRuleName      = errors.New("must be a short name of small letters a-z, digits, '-' and '.'")
	errPolicyText    = errors.New("must be given, as plain text of at most 500 bytes")
	errYears         = fmt.Errorf("must be a number of years from 0 to %d", maxYears)
	errMonths        = fmt.Errorf("must be a number of months from 0 to %d", maxMonths)
	errAges          = fmt.Errorf("must be a range of ages in years from 0 to %d, with from not above to; leave to out for no upper end", maxAge)
	errYearGroups    = errors.New("must be a range of year groups, from R (reception) or 1 up to 13, with from not above to")
	errNoParty       = errors.New("must name at least one party")
	errPartyTwice    = errors.New("names a party twice")
	errNoPurpose     = errors.New("must name at least one publication purpose")
	errPurposeTwice  = errors.New("names a purpose twice")
	errOptOutNeeds   = errors.New("must not be empty where nothing_said does not show: say who must have said yes")
	errOptInShows    = errors.New("cannot be show where consent.needs names who must have said yes")
	errPupilOptOut   = errors.New("has no meaning where consent.needs is empty")
	errLapsedMissing = errors.New("must be given where consent.needs is empty: what becomes of the face of somebody whose consent has run out")
	errLapsedOptIn   = errors.New("has no place where consent.needs names who must have said yes: a consent that has run out is then missing")
	errNobodyRefuses = errors.New("must have at least one party that has refused, and one more that has said otherwise")
	errOverridden    = errors.New("can never apply: an entry above it fits the same words for everybody")
	errStayYears     = errors.New("has no meaning where consents stay")
	errForgottenSoon = errors.New("must not be less than leaving.after_years: the consents would outlive the pictures")
)

// placedFault is one fault of a policy and the keys that lead to it.
type placedFault struct {
	keys []string
	err  error
}

// checker collects faults.
type checker struct{ found []placedFault }

// at notes an error, where there is one, and the keys that lead to its place, divided by dots. The
// entries of lists are counted from 0.
func (c *checker) at(keys string, err error) {
	if err != nil {
		c.found = append(c.found, placedFault{strings.Split(keys, "."), err})
	}
}

func (c *checker) ground(keys, rule, clause string) {
	c.at(keys+".rule", validRule(rule))
	c.at(keys+".clause", validSentence(clause))
}

func (c *checker) outcome(keys string, d Default) {
	c.at(keys+".outcome", oneOf(d.Outcome, Outcomes()))
	c.ground(keys, d.Rule, d.Clause)
}

// purposes wants at least one publication purpose, and none twice.
func (c *checker) purposes(keys string, purposes []Purpose) {
	if len(purposes) == 0 {
		c.at(keys, errNoPurpose)
	}
	for i, purpose := range purposes {
		at := fmt.Sprintf("%s.%d", keys, i)
		c.at(at, oneOf(purpose, PublicationPurposes()))
		if slices.Contains(purposes[:i], purpose) {
			c.at(at, errPurposeTwice)
		}
	}
}

// check lists what is wrong with the policy.
func (p *Policy) check() []placedFault {
	var c checker
	if p.Schema != PolicySchema {
		c.at("schema", errSchema)
	}
	c.at("name", validRule(p.Name))
	c.at("source", validSentence(p.Source))
	c.outcome("nothing_said", p.NothingSaid)
	c.ground("refused", p.Refused.Rule, p.Refused.Clause)
	c.outcome("unknown_face", p.UnknownFace)
	c.at("doubt.ask", validSentence(p.Doubt.Ask))
	c.ground("doubt", p.Doubt.Rule, p.Doubt.Clause)
	for i, g := range p.RefusedFor {
		keys := fmt.Sprintf("refused_for.%d", i)
		c.purposes(keys+".purposes", g.Purposes)
		c.ground(keys, g.Rule, g.Clause)
	}
	p.Consent.check(&c)
	p.checkKind(&c)
	p.checkPrecedence(&c)
	p.Leaving.check(&c)
	p.checkAdvice(&c)
	return c.found
}

func (n *Consent) check(c *checker) {
	c.ground("consent", n.Rule, n.Clause)
	for i, parties := range n.Needs {
		keys := fmt.Sprintf("consent.needs.%d", i)
		if len(parties) == 0 {
			c.at(keys, errNoParty)
		}
		for j, party := range parties {
			at := fmt.Sprintf("%s.%d", keys, j)
			c.at(at, oneOf(party, Parties()))
			if slices.Contains(parties[:j], party) {
				c.at(at, errPartyTwice)
			}
		}
	}
}

// checkKind wants that the policy is of one of the two kinds; see [Policy].
func (p *Policy) checkKind(c *checker) {
	shows := p.NothingSaid.Outcome == Show
	if len(p.Consent.Needs) > 0 {
		if shows {
			c.at("nothing_said.outcome", errOptInShows)
		}
		if p.Lapsed != nil {
			c.at("lapsed", errLapsedOptIn)
		}
		return
	}
	if !shows {
		c.at("consent.needs", errOptOutNeeds)
		return
	}
	if p.Consent.PupilIfRecorded {
		c.at("consent.pupil_if_recorded", errPupilOptOut)
	}
	if p.Lapsed == nil {
		c.at("lapsed", errLapsedMissing)
		return
	}
	c.outcome("lapsed", *p.Lapsed)
}

func (p *Policy) checkPrecedence(c *checker) {
	for i := range p.Precedence {
		e, keys := &p.Precedence[i], fmt.Sprintf("precedence.%d", i)
		e.check(c, keys)
		if slices.ContainsFunc(p.Precedence[:i], func(above Precedence) bool {
			return above.Said == e.Said && above.YearGroups == nil && above.Ages == nil && above.Outcome == Obscure
		}) {
			c.at(keys, errOverridden)
		}
	}
}

func (e *Precedence) check(c *checker, keys string) {
	c.at(keys+".outcome", oneOf(e.Outcome, []Outcome{Obscure, Review}))
	c.ground(keys, e.Rule, e.Clause)
	c.at(keys+".notice", validText(e.Notice))
	refused, said := 0, 0
	for key, answer := range map[string]Answer{
		"pupil": e.Said.Pupil, "guardian": e.Said.Guardian, "placing_authority": e.Said.PlacingAuthority,
	} {
		if answer == "" {
			continue
		}
		c.at(keys+".said."+key, oneOf(answer, []Answer{Granted, Refused}))
		said++
		if answer == Refused {
			refused++
		}
	}
	if refused == 0 || refused == said {
		c.at(keys+".said", errNobodyRefuses)
	}
	if e.YearGroups != nil && !e.YearGroups.valid() {
		c.at(keys+".year_groups", errYearGroups)
	}
	if e.Ages != nil && !e.Ages.valid() {
		c.at(keys+".ages", errAges)
	}
}

func (r *YearGroups) valid() bool {
	from, ok1 := yearNumber(r.From)
	to, ok2 := yearNumber(r.To)
	return ok1 && ok2 && from <= to
}

func (r *Ages) valid() bool {
	open := r.To == 0 && r.From > 0
	return r.From >= 0 && r.From <= maxAge && r.To <= maxAge && (open || r.To > 0 && r.From <= r.To)
}

func (l *Leaving) check(c *checker) {
	c.at("leaving.consents", oneOf(l.Consents, Leaves()))
	c.at("leaving.after_years", between(l.AfterYears, maxYears, errYears))
	c.ground("leaving", l.Rule, l.Clause)
	if l.Consents != Stay {
		return
	}
	if l.AfterYears != 0 {
		c.at("leaving.after_years", errStayYears)
	}
	if l.KeepWithExpiry {
		c.at("leaving.keep_with_expiry", errStayYears)
	}
}

// checkAdvice checks what a policy need not speak of.
func (p *Policy) checkAdvice(c *checker) {
	if t := p.ThirdParty; t != nil {
		c.purposes("third_party.purposes", t.Purposes)
		c.at("third_party.approval", validSentence(t.Approval))
		c.ground("third_party", t.Rule, t.Clause)
	}
	if g := p.GroupRecord; g != nil {
		c.at("group_record.others", oneOf(g.Others, OthersWords()))
		c.ground("group_record", g.Rule, g.Clause)
	}
	if f := p.Folders; f != nil {
		c.at("folders.store", validText(f.Store))
		c.ground("folders", f.Rule, f.Clause)
		if f.Pattern != "" {
			_, err := parsePattern(f.Pattern)
			c.at("folders.pattern", err)
		}
	}
	if p.Scrutiny != nil {
		c.ground("scrutiny", p.Scrutiny.Rule, p.Scrutiny.Clause)
	}
	p.checkNames(c)
	p.checkRetention(c)
}

func (p *Policy) checkNames(c *checker) {
	n := p.Names
	if n == nil {
		return
	}
	c.ground("names", n.Rule, n.Clause)
	if n.Published != "" {
		c.at("names.published", oneOf(n.Published, PublishedWords()))
	}
	if n.NeverFor != nil {
		c.purposes("names.never_for", n.NeverFor)
	}
	c.at("names.guardian_up_to", validYearGroup(n.GuardianUpTo))
}

func (p *Policy) checkRetention(c *checker) {
	r := p.Retention
	if r == nil {
		return
	}
	c.ground("retention", r.Rule, r.Clause)
	c.at("retention.reference_months", between(r.ReferenceMonths, maxMonths, errMonths))
	c.at("retention.review", validText(r.Review))
	if r.YearsAfterLeaving == nil {
		return
	}
	c.at("retention.years_after_leaving", between(*r.YearsAfterLeaving, maxYears, errYears))
	if *r.YearsAfterLeaving < p.Leaving.AfterYears {
		c.at("retention.years_after_leaving", errForgottenSoon)
	}
}

// usable says whether the policy can decide at all. It stands between a policy that was never
// loaded and a decision, and costs next to nothing. What it leaves out is decided with caution.
func (p *Policy) usable() bool {
	optOut := len(p.Consent.Needs) == 0
	return p.Schema == PolicySchema && p.NothingSaid.usable() && p.UnknownFace.usable() &&
		optOut == (p.NothingSaid.Outcome == Show) && optOut == (p.Lapsed != nil) &&
		(p.Lapsed == nil || p.Lapsed.usable()) &&
		p.Refused.usable() && p.Consent.ground().usable() && p.Leaving.ground().usable() && p.Doubt.Ask != ""
}

func (d *Default) usable() bool {
	switch d.Outcome {
	case Show, Obscure, Review:
		return d.ground().usable()
	}
	return false
}

func (g Ground) usable() bool { return g.Rule != "" && g.Clause != "" }

func between(n, highest int, err error) error {
	if n < 0 || n > highest {
		return err
	}
	return nil
}

func validRule(name string) error {
	if !ruleName.MatchString(name) {
		return errRuleName
	}
	return nil
}

func validSentence(text string) error {
	if strings.TrimSpace(text) == "" || validText(text) != nil {
		return errPolicyText
	}
	return nil
}
