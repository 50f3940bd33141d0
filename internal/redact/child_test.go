package redact_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/consentry/consentry/internal/consent"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/film"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/redact"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/pipeline"
)

const (
	childArgument = "serve-as-child"
	runArgument   = "run-as-parent"
)

// TestMain is also the child, and a whole run that a test can kill. The child is a real process;
// it needs no weights, and a picture's width says how it behaves.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == childArgument:
		if err := sandbox.Serve(context.Background(), os.Stdin, os.Stdout, &eyes{diary: os.Args[2]}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case len(os.Args) == 3 && os.Args[1] == runArgument:
		if _, err := redact.Run(context.Background(), optionsIn(os.Args[2], os.Args[0])); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Widths of pictures that misbehave.
const (
	deadly  = 101 // kills the child
	endless = 102 // stalls it
	slow    = 103 // takes a moment, so that a run can be caught in the middle
	broken  = 104 // cannot be decoded
	faulty  = 105 // comes out damaged
)

// eyes is the child: every picture has one face in its middle.
type eyes struct {
	diary string // a line for each picture taken up
	data  []byte
	size  image.Config
}

func (e *eyes) Decode(_ context.Context, data []byte) (media.Info, error) {
	size, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return media.Info{}, fmt.Errorf("%w: %w", media.ErrDamaged, err)
	}
	if err := e.note(size.Width); err != nil {
		return media.Info{}, err
	}
	switch size.Width {
	case deadly:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case endless:
		select {}
	case slow:
		time.Sleep(20 * time.Millisecond) // the work itself: not waited for by any test
	case broken:
		return media.Info{}, fmt.Errorf("cut off: %w", media.ErrDamaged)
	}
	e.data, e.size = data, size
	return media.Info{Format: media.PNG, OutputFormat: media.PNG, Width: size.Width, Height: size.Height}, nil
}

func (e *eyes) note(width int) error {
	f, err := os.OpenFile(e.diary, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, width)
	return err
}

func (e *eyes) Find(context.Context) ([]face.Face, error) {
	return []face.Face{{Box: face.Box{X: 10, Y: 10, W: 20, H: 20}, Score: 0.9}}, nil
}

func (e *eyes) Describe(_ context.Context, faces []face.Face) ([]face.Face, error) { return faces, nil }

func (e *eyes) Obscure(_ context.Context, regions []face.Region, _ obscure.Style) (pipeline.Derivative, error) {
	changed := make([]image.Rectangle, len(regions))
	for i := range changed {
		changed[i] = image.Rect(5, 5, 35, 35)
	}
	data := e.data
	if e.size.Width == faulty {
		data = append(bytes.Clone(data), "what does not belong there"...)
	}
	return pipeline.Derivative{Data: data, Changed: changed}, nil
}

func (e *eyes) Inspect(context.Context, pipeline.Derivative) (pipeline.Sighting, error) {
	return pipeline.Sighting{
		Info: media.Info{Width: e.size.Width, Height: e.size.Height}, Outside: media.Difference{Within: true},
	}, nil
}

func (e *eyes) Thumbnail(context.Context, []byte) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil)
	return b.Bytes(), err
}

func (e *eyes) Portrait(ctx context.Context, _ face.Box) ([]byte, error) {
	return e.Thumbnail(ctx, nil)
}

type silent struct{}

func (silent) Enrolling(int, int)       {}
func (silent) Processing(int, int)      {}
func (silent) Film(redact.FilmProgress) {}
func (silent) Note(string)              {}

// optionsIn is a run in mode everyone over dir/in into dir/out, with its state in dir/state.
func optionsIn(dir, self string) redact.Options {
	return redact.Options{
		Paths: []string{filepath.Join(dir, "in")}, Purposes: []consent.Purpose{consent.Website}, Out: filepath.Join(dir, "out"),
		Preset: "lumen", Mode: pipeline.Everyone, WhenNotEnrolled: redact.Stop, Style: obscure.SecureBlur,
		Workers: 2, TimeOut: time.Minute, Limits: media.DefaultLimits(),
		Film: pipeline.FilmOptions{Every: 3, Encoding: film.DefaultEncoding()}, FilmLimits: film.DefaultLimits(),
		StateDir: filepath.Join(dir, "state"), WorkDir: filepath.Join(dir, "work"), KeyPath: filepath.Join(dir, "clearance.key"),
		ModelDigest: strings.Repeat("cd", 32),
		Child:       sandbox.Command{Path: self, Args: []string{childArgument, filepath.Join(dir, "diary")}},
		Now:         time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Progress: silent{},
	}
}

func newOptions(t *testing.T) (dir string, o redact.Options) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir, optionsIn(dir, self)
}

// put writes a picture of the width; the height makes pictures of one width differ.
func put(t *testing.T, dir, name string, width, height int) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "in", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// looks counts how often a picture of the width was taken up by a child.
func looks(t *testing.T, dir string, width int) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "diary"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	n := 0
	for _, line := range strings.Fields(string(text)) {
		if line == fmt.Sprint(width) {
			n++
		}
	}
	return n
}
