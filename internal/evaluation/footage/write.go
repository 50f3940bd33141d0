package footage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
)

// Write makes the film as H.264 in an MP4 at path, with the ffmpeg program given: CRF 18, the preset veryfast, BT.709.
func (f *Film) Write(ctx context.Context, ffmpeg, path string) error {
	cmd := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-nostdin", "-y",
		"-f", "rawvideo", "-pix_fmt", "rgb24", "-s", fmt.Sprintf("%dx%d", f.Width, f.Height),
		"-r", strconv.FormatFloat(f.Rate, 'f', -1, 64), "-i", "pipe:0",
		"-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
		"-colorspace", "bt709", "-color_trc", "bt709", "-color_primaries", "bt709", "-color_range", "tv",
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "18", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("making a film: %w", err)
	}
	said := &firstWords{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("making a film: %w", err)
	}
	err = errors.Join(f.stream(in), in.Close())
	if waited := cmd.Wait(); waited != nil {
		return fmt.Errorf("making a film: %w: %s", waited, said.text)
	}
	return err
}

// stream writes all frames as raw RGB.
func (f *Film) stream(out io.Writer) error {
	c := newCanvas(f)
	rgb := make([]byte, 3*f.Width*f.Height)
	for n := range f.Frames() {
		f.render(c, n, rgb)
		if _, err := out.Write(rgb); err != nil {
			return fmt.Errorf("handing over frame %d: %w", n, err)
		}
	}
	return nil
}

// firstWords keeps the beginning of what a program complains about.
type firstWords struct{ text []byte }

func (t *firstWords) Write(p []byte) (int, error) {
	t.text = append(t.text, p[:min(len(p), 500)]...)
	t.text = t.text[:min(len(t.text), 500)]
	return len(p), nil
}
