package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/consentry/consentry/internal/redact"
)

// Throughput is how fast a batch goes with a number of workers.
type Throughput struct {
	Workers   int
	PerSecond float64 // photographs, once every worker has started
}

// clock is a progress that notes when each photograph was done.
type clock struct {
	mu    sync.Mutex
	times []time.Time
}

// Enrolling implements redact.Progress.
func (*clock) Enrolling(int, int) {}

// Film implements redact.Progress.
func (*clock) Film(redact.FilmProgress) {}

// Note implements redact.Progress.
func (*clock) Note(string) {}

// Processing implements redact.Progress.
func (c *clock) Processing(done, _ int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if done > 0 {
		c.times = append(c.times, time.Now())
	}
}

// MeasureThroughput runs a batch. The photographs that are done while the workers load their
// models do not count: the clock starts when as many are done as there are jobs under way at first.
func MeasureThroughput(ctx context.Context, o redact.Options, workers int) (Throughput, error) {
	c := &clock{}
	o.Workers, o.Progress = workers, c
	s, err := redact.Run(ctx, o)
	if err != nil {
		return Throughput{}, err
	}
	if s.Failed+s.Withheld > 0 {
		return Throughput{}, fmt.Errorf("%d failed and %d withheld of the batch", s.Failed, s.Withheld)
	}
	first := 2 * workers
	if len(c.times) <= first+1 {
		return Throughput{}, errors.New("the batch is too small to be measured")
	}
	took := c.times[len(c.times)-1].Sub(c.times[first-1])
	return Throughput{Workers: workers, PerSecond: float64(len(c.times)-first) / took.Seconds()}, nil
}

// Copies writes each photograph n times into a folder; a comment of its own makes each copy another
// asset.
func Copies(dir string, photographs [][]byte, n int) error {
	for i := range n {
		for j, data := range photographs {
			name := filepath.Join(dir, fmt.Sprintf("%03d-%d.jpg", i, j+1))
			if err := os.WriteFile(name, withComment(data, fmt.Sprint("copy ", i)), 0o600); err != nil {
				return fmt.Errorf("writing the batch: %w", err)
			}
		}
	}
	return nil
}

// withComment adds a COM segment (ITU-T T.81 B.2.4.5) after the start of a JPEG.
func withComment(jpeg []byte, text string) []byte {
	n := len(text) + 2
	out := append([]byte{0xff, 0xd8, 0xff, 0xfe, byte(n >> 8), byte(n)}, text...)
	return append(out, jpeg[2:]...)
}

// PeakOfChildren is the largest resident set, in bytes, of any child process that has ended.
func PeakOfChildren() (int64, error) { return peak(syscall.RUSAGE_CHILDREN) }

func peak(who int) (int64, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		return 0, fmt.Errorf("asking for the memory used: %w", err)
	}
	return usage.Maxrss << 10, nil
}
