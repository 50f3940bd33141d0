package enrolment

import (
	"slices"

	"github.com/consentry/consentry/internal/gallery"
)

// Stranger says why a photograph that is good enough on its own cannot be a reference of its subject.
type Stranger struct {
	Subject string // whose reference it was to be
	Rival   string // whom it is like instead; empty where it is only unlike its own subject
	Text    string
}

func (e *Stranger) Error() string { return e.Text }

// Admit says whether a new reference may join the gallery as one of the subject. It must look like
// the subject's other references (be at least unsure with one of them) and not clearly more like
// another subject; the first reference of a subject must not be a confident match of somebody else.
// The lookalikes that the register declares may be more alike. The note says where somebody else is
// as like it. The error is a
// [*Stranger]. References that come together must be judged together, as [Session.Run] does.
func Admit(c Candidate, subject string, g *gallery.Gallery, lookalikes []string) (note string, err error) {
	j := newJudge(g, func(string) []string { return lookalikes })
	n := j.add(gallery.Reference{Subject: subject, Digest: c.Digest, Templates: c.Templates})
	j.judge()
	if n.verdict != nil {
		return "", n.verdict
	}
	return n.note, nil
}

// newcomer is a reference that wants to join.
type newcomer struct {
	reference gallery.Reference
	verdict   *Stranger // why it may not join; nil while nothing speaks against it
	note      string
	// explained: it was refused as somebody else's on the word of references that stand. That the
	// rest of its subject did not look like it then says nothing against them.
	explained bool

	// How like the gallery's references it is, and those of the other newcomers that matter.
	own, other, alike likeness
	peers             []likeness // newcomers of the same subject
	others            []likeness // newcomers of other subjects, where at least unsure
	kin               []likeness // newcomers who are declared lookalikes, likewise
}

func (n *newcomer) subject() string { return n.reference.Subject }

// likeness is how like somebody a reference is.
type likeness struct {
	subject  string
	score    float64
	newcomer *newcomer // whose photograph that is, nil where it is one of the gallery
	found    bool
}

// best is the highest of the likenesses with the gallery and with those newcomers that still stand.
func best(l likeness, newcomers []likeness) likeness {
	for _, o := range newcomers {
		if o.newcomer.verdict == nil && (!l.found || o.score > l.score) {
			l = o
		}
	}
	return l
}

// judge lets newcomers join a gallery or refuses them.
type judge struct {
	gallery    *gallery.Gallery
	limits     gallery.Thresholds
	lookalikes func(subject string) []string
	newcomers  []*newcomer
}

func newJudge(g *gallery.Gallery, lookalikes func(subject string) []string) *judge {
	return &judge{gallery: g, limits: g.Thresholds(), lookalikes: lookalikes}
}

// add compares a newcomer with the gallery and with all newcomers before it.
func (j *judge) add(r gallery.Reference) *newcomer {
	n := &newcomer{reference: r}
	lookalikes := j.lookalikes(r.Subject)
	j.ask(n, lookalikes)
	for _, o := range j.newcomers {
		score, ok := gallery.Score(r.Templates, o.reference.Templates)
		if ok {
			j.link(n, o, score, lookalikes)
		}
	}
	j.newcomers = append(j.newcomers, n)
	return n
}

// ask compares a newcomer with the gallery.
func (j *judge) ask(n *newcomer, lookalikes []string) {
	t, subject := n.reference.Templates, n.subject()
	n.own.subject = subject
	n.own.score, n.own.found = j.gallery.BestOf(t, subject)
	for _, l := range lookalikes {
		if score, ok := j.gallery.BestOf(t, l); ok && (!n.alike.found || score > n.alike.score) {
			n.alike = likeness{subject: l, score: score, found: true}
		}
	}
	n.other.subject, n.other.score, n.other.found = j.gallery.Nearest(t, subject)
	if slices.Contains(lookalikes, n.other.subject) {
		rest := j.gallery.Only(func(id string) bool { return !slices.Contains(lookalikes, id) })
		n.other.subject, n.other.score, n.other.found = rest.Nearest(t, subject)
	}
}

// link notes how alike two newcomers are. Lookalikes hold in both directions.
func (j *judge) link(a, b *newcomer, score float64, lookalikes []string) {
	to := func(n *newcomer) likeness { return likeness{n.subject(), score, n, true} }
	switch {
	case a.subject() == b.subject():
		a.peers, b.peers = append(a.peers, to(b)), append(b.peers, to(a))
	case score < j.limits.Unsure: // it matters to no rule
	// The very same file cannot show both, however alike they are.
	case slices.Contains(lookalikes, b.subject()) && a.reference.Digest != b.reference.Digest:
		a.kin, b.kin = append(a.kin, to(b)), append(b.kin, to(a))
	default:
		a.others, b.others = append(a.others, to(b)), append(b.others, to(a))
	}
}
