package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/consentry/consentry/pipeline"
)

// stopTime is how long a child may take to end by itself once its input is closed.
const stopTime = 2 * time.Second

// child is a running child process.
type child struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     io.ReadCloser
	words   *lastWords
	log     *slog.Logger
}

// startChild starts a child in a process group of its own, with one thread for each library, and
// tied to our life.
func startChild(c Command, log *slog.Logger) (*child, error) {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env = childEnvironment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	words := &lastWords{}
	cmd.Stderr = words
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &child{command: cmd, in: in, out: out, words: words, log: log}, nil
}

// childEnvironment gives a child what its libraries need and nothing that could hold a secret.
//
// One thread for each library: a worker that looks at photographs is meant to fill one core, and two
// goroutines share two where it watches a film. PATH is where ffmpeg is found. Large buffers of the C
// libraries are given back to the system when they are freed, until a film is looked at, and Go's heap is kept small:
// measured on the samples, 440 MB at the peak instead of 800, at the same speed.
func childEnvironment() []string {
	env := []string{
		"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "GOMAXPROCS=2", "GOGC=50",
		"MALLOC_ARENA_MAX=2", "MALLOC_MMAP_THRESHOLD_=1048576", "MALLOC_TRIM_THRESHOLD_=16777216",
	}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "GOCOVERDIR", "TMPDIR", "LANG"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// answer is what came back for one request.
type answer struct {
	response response
	body     []byte
	err      error
}

// call exchanges one request for one answer, and passes word of how far it is to told, which is nil for
// calls that give none. After an error the child is out of step.
func (c *child) call(ctx context.Context, q request, body []byte, told func(pipeline.Frames)) (response, []byte, error) {
	done := make(chan answer, 1)
	go func() { done <- c.exchange(q, body, told) }()
	select {
	case a := <-done:
		return a.response, a.body, a.err
	case <-ctx.Done():
		c.kill()
		<-done // the pipes are broken now, so it ends
		return response{}, nil, context.Cause(ctx)
	}
}

func (c *child) exchange(q request, body []byte, told func(pipeline.Frames)) (a answer) {
	if a.err = writeFrame(c.in, q, body); a.err != nil {
		a.err = fmt.Errorf("asking: %w", a.err)
		return a
	}
	for {
		a.response = response{}
		if a.body, a.err = readFrame(c.out, &a.response); a.err != nil {
			a.err = fmt.Errorf("waiting for the answer: %w", a.err)
			return a
		}
		if a.response.Progress == nil {
			return a
		}
		if told == nil {
			a.err = fmt.Errorf("%w: progress of a call that makes none", errFrame)
			return a
		}
		told(*a.response.Progress)
	}
}

// kill ends the child's whole process group at once.
func (c *child) kill() {
	// The group may be gone already; there is nothing to be done about that.
	_ = syscall.Kill(-c.command.Process.Pid, syscall.SIGKILL)
}

// stop ends the child: by closing its input, and by force if that does not do.
func (c *child) stop() error {
	closeErr := c.in.Close()
	timer := time.AfterFunc(stopTime, c.kill)
	defer timer.Stop()
	err := c.command.Wait()
	if err != nil {
		c.log.Debug("child ended", "error", err, "last_words", c.words.String())
		return fmt.Errorf("the child ended: %w", err)
	}
	if errors.Is(closeErr, os.ErrClosed) {
		return nil
	}
	return closeErr
}

// lastWords keeps the end of what a child writes to its standard error.
type lastWords struct{ text []byte }

const maxLastWords = 2048

// Write implements io.Writer.
func (l *lastWords) Write(p []byte) (int, error) {
	l.text = append(l.text, p...)
	if n := len(l.text) - maxLastWords; n > 0 {
		l.text = append(l.text[:0], l.text[n:]...)
	}
	return len(p), nil
}

// String is read after the child has ended.
func (l *lastWords) String() string { return strings.TrimSpace(string(l.text)) }
