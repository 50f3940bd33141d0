// Package sandbox runs the risky steps, those that decode foreign bytes with C and C++ libraries,
// in a child process: this very binary, re-executed with a hidden subcommand.
//
// [Process] is the parent's side and implements pipeline.Vision; [Serve] is the child's. They
// speak over the child's standard input and output in frames: a JSON header and the bytes of a
// file. The child is handed files as bytes, never as paths, and gets no key, register or gallery.
//
// Promises: a child that crashes, stalls beyond the context's deadline, or answers nonsense costs
// the call in which it did so, and the error wraps pipeline.ErrCrashed; the next Decode starts a
// new child. When the parent dies, by whatever cause, the child dies with it.
package sandbox
