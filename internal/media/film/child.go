package film

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/consentry/consentry/internal/media"
)

// child is one running ffmpeg or ffprobe, in a process group of its own and tied to our life.
type child struct {
	cmd     *exec.Cmd
	ctx     context.Context
	words   *lastWords
	stalled atomic.Bool
	done    chan struct{} // closed once the process is gone and reaped
	err     error         // how it ended; read after done
}

// lingering is how long pipes of a child that was ended may stay open in its own children.
const lingering = 2 * time.Second

// start runs the program. Its ends of in, out and extra are closed here, whatever happens; nil is /dev/null.
func start(ctx context.Context, program string, args []string, in, out *os.File, extra ...*os.File) (*child, error) {
	defer closeAll(append(extra, in, out)...)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c := &child{cmd: cmd, ctx: ctx, words: &lastWords{}, done: make(chan struct{})}
	if in != nil { // a nil *os.File in an interface is not nil
		cmd.Stdin = in
	}
	if out != nil {
		cmd.Stdout = out
	}
	cmd.Stderr, cmd.ExtraFiles = c.words, extra
	cmd.Cancel = func() error { c.kill(); return nil }
	cmd.WaitDelay = lingering
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("starting ffmpeg: %w", errors.Join(ErrNoFFmpeg, errors.Unwrap(err)))
	}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// environment gives a child what its libraries need and nothing that could hold a secret; English, because
// error texts are read.
func environment() []string {
	env := []string{"LC_ALL=C", "AV_LOG_FORCE_NOCOLOR=1", "MALLOC_ARENA_MAX=2"}
	for _, name := range []string{"LD_LIBRARY_PATH", "TMPDIR", "PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close() // pipes: there is nothing that could be lost
		}
	}
}

// kill ends the child's whole process group at once. Once it is reaped, its number may be another's.
func (c *child) kill() {
	select {
	case <-c.done:
	default:
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // it may be ending just now; that is all right
	}
}

// stop ends the child and waits until it is gone.
func (c *child) stop() {
	c.kill()
	<-c.done
}

// stall ends the child because it made no progress.
func (c *child) stall() error {
	c.stalled.Store(true)
	c.stop()
	return ErrStalled
}

// wait says how the child ended; kind is what an exit status of its own stands for.
func (c *child) wait(kind error) error {
	<-c.done
	switch {
	case c.err == nil:
		return nil
	case c.stalled.Load():
		return ErrStalled
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	}
	exit := (*exec.ExitError)(nil)
	if !errors.As(c.err, &exit) || !exit.Exited() {
		return fmt.Errorf("it was ended: %w", ErrDied)
	}
	if cause := c.words.cause(); cause != nil {
		return cause
	}
	return fmt.Errorf("exit status %d: %w", exit.ExitCode(), kind)
}

// watch ends the child when it neither reads nor writes for as long as stall, as the system counts. It is for
// children whose work we do not see piece by piece, like moving the index to the front of a file.
func (c *child) watch(stall time.Duration) {
	tick := time.NewTicker(max(stall/8, time.Millisecond))
	defer tick.Stop()
	last, since := "", time.Now()
	for {
		select {
		case <-c.done:
			return
		case now := <-tick.C:
			// A child that has just ended has no such file; the other case then comes next.
			if moved, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", c.cmd.Process.Pid)); err == nil && string(moved) != last {
				last, since = string(moved), now
			}
			if now.Sub(since) > stall {
				c.stalled.Store(true)
				c.kill()
			}
		}
	}
}

// run starts the program, gives each piece of its output to use, and waits for its end.
func run(ctx context.Context, program string, args []string, stall time.Duration, kind error, use func(io.Reader) error) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	defer r.Close()
	c, err := start(ctx, program, args, nil, w)
	if err != nil {
		return err
	}
	go c.watch(stall)
	useErr := use(r)
	if useErr != nil {
		c.kill()
	}
	err = c.wait(kind)
	if useErr != nil && (err == nil || errors.Is(err, ErrDied)) {
		return useErr
	}
	return err
}

// pipeBytes is the size of the pipes for pictures: the most that Linux grants without privilege. A frame of
// 1080p then takes three system calls instead of fifty.
const pipeBytes = 1 << 20

// picturePipe makes a large pipe.
func picturePipe() (r, w *os.File, err error) {
	r, w, err = os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("making a pipe: %w", err)
	}
	// Refused where the user holds too many large pipes already; it only costs speed.
	_ = control(w, func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeBytes) })
	return r, w, nil
}

// control works on the descriptor without making it blocking, as Fd would.
func control(f *os.File, fn func(fd uintptr)) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(fn)
}

// lastWords keeps the beginning and the end of what a child writes to its standard error.
type lastWords struct{ head, tail []byte }

const maxWords = 4096

// Write implements io.Writer.
func (l *lastWords) Write(p []byte) (int, error) {
	n := len(p)
	k := min(maxWords-len(l.head), n)
	l.head = append(l.head, p[:k]...)
	l.tail = append(l.tail, p[k:]...)
	if over := len(l.tail) - maxWords; over > 0 {
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
	return n, nil
}

// cause knows some causes by ffmpeg's words, nil for any other. It is called after the child has ended. The words
// themselves go nowhere: they may hold paths and titles.
func (l *lastWords) cause() error {
	says := func(text string) bool {
		return strings.Contains(string(l.head), text) || strings.Contains(string(l.tail), text)
	}
	switch {
	case says("No space left on device"), says("File too large"), says("Disk quota exceeded"):
		return ErrNoSpace
	case says("Error reinitializing filters"):
		return ErrSizeChange
	case says("Cannot determine format of input stream"):
		return ErrNoFrames
	case says("corrupt input packet"), says("corrupt decoded frame"), says("Invalid data found"):
		return media.ErrDamaged
	case says("Cannot allocate memory"):
		return fmt.Errorf("out of memory: %w", ErrDied)
	case says("Decoder (codec "), says("Unknown decoder"):
		return fmt.Errorf("no decoder: %w", media.ErrUnsupported)
	}
	return nil
}

// beganLate says whether the complaints begin with one about parameters, or a picture to begin with, that lie before the
// beginning of the film, as in captures of broadcasts and in films split by bytes.
func (l *lastWords) beganLate() bool {
	first, _, _ := strings.Cut(string(l.head), "\n")
	for _, text := range []string{"non-existing PPS", "non-existing SPS", "PPS id out of range", "Could not find ref with POC", "Invalid frame dimensions 0x0"} {
		if strings.Contains(first, text) {
			return true
		}
	}
	return false
}

// spoke says whether there was any complaint. Two do not count, by which H.264 says that it would use pictures from before
// the place where decoding began: those that need them are not given out.
func (l *lastWords) spoke() bool {
	for line := range strings.Lines(string(l.head)) {
		harmless := strings.Contains(line, "mmco: unref short failure") || strings.Contains(line, "co located POCs unavailable")
		if strings.TrimSpace(line) != "" && !harmless {
			return true
		}
	}
	return len(l.tail) > 0
}
