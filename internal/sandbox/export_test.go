package sandbox

import "time"

// SetStall makes a process less patient.
func SetStall(p *Process, d time.Duration) { p.stall = d }
