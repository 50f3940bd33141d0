package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/pipeline"
)

// assetDigest is that of the asset that take sends on its way.
var assetDigest = strings.Repeat("ef", 32)

// nearly is a face that looks like the person, but not surely.
func nearly(n int) face.Face {
	f := person(n)
	m := make([]float32, 512)
	m[n], m[100+n] = 0.42, 0.9075 // as alike as two photographs of one person on a bad day
	f.Templates = face.Templates{face.MobileFaceNet: m}
	return f
}

func ruled(f face.Face, change func(*pipeline.Ruling)) func(*pipeline.Order) {
	return func(o *pipeline.Order) {
		r := pipeline.Ruling{Box: f.Box}
		change(&r)
		o.Rulings = pipeline.Rulings{assetDigest: {r}}
	}
}

// verdictOn is what becomes of a face, and by which rule.
func verdictOn(t *testing.T, f face.Face, change func(*pipeline.Order)) (pipeline.FaceResult, pipeline.Order) {
	t.Helper()
	o := newOrder(t, change)
	r := takeOne(t, &script{faces: []face.Face{f}}, o)
	if len(r.Faces) != 1 {
		t.Fatalf("%d faces, want 1", len(r.Faces))
	}
	return r.Faces[0], o
}

func TestUnsureWaitsUntilAPersonDecides(t *testing.T) {
	f := nearly(1)
	before, o := verdictOn(t, f, nil)
	if before.Outcome != consent.Review || before.Match.Band != gallery.Unsure || before.Basis == "" {
		t.Fatalf("%+v, want an unsure match that waits", before)
	}
	as := func(outcome consent.Outcome, basis string) func(*pipeline.Order) {
		return ruled(f, func(r *pipeline.Ruling) {
			r.As = map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: outcome, Bases: []string{basis}}}
		})
	}
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		want   consent.Outcome
		rule   string
	}{
		"show":                 {as(consent.Show, before.Basis), consent.Show, pipeline.RulePerson},
		"obscure":              {as(consent.Obscure, ""), consent.Obscure, pipeline.RulePerson},
		"review is no answer":  {as(consent.Review, before.Basis), consent.Review, pipeline.RuleUnsure},
		"show, went by others": {as(consent.Show, "something else"), consent.Review, pipeline.RuleUnsure},
		"it is the objector":   {ruled(f, func(r *pipeline.Ruling) { r.Is = "4021" }), consent.Obscure, ""},
		"it is another":        {ruled(f, func(r *pipeline.Ruling) { r.Is = "4022" }), consent.Show, ""},
		"it is not her":        {ruled(f, func(r *pipeline.Ruling) { r.Not = []string{"4021"} }), consent.Show, ""},
		"another purpose": {ruled(f, func(r *pipeline.Ruling) {
			r.As = map[consent.Purpose]pipeline.Verdict{consent.Press: {Outcome: consent.Show, Bases: []string{before.Basis}}}
		}), consent.Review, pipeline.RuleUnsure},
	} {
		t.Run(name, func(t *testing.T) {
			got, changed := verdictOn(t, f, test.change)
			if got.Outcome != test.want || test.rule != "" && got.Rule != test.rule {
				t.Errorf("%s by %s, want %s by %s", got.Outcome, got.Rule, test.want, test.rule)
			}
			if changed.Key(assetDigest) == o.Key(assetDigest) {
				t.Error("the result with the decision would not be told from the one without")
			}
			if other := strings.Repeat("01", 32); changed.Key(other) != o.Key(other) {
				t.Error("a decision about one asset makes the others again")
			}
		})
	}
}

// A person who said "show" went by what was known then. A consent withdrawn since is not overruled.
func TestAPersonsWordDoesNotOutlastAWithdrawal(t *testing.T) {
	f := nearly(2) // 4022, who had granted
	asked := func(o *pipeline.Order) { o.UnknownFace = consent.Review }
	before, _ := verdictOn(t, f, asked)
	show := ruled(f, func(r *pipeline.Ruling) {
		r.As = map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: consent.Show, Bases: []string{before.Basis}}}
	})
	got, _ := verdictOn(t, f, func(o *pipeline.Order) { asked(o); show(o) })
	if got.Outcome != consent.Show {
		t.Fatalf("%s by %s before the withdrawal", got.Outcome, got.Rule)
	}
	got, _ = verdictOn(t, f, func(o *pipeline.Order) { asked(o); show(o); withdraw(t, o, "4022") })
	if got.Outcome != consent.Review {
		t.Errorf("%s by %s after the withdrawal, want a person asked again", got.Outcome, got.Rule)
	}
	is := ruled(f, func(r *pipeline.Ruling) { r.Is = "4022" })
	got, _ = verdictOn(t, f, func(o *pipeline.Order) { is(o); withdraw(t, o, "4022") })
	if got.Outcome != consent.Obscure {
		t.Errorf("%s by %s for who is known to be 4022, who has withdrawn", got.Outcome, got.Rule)
	}
}

func withdraw(t *testing.T, o *pipeline.Order, id string) {
	t.Helper()
	var subjects []consent.Subject
	var records []consent.Record
	for _, known := range o.Register.IDs() {
		s, _ := o.Register.Subject(known)
		subjects = append(subjects, s)
		records = append(records, o.Register.Records(known)...)
	}
	records = append(records, consent.Record{
		AdmissionNumber: id, Party: consent.Guardian, Purpose: consent.Website, Decision: consent.Withdrawn, Date: "2026-02-01",
	})
	reg, err := consent.NewRegister(8, subjects, records)
	if err != nil {
		t.Fatal(err)
	}
	o.Register = reg
}

// A person's "show" does not bare somebody who is surely recognised and may not be shown.
func TestAPersonsShowDoesNotOverruleARefusal(t *testing.T) {
	f := person(1)
	before, _ := verdictOn(t, f, nil)
	got, _ := verdictOn(t, f, ruled(f, func(r *pipeline.Ruling) {
		r.As = map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: consent.Show, Bases: []string{before.Basis}}}
	}))
	if got.Outcome != consent.Obscure {
		t.Errorf("%s by %s", got.Outcome, got.Rule)
	}
}

// What a person has decided holds where no face is found this time.
func TestADecidedFaceThatIsNotFoundStaysObscured(t *testing.T) {
	s := &script{}
	r := takeOne(t, s, newOrder(t, ruled(person(4), func(r *pipeline.Ruling) {
		r.As = map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: consent.Obscure}}
	})))
	if r.Outcome != pipeline.Released || len(s.regions) != 1 {
		t.Errorf("%s with %d regions, want released with 1: %s", r.Outcome, len(s.regions), r.Reason)
	}
}

func TestLookalikes(t *testing.T) {
	twins := func(other string) func(*pipeline.Order) {
		return func(o *pipeline.Order) {
			var records []consent.Record
			subjects := []consent.Subject{{AdmissionNumber: "4021", Lookalikes: []string{other}}}
			for _, id := range []string{"4022", "4023", "4024"} {
				subjects = append(subjects, consent.Subject{AdmissionNumber: id})
			}
			for _, id := range o.Register.IDs() {
				records = append(records, o.Register.Records(id)...)
			}
			records = append(records, consent.Record{
				AdmissionNumber: "4024", Party: consent.Guardian, Purpose: consent.AnyPurpose, Decision: consent.Refused, Date: "2025-01-01",
			})
			reg, err := consent.NewRegister(9, subjects, records)
			if err != nil {
				t.Fatal(err)
			}
			o.Register = reg
		}
	}
	attending := func(other string, who ...string) func(*pipeline.Order) {
		return func(o *pipeline.Order) { twins(other)(o); o.Attending = who }
	}
	for name, test := range map[string]struct {
		change func(*pipeline.Order)
		want   consent.Outcome
	}{
		"the other may be shown":  {twins("4022"), consent.Review},
		"neither may be shown":    {twins("4024"), consent.Obscure}, // though 4024 is not enrolled
		"the other was not there": {attending("4022", "4021", "4023"), consent.Obscure},
		"both were there":         {attending("4022", "4021", "4022"), consent.Review},
		"a person has told them apart": {func(o *pipeline.Order) {
			twins("4022")(o)
			ruled(person(1), func(r *pipeline.Ruling) { r.Is = "4021" })(o)
		}, consent.Obscure},
		"the other way round, and enrolled": {func(o *pipeline.Order) { twins("4022")(o); o.Mode = pipeline.Cleared }, consent.Review},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := verdictOn(t, person(1), test.change)
			if got.Outcome != test.want {
				t.Errorf("%s by %s (%s), want %s", got.Outcome, got.Rule, got.Reason, test.want)
			}
		})
	}
}

// A learning journey shows the child whose it is and those who agreed to be in others' journeys.
func TestLearningJourney(t *testing.T) {
	journey := func(o *pipeline.Order) {
		p, err := consent.LoadPreset("stepping-stones")
		if err != nil {
			t.Fatal(err)
		}
		o.Policy, o.Purpose, o.For, o.Mode = p, consent.LearningJourney, "4023", pipeline.Cleared
		reg, err := consent.NewRegister(9, []consent.Subject{{AdmissionNumber: "4021"}, {AdmissionNumber: "4022"}, {AdmissionNumber: "4023"}}, []consent.Record{
			{AdmissionNumber: "4022", Party: consent.Guardian, Purpose: consent.LearningJourney, Decision: consent.Granted, Date: "2025-01-01"},
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Register = reg
	}
	r := takeOne(t, &script{faces: []face.Face{person(1), person(2), person(3), person(9)}}, newOrder(t, journey))
	var got []consent.Outcome
	for _, f := range r.Faces {
		got = append(got, f.Outcome)
	}
	if want := []consent.Outcome{consent.Obscure, consent.Show, consent.Show, consent.Obscure}; !slices.Equal(got, want) {
		t.Errorf("silent, agreed, the child itself, unknown: %v, want %v", got, want)
	}
	theirs, mine := newOrder(t, journey), newOrder(t, func(o *pipeline.Order) { journey(o); o.For = "4022" })
	if theirs.Key(assetDigest) == mine.Key(assetDigest) {
		t.Error("two children's journeys are one result")
	}
}

// Nobody is asked about a face that is a pupil who may be shown or a stranger, where both are shown.
func TestPerhapsSomebodyWhoMayBeShown(t *testing.T) {
	both := nearly(2) // a little of 4021, who may not be shown, is in this one
	m := both.Templates[face.MobileFaceNet]
	m[1], m[102] = 0.40, 0.8146
	twin := func(o *pipeline.Order) {
		reg, err := consent.NewRegister(9, []consent.Subject{{AdmissionNumber: "4021", Lookalikes: []string{"4022"}}, {AdmissionNumber: "4022"}, {AdmissionNumber: "4023"}},
			append(o.Register.Records("4021"), o.Register.Records("4022")...))
		if err != nil {
			t.Fatal(err)
		}
		o.Register = reg
	}
	for name, test := range map[string]struct {
		f      face.Face
		change func(*pipeline.Order)
		want   consent.Outcome
	}{
		"strangers are shown":             {nearly(2), nil, consent.Show},
		"strangers are obscured":          {nearly(2), func(o *pipeline.Order) { o.UnknownFace = consent.Obscure }, consent.Review},
		"perhaps one who may not":         {nearly(1), nil, consent.Review},
		"perhaps either":                  {both, nil, consent.Review},
		"looks like one who may not":      {nearly(2), twin, consent.Review},
		"all others are obscured, anyway": {nearly(2), func(o *pipeline.Order) { o.Mode = pipeline.Cleared }, consent.Obscure},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := verdictOn(t, test.f, test.change)
			if got.Outcome != test.want {
				t.Errorf("%s by %s (%+v), want %s", got.Outcome, got.Rule, got.Match, test.want)
			}
		})
	}
}

// A person's "show" does not hold where what the person went by was something else.
func TestBasis(t *testing.T) {
	stranger, near := person(9), nearly(1)
	twins := func(refused string) func(*pipeline.Order) {
		return func(o *pipeline.Order) {
			subjects := []consent.Subject{{AdmissionNumber: "4021", Lookalikes: []string{"4024", "4025"}}, {AdmissionNumber: "4024"}, {AdmissionNumber: "4025"}, {AdmissionNumber: "4022"}, {AdmissionNumber: "4023"}}
			records := o.Register.Records("4021")
			if refused != "" {
				records = append(records, consent.Record{AdmissionNumber: refused, Party: consent.Guardian, Purpose: consent.AnyPurpose, Decision: consent.Refused, Date: "2025-01-01"})
			}
			reg, err := consent.NewRegister(9, subjects, records)
			if err != nil {
				t.Fatal(err)
			}
			o.Register = reg
		}
	}
	unknown := func(outcome consent.Outcome) func(*pipeline.Order) {
		return func(o *pipeline.Order) { o.UnknownFace = outcome }
	}
	cleared := func(o *pipeline.Order) { o.Mode = pipeline.Cleared }
	journey := func(id string) func(*pipeline.Order) {
		return func(o *pipeline.Order) { o.For, o.Mode = id, pipeline.Cleared }
	}
	for name, test := range map[string]struct {
		f             face.Face
		before, after func(*pipeline.Order)
	}{
		"a lookalike has refused":  {near, twins(""), twins("4025")},
		"another answer by policy": {stranger, unknown(consent.Review), unknown(consent.Obscure)},
		"another way of working":   {stranger, unknown(consent.Review), cleared},
		"another child's record":   {stranger, journey("4022"), journey("4023")},
	} {
		t.Run(name, func(t *testing.T) {
			was, _ := verdictOn(t, test.f, test.before)
			show := ruled(test.f, func(r *pipeline.Ruling) {
				r.As = map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: consent.Show, Bases: []string{was.Basis}}}
			})
			if got, _ := verdictOn(t, test.f, func(o *pipeline.Order) { test.before(o); show(o) }); got.Outcome != consent.Show {
				t.Fatalf("%s by %s where nothing has changed", got.Outcome, got.Rule)
			}
			if got, _ := verdictOn(t, test.f, func(o *pipeline.Order) { test.after(o); show(o) }); got.Outcome == consent.Show {
				t.Errorf("still shown by %s", got.Rule)
			}
		})
	}
}

// Where a face is surely one of two who may not be shown, a person's "show" bares neither.
func TestAPersonsShowDoesNotOverruleTwoRefusals(t *testing.T) {
	f := person(1)
	m := make([]float32, 512)
	m[1], m[2] = 0.7071068, 0.7071068 // as much 4021 as 4022
	f.Templates = face.Templates{face.MobileFaceNet: m}
	refused := func(o *pipeline.Order) { withdraw(t, o, "4022") }
	before, _ := verdictOn(t, f, refused)
	if before.Match.Reason != gallery.ReasonCloseRunnerUp || before.Outcome != consent.Obscure {
		t.Fatalf("%+v, want either of two who may not be shown", before)
	}
	got, _ := verdictOn(t, f, func(o *pipeline.Order) {
		refused(o)
		ruled(f, func(r *pipeline.Ruling) {
			r.As = map[consent.Purpose]pipeline.Verdict{consent.Website: {Outcome: consent.Show, Bases: []string{before.Basis}}}
		})(o)
	})
	if got.Outcome != consent.Obscure {
		t.Errorf("%s by %s", got.Outcome, got.Rule)
	}
}
