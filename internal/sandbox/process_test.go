package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/sandbox"
	"github.com/consentry/consentry/pipeline"
)

const childArgument = "serve-as-child"

// TestMain is also the child: a real process that misbehaves as the bytes handed to it say.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArgument {
		if err := sandbox.Serve(context.Background(), os.Stdin, os.Stdout, &trickster{}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// trickster answers with what it was asked, or does what a hostile file makes a decoder do.
type trickster struct{ data []byte }

func (c *trickster) Decode(_ context.Context, data []byte) (media.Info, error) {
	c.data = data
	switch string(data) {
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	case "exit":
		os.Exit(0)
	case "hang":
		select {}
	case "babble":
		_, _ = io.WriteString(os.Stdout, strings.Repeat("no frame at all ", 100))
		select {}
	case "damaged":
		return media.Info{}, fmt.Errorf("cut off after 3 bytes: %w", media.ErrDamaged)
	case "odd":
		return media.Info{}, errors.New("an odd thing happened")
	}
	return media.Info{Width: len(data), Height: 1}, nil
}

func (c *trickster) Find(context.Context) ([]face.Face, error) {
	return []face.Face{{Box: face.Box{X: 1, Y: 2, W: 3, H: 4}, Score: 0.5, Landmarks: face.Landmarks{{X: 1, Y: 2}}}}, nil
}

func (c *trickster) Describe(_ context.Context, faces []face.Face) ([]face.Face, error) {
	for i := range faces {
		faces[i].Templates = face.Templates{face.DlibResNet: {0.25, -1}}
	}
	return faces, nil
}

func (c *trickster) Obscure(_ context.Context, regions []face.Region, _ obscure.Style) (pipeline.Derivative, error) {
	return pipeline.Derivative{Data: bytes.ToUpper(c.data), Changed: make([]image.Rectangle, len(regions))}, nil
}

func (c *trickster) Inspect(_ context.Context, d pipeline.Derivative) (pipeline.Sighting, error) {
	return pipeline.Sighting{Info: media.Info{Width: len(d.Data)}, Outside: media.Difference{Within: true}}, nil
}

func (c *trickster) Thumbnail(_ context.Context, file []byte) ([]byte, error) { return file[:1], nil }

func (c *trickster) Portrait(_ context.Context, box face.Box) ([]byte, error) {
	return fmt.Appendf(nil, "%v of %s", box, c.data), nil
}

func newProcess(t *testing.T) *sandbox.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := sandbox.NewProcess(sandbox.Command{Path: self, Args: []string{childArgument}}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return p
}

func TestAnswersCrossUnchanged(t *testing.T) {
	ctx, p := t.Context(), newProcess(t)
	info, err := p.Decode(ctx, []byte("photograph"))
	if err != nil || info.Width != len("photograph") {
		t.Fatalf("Decode = %+v, %v", info, err)
	}
	faces, err := p.Find(ctx)
	if err != nil {
		t.Fatal(err)
	}
	faces, err = p.Describe(ctx, faces)
	want := []face.Face{{
		Box: face.Box{X: 1, Y: 2, W: 3, H: 4}, Score: 0.5, Landmarks: face.Landmarks{{X: 1, Y: 2}},
		Templates: face.Templates{face.DlibResNet: {0.25, -1}},
	}}
	if diff := cmp.Diff(want, faces); err != nil || diff != "" {
		t.Fatalf("Describe: %v\n%s", err, diff)
	}
	d, err := p.Obscure(ctx, []face.Region{{RX: 1}}, obscure.SecureBlur)
	if err != nil || string(d.Data) != "PHOTOGRAPH" || len(d.Changed) != 1 {
		t.Fatalf("Obscure = %+v, %v", d, err)
	}
	s, err := p.Inspect(ctx, d)
	if err != nil || s.Info.Width != len("PHOTOGRAPH") || !s.Outside.Within {
		t.Fatalf("Inspect = %+v, %v", s, err)
	}
	portrait, err := p.Portrait(ctx, face.Box{X: 1.5, Y: 2, W: 3, H: 4})
	if err != nil || string(portrait) != "{1.5 2 3 4} of photograph" {
		t.Fatalf("Portrait = %q, %v", portrait, err)
	}
}

func TestThumbnailNeedsNoDecode(t *testing.T) {
	picture, err := newProcess(t).Thumbnail(t.Context(), []byte("xyz"))
	if err != nil || string(picture) != "x" {
		t.Fatalf("Thumbnail = %q, %v", picture, err)
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	p := newProcess(t)
	_, err := p.Decode(t.Context(), []byte("damaged"))
	if !errors.Is(err, media.ErrDamaged) || pipeline.KindOf(err) != pipeline.Reject || !strings.Contains(err.Error(), "cut off after 3 bytes") {
		t.Errorf("damaged came back as %v", err)
	}
	_, err = p.Decode(t.Context(), []byte("odd"))
	if err == nil || errors.Is(err, pipeline.ErrCrashed) || pipeline.KindOf(err) != pipeline.Hold {
		t.Errorf("odd came back as %v", err)
	}
	if _, err := p.Decode(t.Context(), []byte("fine")); err != nil {
		t.Errorf("an error must not end the child: %v", err)
	}
}

func TestDeathCostsOneCall(t *testing.T) {
	for _, death := range []string{"die", "exit", "babble"} {
		t.Run(death, func(t *testing.T) {
			p := newProcess(t)
			_, err := p.Decode(t.Context(), []byte(death))
			if !errors.Is(err, pipeline.ErrCrashed) || pipeline.KindOf(err) != pipeline.Retry {
				t.Fatalf("Decode = %v, want a crash", err)
			}
			if _, err := p.Find(t.Context()); !errors.Is(err, pipeline.ErrCrashed) {
				t.Errorf("Find after the crash = %v: it must not answer for another picture", err)
			}
			if _, err := p.Decode(t.Context(), []byte("fine")); err != nil {
				t.Errorf("the next picture: %v", err)
			}
		})
	}
}

func TestStallEndsWithTheContext(t *testing.T) {
	p := newProcess(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := p.Decode(ctx, []byte("hang"))
	if !errors.Is(err, context.DeadlineExceeded) || pipeline.KindOf(err) != pipeline.Retry {
		t.Fatalf("Decode = %v, want the deadline", err)
	}
	if _, err := p.Decode(t.Context(), []byte("fine")); err != nil {
		t.Errorf("the next picture: %v", err)
	}
}

func TestNoSuchProgram(t *testing.T) {
	p := sandbox.NewProcess(sandbox.Command{Path: "/nonexistent/consentry"}, slog.New(slog.DiscardHandler))
	if _, err := p.Decode(t.Context(), []byte("fine")); err == nil {
		t.Fatal("a child that cannot be started must be an error")
	}
}
