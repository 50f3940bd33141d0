package look_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/obscure"
	"github.com/consentry/consentry/internal/sandbox/look"
	"github.com/consentry/consentry/pipeline"
)

// The tests here need no weights: decoding and obscuring do not use any.

func newEyes(t *testing.T) *look.Eyes {
	t.Helper()
	e := look.New(look.Models{}, media.DefaultLimits())
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

const (
	width, height = 320, 240
	mcu           = 16 // of a JPEG at 4:2:0
)

// scene is noise, other noise inside of the rectangle for every seed. The rectangle is made of
// whole blocks of a JPEG, so that a change in it stays in it when the scene is encoded.
func scene(inside image.Rectangle, seed uint64) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	fill(img, img.Bounds(), 1)
	fill(img, inside, seed)
	return img
}

func fill(img *image.NRGBA, r image.Rectangle, seed uint64) {
	random := rand.New(rand.NewPCG(seed, seed))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			img.SetNRGBA(x, y, color.NRGBA{uint8(random.Uint32()), uint8(random.Uint32()), uint8(random.Uint32()), 255})
		}
	}
}

func encoders() map[string]func(image.Image) ([]byte, error) {
	return map[string]func(image.Image) ([]byte, error){
		"png": func(img image.Image) ([]byte, error) {
			var b bytes.Buffer
			err := png.Encode(&b, img)
			return b.Bytes(), err
		},
		"png, 16 bit": func(img image.Image) ([]byte, error) {
			deep := image.NewNRGBA64(img.Bounds())
			for y := range height {
				for x := range width {
					deep.Set(x, y, img.At(x, y))
				}
			}
			var b bytes.Buffer
			err := png.Encode(&b, deep)
			return b.Bytes(), err
		},
		"jpeg": func(img image.Image) ([]byte, error) {
			var b bytes.Buffer
			err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90})
			return b.Bytes(), err
		},
	}
}

func hide(t *testing.T, e *look.Eyes, file []byte, regions []face.Region, style obscure.Style) pipeline.Derivative {
	t.Helper()
	if _, err := e.Decode(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	d, err := e.Obscure(t.Context(), regions, style)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The promise of the product: what is under an obscured region cannot be told from the derivative.
func TestDerivativeDoesNotDependOnWhatIsObscured(t *testing.T) {
	inside := image.Rect(6*mcu, 5*mcu, 12*mcu, 10*mcu)
	// Wide enough that all of the changed blocks, and the chroma around them, lie inside.
	region := face.Region{Centre: face.Point{X: 9 * mcu, Y: 7.5 * mcu}, RX: 6 * mcu, RY: 5 * mcu, Angle: 0.2}
	for name, encode := range encoders() {
		for _, style := range []obscure.Style{obscure.SecureBlur, obscure.Solid} {
			t.Run(fmt.Sprint(name, " ", style), func(t *testing.T) {
				e := newEyes(t)
				var first []byte
				for seed := range uint64(4) {
					file, err := encode(scene(inside, seed))
					if err != nil {
						t.Fatal(err)
					}
					d := hide(t, e, file, []face.Region{region}, style)
					if first == nil {
						first = d.Data
					}
					if !bytes.Equal(first, d.Data) {
						t.Fatalf("scene %d shows in the derivative", seed)
					}
				}
				plain, err := encode(scene(inside, 1))
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Equal(first, hide(t, e, plain, nil, style).Data) {
					t.Error("nothing was obscured")
				}
			})
		}
	}
}

// The second rule: outside of the regions nothing changes.
func TestOutsideOfRegionsNothingChanges(t *testing.T) {
	regions := []face.Region{
		{Centre: face.Point{X: 70, Y: 60}, RX: 30, RY: 40, Angle: -0.4},
		{Centre: face.Point{X: 300, Y: 200}, RX: 45, RY: 50}, // reaches over the edge
	}
	for name, encode := range encoders() {
		t.Run(name, func(t *testing.T) {
			e := newEyes(t)
			file, err := encode(scene(image.Rectangle{}, 1))
			if err != nil {
				t.Fatal(err)
			}
			d := hide(t, e, file, regions, obscure.SecureBlur)
			before, after := decode(t, file), decode(t, d.Data)
			for y := range height {
				for x := range width {
					p := image.Pt(x, y)
					if !p.In(d.Changed[0]) && !p.In(d.Changed[1]) && before.At(x, y) != after.At(x, y) {
						t.Fatalf("%v changed, outside of %v", p, d.Changed)
					}
				}
			}
			for i, r := range regions {
				if p := image.Pt(int(r.Centre.X), int(r.Centre.Y)); !p.In(d.Changed[i]) || before.At(p.X, p.Y) == after.At(p.X, p.Y) {
					t.Errorf("region %d is not obscured", i)
				}
			}
		})
	}
}

func TestUntouchedPhotographKeepsEveryPixel(t *testing.T) {
	for name, encode := range encoders() {
		t.Run(name, func(t *testing.T) {
			file, err := encode(scene(image.Rectangle{}, 1))
			if err != nil {
				t.Fatal(err)
			}
			before, after := decode(t, file), decode(t, hide(t, newEyes(t), file, nil, obscure.SecureBlur).Data)
			for y := range height {
				for x := range width {
					if before.At(x, y) != after.At(x, y) {
						t.Fatalf("pixel (%d, %d) changed", x, y)
					}
				}
			}
		})
	}
}

func decode(t *testing.T, file []byte) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestNothingWithoutDecode(t *testing.T) {
	e := newEyes(t)
	if _, err := e.Find(t.Context()); err == nil {
		t.Error("Find answered")
	}
	if _, err := e.Describe(t.Context(), []face.Face{{}}); err == nil {
		t.Error("Describe answered")
	}
	if _, err := e.Obscure(t.Context(), nil, obscure.SecureBlur); err == nil {
		t.Error("Obscure answered")
	}
	if _, err := e.Inspect(t.Context(), pipeline.Derivative{}); err == nil {
		t.Error("Inspect answered")
	}
	if _, err := e.Decode(t.Context(), []byte("no picture")); err == nil {
		t.Error("Decode took a text")
	}
	if _, err := e.Find(t.Context()); err == nil {
		t.Error("Find answered for the picture before one that could not be decoded")
	}
}
