package look_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"github.com/consentry/consentry/internal/face"
	"github.com/consentry/consentry/internal/media"
	"github.com/consentry/consentry/internal/media/mediatest"
)

// halves is red above and blue below, as a JPEG that says how it must be turned.
func halves(t *testing.T, w, h, orientation int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 255, A: 255}
			if y >= h/2 {
				c = color.NRGBA{B: 255, A: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return mediatest.Orient(b.Bytes(), media.JPEG, orientation, w, h)
}

func TestPortraitIsSmallUprightAndClean(t *testing.T) {
	e := newEyes(t)
	const upsideDown = 3
	for name, test := range map[string]struct {
		box  face.Box
		want image.Point
	}{
		"large":           {face.Box{X: 200, Y: 150, W: 400, H: 400}, image.Pt(320, 240)},
		"small":           {face.Box{X: 300, Y: 200, W: 40, H: 40}, image.Pt(80, 80)},
		"over the corner": {face.Box{X: 0, Y: 0, W: 40, H: 40}, image.Pt(60, 58)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := e.Decode(t.Context(), halves(t, 800, 600, upsideDown)); err != nil {
				t.Fatal(err)
			}
			data, err := e.Portrait(t.Context(), test.box)
			if err != nil {
				t.Fatal(err)
			}
			if err := media.VerifyScrubbed(data); err != nil {
				t.Error(err)
			}
			img := decode(t, data)
			if s := img.Bounds().Size(); max(s.X, s.Y) > 320 || math.Abs(float64(s.X-test.want.X)) > 4 || math.Abs(float64(s.Y-test.want.Y)) > 4 {
				t.Errorf("%v pixels, want some %v", s, test.want)
			}
			if r, _, b, _ := img.At(2, 2).RGBA(); r > b {
				t.Error("the portrait stands on its head")
			}
		})
	}
}

// The box comes from the parent and is believed; what cannot be a face must cost no more than the call.
func TestPortraitOfNothing(t *testing.T) {
	e := newEyes(t)
	if _, err := e.Portrait(t.Context(), face.Box{W: 10, H: 10}); err == nil {
		t.Error("a portrait without a picture")
	}
	if _, err := e.Decode(t.Context(), halves(t, 80, 60, 1)); err != nil {
		t.Fatal(err)
	}
	for _, box := range []face.Box{
		{},
		{X: 10, Y: 10, W: -5, H: 10},
		{X: 1000, Y: 1000, W: 10, H: 10},
		{X: math.NaN(), Y: 1, W: 10, H: 10},
		{X: 1, Y: 1, W: math.Inf(1), H: 10},
		{X: math.MaxFloat64, Y: 1, W: 10, H: 10},
	} {
		if _, err := e.Portrait(t.Context(), box); err == nil {
			t.Errorf("a portrait of %v", box)
		}
	}
}
