// Package pipeline takes one asset from quarantine to a sealed derivative, or to the reason why
// it is withheld. Read [Line.Photograph] first: it is the way of one photograph, top to bottom;
// every step it names has a file of its own. [Line.Film] is the way of one film; the files of its
// steps begin with film_.
//
// The one rule is fail closed. A step either returns what the next one needs or an error, and an
// error never ends in "released": [KindOf] says whether the job is tried again, held for a person
// or rejected, and whatever it does not know is held.
//
// The package knows the interfaces that it declares and the pure packages below it. It imports
// neither NATS nor OpenCV and starts no process; a lint rule keeps it so.
package pipeline
