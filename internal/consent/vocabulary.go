// Package consent knows who has agreed to what, and says for one face and one purpose whether it
// is shown, obscured, or given to a person to decide, with the rule and the records that led there.
//
// It promises:
//   - It is pure. It reads what it is handed, has no clock, writes nothing; the same register,
//     policy, subject, purpose and date always give the same [Decision].
//   - It fails closed. What it cannot make sense of is obscured or given to a person, never shown.
//   - It is strict. A register or policy file is taken as a whole or refused as a whole, with the
//     place of every fault, and without repeating what stood in a cell, which could be a name.
//
// People are known by admission number only.
package consent

import (
	"slices"
	"strings"
)

// Purpose is the publication channel that a picture is meant for, or [Biometric].
type Purpose string

// The purposes of a publication, and the three that are none: [AnyPurpose] stands for all of them
// in a record, [Biometric] is the separate consent to be enrolled, and [Identification] names the
// source of reference photographs, which are never published.
const (
	InternalDisplay   Purpose = "internal-display"
	CommunityComms    Purpose = "community-comms" // email, intranet, newsletter, post
	Website           Purpose = "website"
	SocialMedia       Purpose = "social-media"
	Prospectus        Purpose = "prospectus"
	Press             Purpose = "press" // local papers, media
	Advertising       Purpose = "advertising"
	Production        Purpose = "production"       // plays and concerts, professionally filmed
	LearningJourney   Purpose = "learning-journey" // another child's record
	TrainingPortfolio Purpose = "training-portfolio"
	FunderReport      Purpose = "funder-report"

	AnyPurpose     Purpose = "*"
	Biometric      Purpose = "biometric"
	Identification Purpose = "identification"
)

// PublicationPurposes lists what a derivative can be made for, in the order of the documentation.
func PublicationPurposes() []Purpose {
	return []Purpose{
		InternalDisplay, CommunityComms, Website, SocialMedia, Prospectus, Press, Advertising,
		Production, LearningJourney, TrainingPortfolio, FunderReport,
	}
}

// recordPurposes lists what a consent record can be about.
func recordPurposes() []Purpose {
	return append(PublicationPurposes(), AnyPurpose, Biometric)
}

// IsPublication says whether a derivative can be made for the purpose.
func (p Purpose) IsPublication() bool {
	switch p { // and not a search in a list, since every decision asks
	case InternalDisplay, CommunityComms, Website, SocialMedia, Prospectus, Press, Advertising,
		Production, LearningJourney, TrainingPortfolio, FunderReport:
		return true
	}
	return false
}

// Party is who speaks for a subject: [Pupil], [Guardian], a numbered guardian ("guardian-1" to
// "guardian-9"), or [PlacingAuthority]. Each numbered guardian is a person of their own, so that two
// who disagree can be told from one who changed their mind; "guardian" is one more.
type Party string

// The parties, and the roles that they speak in. A guardian is somebody with parental responsibility.
const (
	Pupil            Party = "pupil"
	Guardian         Party = "guardian"
	PlacingAuthority Party = "placing-authority"
)

// Parties lists the roles in which somebody speaks for a subject. A record can also be of a numbered
// guardian; see [Party.Valid].
func Parties() []Party { return []Party{Pupil, Guardian, PlacingAuthority} }

// The places of the parties in a list with one entry for each, in the order in which they are told.
const (
	placePupil     = 0
	placeGuardian  = 1 // 2 to 10 are the numbered guardians
	placeAuthority = 11
	placesOfAll    = 12
)

// place is the party's own place from 0 to 11, or -1 where it is no party.
func (p Party) place() int {
	switch p {
	case Pupil:
		return placePupil
	case Guardian:
		return placeGuardian
	case PlacingAuthority:
		return placeAuthority
	}
	number, ok := strings.CutPrefix(string(p), string(Guardian)+"-")
	if !ok || len(number) != 1 || number[0] < '1' || number[0] > '9' {
		return -1
	}
	return placeGuardian + int(number[0]-'0')
}

// Valid says whether somebody of this name can speak for a subject.
func (p Party) Valid() bool { return p.place() >= 0 }

// Role is what the party speaks as: [Guardian] for guardian-2, the party itself for the others, and
// nothing for what is no party.
func (p Party) Role() Party {
	switch place := p.place(); {
	case place < 0:
		return ""
	case place > placeGuardian && place < placeAuthority:
		return Guardian
	}
	return p
}

// Answer is what a party has said: the decision column of a record. (What follows from the answers
// for a face is a [Decision].)
type Answer string

// The answers. Withdrawn is a refusal by somebody who had agreed before.
const (
	Granted   Answer = "granted"
	Refused   Answer = "refused"
	Withdrawn Answer = "withdrawn"
)

// Answers lists what a party can say.
func Answers() []Answer { return []Answer{Granted, Refused, Withdrawn} }

// Outcome is what becomes of one face for one purpose.
type Outcome string

// The outcomes. Review means that a person decides, and that the picture is withheld until then.
const (
	Show    Outcome = "show"
	Obscure Outcome = "obscure"
	Review  Outcome = "review"
)

// Outcomes lists what can become of a face.
func Outcomes() []Outcome { return []Outcome{Show, Obscure, Review} }

// parseWord finds text among the words of a closed vocabulary; ok is false where it is not one.
func parseWord[T ~string](text string, words []T) (word T, ok bool) {
	if i := slices.Index(words, T(text)); i >= 0 {
		return words[i], true
	}
	return "", false
}
