// Package enrolment says which photographs may become references, and keeps what was made of them.
//
// It promises that
//
//   - nobody is enrolled whose biometric consent does not allow it: the photograph of such a subject
//     is not even opened, what was enrolled before is destroyed by [Reconcile], and the order of all
//     writes is such that a kill at any moment leaves nothing that the next Reconcile does not find;
//   - a photograph is a reference only if it shows one face, well enough that both describers speak
//     of it, and if it looks like the other references of its subject and not more like somebody
//     else's; what is refused is refused with every reason and what to do about each;
//   - the order of photographs does not decide which of them are refused;
//   - a stored reference that cannot be read is an error and never a missing one, and one that other
//     models made never takes part in a match.
//
// Nothing here names a person other than by admission number. File names, which may hold names of
// people, are only in what [Session.Run] hands back for the command line to show.
package enrolment
