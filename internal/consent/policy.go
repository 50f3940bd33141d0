package consent

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// PolicySchema is the version of policy files that this version reads. A file says which it is
// written for, so that a rule that an older version would not know is never left out in silence.
const PolicySchema = 2

// Policy is a school's own rules, from a preset or from a copy of one. Make it with [LoadPreset],
// [ParsePolicy] or [Load]; the zero Policy shows nobody. docs/policies.md describes every key of the
// file. A pointer is nil where the policy says nothing of the matter.
//
// A policy is of one of two kinds: where nobody must have said yes (Consent.Needs is empty),
// NothingSaid shows and Lapsed is there; where somebody must have, NothingSaid does not show and
// Lapsed is nil, since a consent that has run out is then simply missing.
type Policy struct {
	Schema      int             `yaml:"schema" json:"schema"`
	Name        string          `yaml:"name" json:"name"`                 // of the preset, or of the school's own copy
	Source      string          `yaml:"source" json:"source"`             // the written policy that it puts into practice
	NothingSaid Default         `yaml:"nothing_said" json:"nothing_said"` // nobody has said anything
	Consent     Consent         `yaml:"consent" json:"consent"`           // who must have said yes
	Refused     Ground          `yaml:"refused" json:"refused"`           // somebody has refused: always obscured, save for Precedence
	RefusedFor  []PurposeGround `yaml:"refused_for" json:"refused_for"`   // the same, where a clause of its own speaks of the purpose
	Precedence  []Precedence    `yaml:"precedence" json:"precedence"`     // parties who disagree; the first that fits holds
	Lapsed      *Default        `yaml:"lapsed" json:"lapsed"`             // somebody's last word was a grant that has run out
	Leaving     Leaving         `yaml:"leaving" json:"leaving"`
	UnknownFace Default         `yaml:"unknown_face" json:"unknown_face"` // a face that matches nobody
	Doubt       Doubt           `yaml:"doubt" json:"doubt"`
	ThirdParty  *ThirdParty     `yaml:"third_party" json:"third_party"`
	GroupRecord *GroupRecord    `yaml:"group_record" json:"group_record"`
	Names       *Names          `yaml:"names" json:"names"`
	Folders     *Folders        `yaml:"folders" json:"folders"`
	Retention   *Retention      `yaml:"retention" json:"retention"`
	Scrutiny    *Ground         `yaml:"scrutiny" json:"scrutiny"` // who looks at the pictures that are kept
}

// Ground is what an outcome rests on.
type Ground struct {
	Rule   string `yaml:"rule" json:"rule"`     // short name for reports, such as perse-2.1
	Clause string `yaml:"clause" json:"clause"` // what the written policy says, in a sentence
}

// Default is an outcome that the policy sets where no standing record does.
type Default struct {
	Outcome Outcome `yaml:"outcome" json:"outcome"`
	Rule    string  `yaml:"rule" json:"rule"`
	Clause  string  `yaml:"clause" json:"clause"`
}

// PurposeGround is a ground that holds for some purposes.
type PurposeGround struct {
	Purposes []Purpose `yaml:"purposes" json:"purposes"`
	Rule     string    `yaml:"rule" json:"rule"`
	Clause   string    `yaml:"clause" json:"clause"`
}

// Consent says who must have said yes before a subject is shown.
type Consent struct {
	// Needs lists alternatives, each the roles that must all have said yes. Of the guardians one is
	// enough, since a refusal of another obscures anyway. Empty: nobody's yes is needed.
	Needs [][]Party `yaml:"needs" json:"needs"`
	// PupilIfRecorded asks for the pupil's own yes too once the pupil has said anything on the
	// purpose: a yes of the pupil that has run out is then missing.
	PupilIfRecorded bool   `yaml:"pupil_if_recorded" json:"pupil_if_recorded"`
	Rule            string `yaml:"rule" json:"rule"`
	Clause          string `yaml:"clause" json:"clause"`
}

// Precedence says what follows where parties disagree. It cannot show: over a refusal, a person
// decides at most ([Review]), and only where the subject would be shown had the refusal not been.
type Precedence struct {
	Said       Said        `yaml:"said" json:"said"`
	YearGroups *YearGroups `yaml:"year_groups" json:"year_groups"` // nil: any, and also none
	Ages       *Ages       `yaml:"ages" json:"ages"`               // nil: any, and also an unknown one
	Outcome    Outcome     `yaml:"outcome" json:"outcome"`         // Obscure or Review
	Rule       string      `yaml:"rule" json:"rule"`
	Clause     string      `yaml:"clause" json:"clause"`
	Notice     string      `yaml:"notice" json:"notice"` // what is to be done, such as whom to tell; may be empty
}

// Said is what each role must have said: [Granted], [Refused] (which is also how a withdrawal is
// written here), or nothing, where it does not matter. Guardians have refused where one of them has.
type Said struct {
	Pupil            Answer `yaml:"pupil" json:"pupil"`
	Guardian         Answer `yaml:"guardian" json:"guardian"`
	PlacingAuthority Answer `yaml:"placing_authority" json:"placing_authority"`
}

// YearGroups is a range from R (reception) or 1 up to 13, with both ends.
type YearGroups struct {
	From string `yaml:"from" json:"from"`
	To   string `yaml:"to" json:"to"`
}

// Ages is a range of ages in whole years on the day of publication, with both ends. To = 0 means
// that there is no upper end.
type Ages struct {
	From int `yaml:"from" json:"from"`
	To   int `yaml:"to" json:"to"`
}

// Leaving says what becomes of consents when the subject leaves the roll. Refusals always stand.
type Leaving struct {
	Consents       Leave  `yaml:"consents" json:"consents"`
	AfterYears     int    `yaml:"after_years" json:"after_years"`           // grants lapse so many years after the last day on the roll
	KeepWithExpiry bool   `yaml:"keep_with_expiry" json:"keep_with_expiry"` // but a grant with a last day of its own counts until then
	Rule           string `yaml:"rule" json:"rule"`
	Clause         string `yaml:"clause" json:"clause"`
}

// Leave is what becomes of grants when the subject leaves.
type Leave string

// What becomes of grants.
const (
	Stay  Leave = "stay"  // they count until they are changed
	Lapse Leave = "lapse" // they count no longer
)

// Leaves lists what can become of grants.
func Leaves() []Leave { return []Leave{Stay, Lapse} }

// Doubt says who decides on faces that are given to a person.
type Doubt struct {
	Ask    string `yaml:"ask" json:"ask"` // an office, not a name
	Rule   string `yaml:"rule" json:"rule"`
	Clause string `yaml:"clause" json:"clause"`
}

// ThirdParty says for which purposes pictures leave the organisation, and who must approve that.
type ThirdParty struct {
	Purposes []Purpose `yaml:"purposes" json:"purposes"`
	Approval string    `yaml:"approval" json:"approval"` // an office or a document, not a name
	Rule     string    `yaml:"rule" json:"rule"`
	Clause   string    `yaml:"clause" json:"clause"`
}

// GroupRecord says whose consent a picture of several needs in the record of one of them.
type GroupRecord struct {
	Others Others `yaml:"others" json:"others"`
	Rule   string `yaml:"rule" json:"rule"`
	Clause string `yaml:"clause" json:"clause"`
}

// Others is how other children in the picture are treated.
type Others string

// How others are treated. [DecideInRecordOf] asks for their own consent under either: Incidental
// says that a record may also take a picture that is decided as for any other purpose.
const (
	Incidental Others = "incidental"
	OwnConsent Others = "own-consent"
)

// OthersWords lists how others can be treated.
func OthersWords() []Others { return []Others{Incidental, OwnConsent} }

// Names says what the policy wants of names beside and about pictures. consentry itself writes no
// names anywhere; this is for the people who publish.
type Names struct {
	Published       Published `yaml:"published" json:"published"`
	NeverFor        []Purpose `yaml:"never_for" json:"never_for"`                   // no name at all for these
	GuardianUpTo    string    `yaml:"guardian_up_to" json:"guardian_up_to"`         // up to this year group a guardian must agree too
	NeverInFileName bool      `yaml:"never_in_file_name" json:"never_in_file_name"` // nor in a folder's
	Rule            string    `yaml:"rule" json:"rule"`
	Clause          string    `yaml:"clause" json:"clause"`
}

// Published is which names may stand beside a picture.
type Published string

// Which names may stand beside a picture.
const (
	NoNames     Published = "none"
	NoFullNames Published = "no-full-names"
	WithConsent Published = "with-consent"
)

// PublishedWords lists which names may stand beside a picture.
func PublishedWords() []Published { return []Published{NoNames, NoFullNames, WithConsent} }

// Folders says where pictures are kept.
type Folders struct {
	Store   string `yaml:"store" json:"store"`     // in a sentence; may be empty
	Pattern string `yaml:"pattern" json:"pattern"` // see [Policy.FolderFits]; may be empty
	Rule    string `yaml:"rule" json:"rule"`
	Clause  string `yaml:"clause" json:"clause"`
}

// Retention says for how long pictures are kept.
type Retention struct {
	ReferenceMonths   int    `yaml:"reference_months" json:"reference_months"`       // a reference older than so many months is to be taken again; 0: not said
	YearsAfterLeaving *int   `yaml:"years_after_leaving" json:"years_after_leaving"` // nil: not said
	Review            string `yaml:"review" json:"review"`                           // when a person goes through what is kept, in a sentence
	Rule              string `yaml:"rule" json:"rule"`
	Clause            string `yaml:"clause" json:"clause"`
}

func (d Default) ground() Ground       { return Ground{d.Rule, d.Clause} }
func (g PurposeGround) ground() Ground { return Ground{g.Rule, g.Clause} }
func (c Consent) ground() Ground       { return Ground{c.Rule, c.Clause} }
func (l Leaving) ground() Ground       { return Ground{l.Rule, l.Clause} }
func (g GroupRecord) ground() Ground   { return Ground{g.Rule, g.Clause} }

// Digest is the SHA-256, in hex, of all that the policy says. Comments, order of keys and spacing
// of its file do not change it.
func (p Policy) Digest() string {
	data, err := json.Marshal(p)
	if err != nil { // strings, numbers and lists of them always encode
		data = nil
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
