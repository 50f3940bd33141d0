// Package redact is one run over a batch of files on this machine: it reads the register and the
// references, submits every file to the bus, lets workers take the jobs, and writes derivatives,
// clearances and the report.
//
// There is no second way past the bus: the run starts the NATS server inside of its own process
// and submits jobs to itself.
//
// It promises that after it a file lies in the place of an input's derivative only if it was released
// by this run, or by an earlier one that depended on the same things: whatever else an earlier run
// left there is taken away before the first photograph is looked at. (A run that is refused, for
// wrong usage or a bad reference, changes nothing.) Paths, which may hold names, stay in
// this package and in what it prints; the bus and the logs know assets by their digests.
package redact
