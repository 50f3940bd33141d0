package enrolment

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/consentry/consentry/internal/demo"
	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/gallery"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func at(x, side, score float64) face.Face {
	return face.Face{Box: face.Box{X: x, Y: 100, W: side, H: side}, Score: score}
}

func TestWhichFacesCount(t *testing.T) {
	for name, test := range map[string]struct {
		faces []face.Face
		want  int
	}{
		"none":                       {nil, 0},
		"one":                        {[]face.Face{at(0, 100, 1)}, 1},
		"somebody in the background": {[]face.Face{at(0, 100, 1), at(200, 30, 1)}, 1},
		"two":                        {[]face.Face{at(0, 100, 1), at(200, 60, 1)}, 2},
		"a hand":                     {[]face.Face{at(0, 100, 1), at(200, 60, 0.63)}, 1},
		"a knee in front":            {[]face.Face{at(200, 160, 0.56), at(0, 100, 1)}, 1},
		"one head twice":             {[]face.Face{at(0, 100, 1), at(60, 80, 1)}, 1},
		"heads side by side":         {[]face.Face{at(0, 100, 1), at(95, 80, 1)}, 2},
		"nothing sure":               {[]face.Face{at(0, 50, 0.5), at(200, 100, 0.4)}, 1},
	} {
		if got := len(counting(test.faces)); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestAllFaultsAreToldTogether(t *testing.T) {
	bad := face.Face{Box: face.Box{W: 90, H: 60}, Quality: face.Quality{Sharpness: 0.1, Brightness: 10, Yaw: -0.9}}
	got := (&Faults{faults(bad)}).Error()
	for _, want := range []string{"too small: 60 pixels", "blurred", "too dark", "turned to the side", "could not be described"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
	if !strings.HasPrefix(got, "the face is too small") {
		t.Errorf("%q does not begin with what comes first", got)
	}
	bright := face.Face{Box: face.Box{W: 90, H: 90}, Quality: face.Quality{Sharpness: 100, Brightness: 240}, Templates: templatesOf(1, nil)}
	if got := faults(bright); len(got) != 1 || !strings.Contains(got[0], "too bright") {
		t.Errorf("%q", got)
	}
	one := face.Face{Box: face.Box{W: 90, H: 90}, Quality: face.Quality{Sharpness: 100, Brightness: 100}, Templates: templatesOf(1, nil)}
	if got := faults(one); len(got) > 0 {
		t.Errorf("a good face: %q", got)
	}
	delete(one.Templates, face.DlibResNet)
	if got := faults(one); len(got) != 1 || !strings.Contains(got[0], "both models") {
		t.Errorf("%q", got)
	}
}

// seeing gives eyes with the pulled weights, and the folder of the sample photographs.
func seeing(t *testing.T) (Looker, string) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the weights and the sample photographs, which -short goes without")
	}
	dir := os.Getenv("CONSENTRY_MODELS")
	if dir == "" {
		var err error
		if dir, err = models.DefaultDir(); err != nil {
			t.Fatal(err)
		}
	}
	store, err := models.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := look.New(look.Models{
		Detector: store.Path(models.Detector), Landmarks: store.Path(models.Landmarks),
		DlibDir: store.DlibDir(), MobileFaceNet: store.Path(models.MobileFaceNet),
	}, media.DefaultLimits())
	t.Cleanup(func() { _ = e.Close() })
	return e, filepath.Join(dir, "samples")
}

func examineImage(ctx context.Context, t *testing.T, v Looker, img image.Image) (Candidate, error) {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return Examine(ctx, b.Bytes(), v, today)
}

func readImage(t *testing.T, path string) image.Image {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// mapped changes every sample of a picture.
func mapped(img image.Image, change func(v float64) float64) image.Image {
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	for i := range out.Pix {
		if i%4 != 3 {
			out.Pix[i] = uint8(max(0, min(255, change(float64(out.Pix[i])))))
		}
	}
	return out
}

// coarse keeps one pixel of each square of n, spread over the square, and so no detail.
func coarse(img image.Image, n int) image.Image {
	b := img.Bounds()
	out := image.NewRGBA(b)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			var sum [3]uint32
			for dy := -n / 2; dy <= n/2; dy += n / 4 {
				for dx := -n / 2; dx <= n/2; dx += n / 4 {
					r, g, bl, _ := img.At(min(max(x+dx, b.Min.X), b.Max.X-1), min(max(y+dy, b.Min.Y), b.Max.Y-1)).RGBA()
					sum[0], sum[1], sum[2] = sum[0]+r>>8, sum[1]+g>>8, sum[2]+bl>>8
				}
			}
			out.SetRGBA(x, y, color.RGBA{uint8(sum[0] / 25), uint8(sum[1] / 25), uint8(sum[2] / 25), 255})
		}
	}
	return out
}

func TestDoctorOnRealPhotographs(t *testing.T) {
	v, samples := seeing(t)
	layout, err := demo.Prepare(samples, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	good := readImage(t, filepath.Join(layout.References, demo.Subject+".jpg"))
	c, err := examineImage(t.Context(), t, v, good)
	if err != nil {
		t.Fatalf("the demonstration's reference: %v", err)
	}
	if !describedByBoth(c.Templates) || c.Side < MinSide || c.Digest == "" || c.Taken != "" {
		t.Errorf("%+v", c)
	}
	if err := media.VerifyScrubbed(c.Portrait); err != nil || len(c.Portrait) > 64<<10 {
		t.Errorf("a portrait of %d bytes: %v", len(c.Portrait), err)
	}
	group := readImage(t, filepath.Join(samples, "sample3.jpg"))
	for name, test := range map[string]struct {
		img  image.Image
		want string
	}{
		"nobody":     {mapped(good, func(float64) float64 { return 128 }), "no face found; use a photograph that shows"},
		"three":      {group, "3 faces found; cut the photograph"},
		"blurred":    {coarse(good, 16), "the face is blurred"},
		"too dark":   {mapped(good, func(v float64) float64 { return v * 0.19 }), "the face is too dark"},
		"too bright": {mapped(good, func(v float64) float64 { return v * 2 }), "the face is too bright"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := examineImage(t.Context(), t, v, test.img)
			if f := (*Faults)(nil); !errors.As(err, &f) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
	// What passes the doctor must still be recognised.
	dim, err := examineImage(t.Context(), t, v, mapped(good, func(v float64) float64 { return v * 0.4 }))
	if err != nil {
		t.Fatalf("in dim light: %v", err)
	}
	if score, ok := gallery.Score(c.Templates, dim.Templates); !ok || score < gallery.DefaultThresholds().Confident {
		t.Errorf("in dim light it scores %.1f with itself", score)
	}
}
