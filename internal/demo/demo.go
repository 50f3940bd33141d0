// Package demo lays out the main job on the six sample photographs: an event to publish, a
// register in which pupil 4021 has refused the website, and the reference photograph of that
// pupil, cut out of the third sample. The tests use the same layout.
package demo

import (
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/consentry/consentry/internal/media/film"
)

// Subject is the pupil of the demonstration.
const Subject = "4021"

// Layout is where the parts of the demonstration lie.
type Layout struct {
	Event      string // folder with sample1.jpg … sample6.jpg
	Register   string // folder with subjects.csv and consents.csv
	References string // folder with 4021.jpg
	Out        string // folder for the derivatives; not made
}

// At is the layout in a folder.
func At(dir string) Layout {
	return Layout{
		Event:      filepath.Join(dir, "event"),
		Register:   filepath.Join(dir, "register"),
		References: filepath.Join(dir, "references"),
		Out:        filepath.Join(dir, "released"),
	}
}

const (
	subjects = "admission_number,year_group,class,born,joined,leaves,lookalikes\n" +
		Subject + ",11,11B,,2021-09-01,,\n"
	consents = "admission_number,party,purpose,decision,date,expires,recorded_by,evidence\n" +
		Subject + ",guardian,biometric,granted,2025-09-01,,office,form-17\n" +
		Subject + ",guardian,website,refused,2025-09-01,,office,form-17\n"
)

// Prepare writes the layout into dir; samples is the folder with the six photographs.
func Prepare(samples, dir string) (Layout, error) {
	l := At(dir)
	for _, d := range []string{l.Event, l.Register, l.References} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return Layout{}, fmt.Errorf("preparing the demonstration: %w", err)
		}
	}
	for i := 1; i <= 6; i++ {
		name := fmt.Sprintf("sample%d.jpg", i)
		if err := copyFile(filepath.Join(samples, name), filepath.Join(l.Event, name)); err != nil {
			return Layout{}, err
		}
	}
	for name, text := range map[string]string{"subjects.csv": subjects, "consents.csv": consents} {
		if err := os.WriteFile(filepath.Join(l.Register, name), []byte(text), 0o644); err != nil {
			return Layout{}, fmt.Errorf("preparing the demonstration: %w", err)
		}
	}
	return l, cutOut(filepath.Join(samples, "sample3.jpg"), woman(), filepath.Join(l.References, Subject+".jpg"))
}

// AddFilm adds a film of three seconds to the event: a pan over the third sample, at whose beginning the woman is not in
// the picture yet, with a tone.
func AddFilm(ctx context.Context, samples string, l Layout) error {
	tools, err := film.FindTools()
	if err != nil {
		return err
	}
	const pan = "scale=1280:-2,crop=640:360:x=min(in_w-out_w\\,250*t):y=50,scale=out_range=tv,format=yuv420p"
	out, err := exec.CommandContext(ctx, tools.FFmpeg, "-v", "error", "-nostdin", "-y",
		"-loop", "1", "-framerate", "20", "-t", "3", "-i", filepath.Join(samples, "sample3.jpg"),
		"-f", "lavfi", "-t", "3", "-i", "sine=frequency=440", "-vf", pan,
		"-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", filepath.Join(l.Event, "film.mp4")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("making the demonstration's film: %w: %s", err, out)
	}
	return nil
}

// woman is where the woman in the middle of sample3.jpg is, read off the photograph.
func woman() image.Rectangle { return image.Rect(980, 100, 1420, 560) }

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading a sample photograph: %w", err)
	}
	return os.WriteFile(to, data, 0o644)
}

// cutOut writes a part of a photograph as a JPEG of its own.
func cutOut(from string, part image.Rectangle, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("cutting out a reference: %w", err)
	}
	defer in.Close()
	whole, err := jpeg.Decode(in)
	if err != nil {
		return fmt.Errorf("cutting out a reference: %w", err)
	}
	cut := image.NewRGBA(image.Rect(0, 0, part.Dx(), part.Dy()))
	draw.Draw(cut, cut.Bounds(), whole, part.Min, draw.Src)
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("cutting out a reference: %w", err)
	}
	if err := jpeg.Encode(out, cut, &jpeg.Options{Quality: 95}); err != nil {
		out.Close()
		return fmt.Errorf("cutting out a reference: %w", err)
	}
	return out.Close()
}
