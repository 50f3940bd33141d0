// Package vision is where faces are found and described: OpenCV's networks and go-face appear
// here and nowhere else.
//
// The Finder promises to look at a photograph at every scale at which a face may be, down to
// faces of 20 pixels in 24 megapixels, and to say each face once. It would rather name a hand
// than miss a pupil: what it is not sure of it looks at a second time, enlarged, and drops only
// what that second look does not confirm.
//
// Everything in here runs native code on foreign pixels. It belongs in a child process, one for
// each worker; nothing in here is safe for use by two goroutines at a time.
package vision
